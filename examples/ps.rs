//! Asks a hung process for its waits, like the command `async-monitor ps`, which need not be
//! installed.
//!
//! ```text
//! cargo run --features watch-signal --example deadlock -- abba    says its PID
//! cargo run --example ps -- PID [--json]
//! ```

use std::process::ExitCode;

fn main() -> ExitCode {
    async_monitor_cli::ps("ps", std::env::args().skip(1))
}
