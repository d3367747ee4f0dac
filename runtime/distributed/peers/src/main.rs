//! The cost of a lock, beside the locks of other crates and the bare locks of the servers.
//!
//! ```text
//! examples/billing/database &
//! etcd --unsafe-no-fsync --data-dir "$(mktemp -d)" &
//! cargo run --release --manifest-path runtime/distributed/peers/Cargo.toml
//! ```
//!
//! `-- postgres` or `-- etcd` runs one of the two; a second argument says where it is, and a third
//! one how many rounds there are.
//!
//! Each round runs all contenders one after another, and begins with the next one of them; a line
//! has the medians of the rounds. Connections are made before, and closed after, the time is taken.
//! The CPU time is that of this process, and of the server's processes, which have to run on this
//! machine (Linux).

mod count;
mod etcd;
mod measure;
mod postgres;

use std::error::Error;
use std::time::Duration;

use measure::{Cost, median};

type Failed = Box<dyn Error + Send + Sync>;

/// How many acquisitions there are in a round, by all tasks together.
const ACQUISITIONS: usize = 512;

/// A table for a server: a column for what is counted, and the contenders by name.
#[allow(async_fn_in_trait)]
trait Contest {
    /// What is counted.
    const COUNTED: &'static str;
    const CONTENDERS: &'static [&'static str];

    /// A round of a contender: how much it has cost.
    async fn round(&self, contender: usize, tasks: usize, rounds: usize) -> Result<Cost, Failed>;

    /// What is counted of an acquisition.
    async fn count(&self, contender: usize, tasks: usize, rounds: usize) -> Result<String, Failed>;
}

async fn table<C: Contest>(contest: &C, rounds: usize) -> Result<(), Failed> {
    println!();
    println!(
        "| tasks | | each | slowest and fastest round | {} | CPU of the server | CPU here |",
        C::COUNTED
    );
    println!("|---|---|---|---|---|---|---|");
    let contenders = C::CONTENDERS.len();
    for tasks in [1, 8, 64] {
        let each = ACQUISITIONS / tasks;
        let mut costs = vec![Vec::new(); contenders];
        for round in 0..rounds {
            for turn in 0..contenders {
                let contender = (round + turn) % contenders;
                let cost = contest.round(contender, tasks, each).await?;
                costs[contender].push(cost.of_one(tasks * each));
                // What is closed is closed by then.
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        for (contender, costs) in costs.iter().enumerate() {
            let counted = contest.count(contender, tasks, each).await?;
            let times = costs.iter().map(|cost| cost.time);
            let (slowest, fastest) = (times.clone().max(), times.clone().min());
            println!(
                "| {tasks} | {} | {:.0?} | {:.0?}, {:.0?} | {counted} | {:.0?} | {:.0?} |",
                C::CONTENDERS[contender],
                median(times),
                slowest.unwrap_or_default(),
                fastest.unwrap_or_default(),
                median(costs.iter().map(|cost| cost.server)),
                median(costs.iter().map(|cost| cost.here)),
            );
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let (store, place) = (arguments.next(), arguments.next());
    let rounds = arguments.next().map_or(Ok(5), |rounds| rounds.parse())?;
    let is_asked = |name: &str| store.as_ref().is_none_or(|store| store == name);
    println!(
        "{rounds} rounds of {ACQUISITIONS} acquisitions; load {}",
        measure::load()
    );
    if is_asked("postgres") {
        let place = place.as_deref().unwrap_or(postgres::DATABASE);
        table(&postgres::Databases::new(place).await?, rounds).await?;
    }
    if is_asked("etcd") {
        let place = place.as_deref().unwrap_or(etcd::MEMBER);
        table(&etcd::Members::new(place)?, rounds).await?;
    }
    println!("\nload {}", measure::load());
    Ok(())
}
