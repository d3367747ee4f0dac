//! Several processes share the invoices in a database.
//!
//! ```text
//! examples/billing/database &      # a Postgres in a temporary folder
//! cargo run -p billing
//! ```
//!
//! It plays three scenes, each with processes of its own:
//!
//! 1. Two processes add to one invoice at the same time: nothing is lost.
//! 2. A process is stopped in the middle of a section (`kill -STOP`), while it awaits. Another
//!    goes on, once the lease of the first has ended. When the first wakes up, its section is
//!    ended before it does anything more.
//! 3. The same, but the first is stopped where it does not await: nothing can keep it from
//!    sending what it was about to write. The database refuses it.

mod invoices;
mod scenes;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let played = match arguments[..] {
        [] => scenes::play("host=127.0.0.1 port=54329 user=billing dbname=postgres").await,
        [database] => scenes::play(database).await,
        ["process", name, what, database] => invoices::process(name, what, database).await,
        _ => Err("usage: billing [CONNECTION-STRING]".into()),
    };
    match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("billing: {error}");
            ExitCode::FAILURE
        }
    }
}
