//! How often sections wait for locks, and how long they hold them.
//!
//! ```text
//! cargo run --example metrics                    a table
//! cargo run --example metrics -- --prometheus    the text format of Prometheus
//! ```
//!
//! In a release build, `--features watch` turns watching on.

mod prometheus;

use std::sync::Arc;
use std::time::Duration;

use async_monitor::watch::{self, Metrics, Times};
use async_monitor::{Guarded, Lock, sync, synchronized};
use prometheus::Prometheus;

#[derive(Guarded, Default)]
struct Shop {
    /// Held across an await: the others wait.
    till: Lock,
    #[guarded_by(till)]
    takings: Guarded<u64>,
    /// Held for a moment.
    shelf: sync::Lock,
    #[guarded_by(shelf)]
    sold: Guarded<u64>,
}

impl Shop {
    #[synchronized(till)]
    async fn pay(&self, price: u64) {
        tokio::time::sleep(Duration::from_millis(1)).await;
        *till.takings += price;
    }

    #[synchronized(shelf, blocking)]
    fn take(&self) {
        *shelf.sold += 1;
    }

    async fn buy(&self, price: u64) {
        self.take();
        self.pay(price).await;
    }
}

#[tokio::main]
async fn main() {
    watch::set_metrics(true);
    let shop = Arc::new(Shop::default());
    let customers = (0..8).map(|price| {
        let shop = Arc::clone(&shop);
        tokio::spawn(async move {
            for _ in 0..4 {
                shop.buy(price).await;
            }
        })
    });
    for customer in customers.collect::<Vec<_>>() {
        customer.await.expect("no customer panics");
    }
    if std::env::args().any(|arg| arg == "--prometheus") {
        print!("{}", Prometheus(watch::metrics()));
    } else {
        print_table(&watch::metrics());
    }
    if !watch::IS_ON {
        eprintln!("Nothing is counted: in a release build, add --features watch.");
    }
}

fn print_table(metrics: &[Metrics]) {
    println!(
        "{:<12} {:>8} {:>8} {:>10} {:>10} {:>10} {:>10}",
        "lock", "acquired", "waited", "wait mean", "wait max", "held mean", "held max"
    );
    for Metrics {
        lock,
        acquired,
        wait,
        held,
        ..
    } in metrics
    {
        println!(
            "{lock:<12} {acquired:>8} {:>8} {:>10} {:>10} {:>10} {:>10}",
            wait.count,
            mean(wait),
            shown(wait.max),
            mean(held),
            shown(held.max)
        );
    }
}

fn mean(times: &Times) -> String {
    let count = u32::try_from(times.count).unwrap_or(u32::MAX);
    times.total.checked_div(count).map_or("-".into(), shown)
}

fn shown(time: Duration) -> String {
    format!("{time:.1?}")
}
