//! Asks a process what it hangs on: what the command `async-monitor ps` does, without being
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
