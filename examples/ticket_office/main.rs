//! A ticket office over HTTP: it sells the seats of a hall to customers who hold them, pay
//! for them, forget them, hang up, pay twice, and want their money back.
//!
//! ```text
//! cargo run --release --example ticket_office
//! cargo run --release --example ticket_office -- --load 500
//! ```
//!
//! All shared state is in three monitors, each with a lock for short sections. Nothing is locked by
//! hand, and no section awaits.
//!
//! | file | what |
//! |---|---|
//! | `main.rs` | the command line, the exit status |
//! | `../keyspace/program.rs` | signals, output |
//! | `hall.rs` | the seats, the orders, the waiting list: states and invariants |
//! | `bank.rs` | the bank, which declines and is slow |
//! | `statistics.rs` | the sales over time |
//! | `office.rs` | the cashiers, and the actions of the requests |
//! | `../metrics/prometheus.rs` | the metrics of the locks, for `http.rs` |
//! | `http.rs`, `page.html` | requests and answers; the hall as a page |
//! | `client.rs`, `load.rs` | many customers at once, and the books afterwards |

mod bank;
mod client;
mod hall;
mod http;
mod load;
mod office;
#[path = "../keyspace/program.rs"]
mod program;
#[path = "../metrics/prometheus.rs"]
mod prometheus;
mod statistics;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::office::{Office, Setup};
use crate::program::{announce, complain, signal};

/// Sells the seats of a hall, over HTTP. Open its address in a browser.
///
/// Stops on SIGINT and SIGTERM: nothing is sold any more, what was begun at the bank is
/// brought to its end, and the books are closed. There is no password: do not bind it to an
/// address that others can reach.
#[derive(Parser)]
#[command(verbatim_doc_comment, after_long_help = EXIT_STATUS)]
struct Args {
    /// The port to listen on; with 0, any free one, which is printed
    #[arg(long, default_value_t = 8080)]
    port: u16,

    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value_t = Ipv4Addr::LOCALHOST.into())]
    bind: IpAddr,

    /// How many seats the hall has
    #[arg(long, value_name = "N", default_value_t = 200)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    seats: u32,

    /// What a seat costs, in cents
    #[arg(long, value_name = "CENTS", default_value_t = 2_500)]
    #[arg(value_parser = clap::value_parser!(u64).range(..=1_000_000_000))]
    price: u64,

    /// For how long a seat is held for who has not paid, in milliseconds [default: 60000, with
    /// --load 500]
    #[arg(long, value_name = "MS")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    hold: Option<u64>,

    /// How long the bank takes to answer, in milliseconds; one payment in twenty takes twenty
    /// times as long, which is too long [default: 500, with --load 20]
    #[arg(long, value_name = "MS")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=60_000))]
    bank: Option<u64>,

    /// How many payments are under way at a time
    #[arg(long, value_name = "N", default_value_t = 16)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    cashiers: u32,

    /// Has so many customers buy at once, over real connections, prints what came of it, and
    /// exits: with 1 if the books do not balance
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=20_000))]
    load: Option<u32>,
}

const EXIT_STATUS: &str = "\
Exit status:
  0  stopped by a signal, or the load is over and the books balance
  1  the books do not balance
  2  wrong arguments
  3  cannot listen, or the executor cannot be started";

const DO_NOT_BALANCE: u8 = 1;
const CANNOT_START: u8 = 3;

impl Args {
    fn setup(&self) -> Setup {
        let (hold, bank) = if self.load.is_some() {
            (500, 20)
        } else {
            (60_000, 500)
        };
        let latency = Duration::from_millis(self.bank.unwrap_or(bank));
        Setup {
            seats: self.seats as usize,
            price: self.price,
            hold_time: Duration::from_millis(self.hold.unwrap_or(hold)),
            cashiers: self.cashiers as usize,
            latency,
            patience: latency * 4,
        }
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(DO_NOT_BALANCE),
        Err(error) => {
            complain(format_args!(
                "cannot listen on {} port {}: {error}",
                args.bind, args.port
            ));
            ExitCode::from(CANNOT_START)
        }
    }
}

/// Returns whether the books balance.
#[tokio::main]
async fn run(args: &Args) -> io::Result<bool> {
    let signal = signal()?;
    let listener = TcpListener::bind((args.bind, args.port)).await?;
    let address = listener.local_addr()?;
    let office = Office::new(args.setup());
    announce(format_args!("ticket_office: open at http://{address}/"))?;

    let (stop, stopped) = watch::channel(false);
    let server = tokio::spawn(serve(listener, Arc::clone(&office), stopped));
    let mut balance = true;
    tokio::select! {
        () = signal => {}
        summary = load(args, &office, address) => {
            balance = summary.faults.is_empty();
            announce(&summary)?;
        }
    }
    stop.send_replace(true);
    server.await.expect("the server does not panic")?;
    let books = office.hall.audit();
    if books.takings != office.bank.balance() {
        balance = false;
        complain("the hall and the bank do not agree");
    }
    Ok(balance)
}

/// For ever, without a load.
async fn load(args: &Args, office: &Arc<Office>, address: std::net::SocketAddr) -> load::Summary {
    match args.load {
        Some(customers) => {
            load::run(office, address, customers as usize, Duration::from_secs(5)).await
        }
        None => std::future::pending().await,
    }
}

/// Serves until it is stopped, and until what was begun has ended.
pub async fn serve(
    listener: TcpListener,
    office: Arc<Office>,
    mut stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    let clock = tokio::spawn({
        let office = Arc::clone(&office);
        async move { office.watch_the_clock().await }
    });
    let cashiers = tokio::spawn(Arc::clone(&office).work());
    let stop = {
        let office = Arc::clone(&office);
        async move {
            // An error is the end of who would say so.
            let _ = stopped.wait_for(|stopped| *stopped).await;
            office.hall.close();
        }
    };
    let served = axum::serve(listener, http::routes(office))
        .with_graceful_shutdown(stop)
        .await;
    cashiers.await.expect("no cashier panics");
    clock.abort();
    served
}
