//! The command `async-monitor`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("ps") => async_monitor_cli::ps("async-monitor ps", args),
        Some("--help" | "-h") => {
            println!("usage: async-monitor ps PID    what a process hangs on (`ps --help`)");
            ExitCode::SUCCESS
        }
        Some("--version" | "-V") => {
            println!("async-monitor {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Some(_) | None => {
            eprintln!("usage: async-monitor ps PID    what a process hangs on (`ps --help`)");
            ExitCode::from(2)
        }
    }
}
