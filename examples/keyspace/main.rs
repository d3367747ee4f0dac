//! A server that keeps keys, values and channels in memory and speaks enough of
//! the Redis protocol for `redis-cli` and `redis-benchmark`.
//!
//! ```text
//! cargo run --release --example keyspace -- --port 6380
//! redis-cli -p 6380
//! ```
//!
//! The state that all connections share is written twice: by hand, and with the macros of this
//! crate. Everything else is the same code.
//!
//! | file | what |
//! |---|---|
//! | `main.rs` | the command line, the exit status |
//! | `program.rs` | signals, output |
//! | `state/` | the state that all connections share, in two versions |
//! | `server.rs` | accepts connections, shuts down |
//! | `connection.rs` | one connection: reads requests, writes replies and messages |
//! | `command/` | the commands |
//! | `subscriber.rs` | the bounded queue from publishers to a subscriber |
//! | `protocol/` | requests from bytes, and replies to bytes |
//! | `compare` | a script that measures both versions side by side |

mod command;
mod connection;
mod program;
mod protocol;
mod server;
mod state;
mod subscriber;

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use tokio::net::TcpListener;

use crate::program::{announce, complain, signal};
use crate::state::{ByHand, Monitor};

/// Keeps keys, values and channels in memory, and speaks the Redis protocol
/// (RESP2, and commands as lines of text).
///
/// Stops on SIGINT and SIGTERM: it accepts nobody any more, answers the requests
/// that it has received, and closes all connections. There is no password: do
/// not bind it to an address that others can reach.
#[derive(Parser)]
#[command(verbatim_doc_comment, after_long_help = EXIT_STATUS)]
struct Args {
    /// The port to listen on; with 0, any free one, which is printed
    #[arg(long, default_value_t = 6379)]
    port: u16,

    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value_t = Ipv4Addr::LOCALHOST.into())]
    bind: IpAddr,

    /// How many connections may be open at a time
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: u32,

    /// The form of the shared state
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::ByHand)]
    state: Form,
}

/// The forms of the shared state.
#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// std's mutex and tokio's `Notify`
    ByHand,
    /// The macros of this crate
    Monitor,
}

const EXIT_STATUS: &str = "\
Exit status:
  0  stopped by a signal
  2  wrong arguments
  3  cannot listen, or the executor cannot be started";

const CANNOT_START: u8 = 3;

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!(
                "cannot listen on {} port {}: {error}",
                args.bind, args.port
            ));
            ExitCode::from(CANNOT_START)
        }
    }
}

#[tokio::main]
async fn run(args: &Args) -> io::Result<()> {
    let signal = signal()?;
    let listener = TcpListener::bind((args.bind, args.port)).await?;
    let form = args.state.to_possible_value().expect("no form is skipped");
    announce(format_args!(
        "keyspace: listening on {}, state {}",
        listener.local_addr()?,
        form.get_name()
    ))?;
    let max_connections = args.max_connections as usize;
    match args.state {
        Form::ByHand => server::run::<ByHand>(listener, max_connections, signal).await,
        Form::Monitor => server::run::<Monitor>(listener, max_connections, signal).await,
    }
    Ok(())
}
