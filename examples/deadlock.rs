//! Hangs, and the reports of watching about them.
//!
//! ```text
//! cargo run --example deadlock              the names of the hangs
//! cargo run --example deadlock -- abba      one of them: it hangs, is reported, and ends
//! ```
//!
//! In a release build, `--features watch` turns watching on. With `--features watch-signal`, it
//! prints its PID and stays for a minute, so that the example `ps` can ask it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use async_monitor::{Guarded, Lock, RwLock, synchronized, watch};
use futures::executor::block_on;

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

impl Account {
    #[synchronized(ledger)]
    async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
    }

    /// Asks for the lock that it holds. (In a `#[monitor] impl`, this does not compile.)
    #[synchronized(ledger)]
    async fn deposit_with_bonus(&self, amount: i64) {
        *ledger.balance += 1;
        self.deposit(amount).await;
    }

    /// Holds the lock of one account while it asks for that of the other.
    #[synchronized(ledger)]
    async fn pay(&self, other: &Account, amount: i64) {
        *ledger.balance -= amount;
        a_moment().await;
        other.deposit(amount).await;
    }
}

#[derive(Guarded, Default)]
struct Settings {
    #[lock(rw)]
    map: RwLock<()>,
    #[guarded_by(map)]
    entries: Guarded<BTreeMap<String, String>>,
}

impl Settings {
    #[synchronized(read(map))]
    async fn get(&self, key: &str) -> Option<String> {
        map.entries.get(key).cloned()
    }

    /// Reads while it reads: a writer that has come in between is before it, and waits for it.
    #[synchronized(read(map))]
    async fn resolve(&self, key: &str) -> Option<String> {
        a_moment().await;
        let alias = map.entries.get(key)?;
        self.get(alias).await
    }

    #[synchronized(map)]
    async fn set(&self, key: &str, value: &str) {
        map.entries.insert(key.to_owned(), value.to_owned());
    }
}

/// Time in which others run.
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

const HANGS: [(&str, &str); 5] = [
    ("relock", "a section calls a method that acquires its lock"),
    (
        "abba",
        "two tasks hold one account each, and ask for the other",
    ),
    ("cycle", "three tasks in a cycle"),
    (
        "readers",
        "a reader reads again, and a writer waits in between",
    ),
    (
        "unpolled",
        "a lock is granted to a future that nobody polls",
    ),
];

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        println!("usage: deadlock NAME, where NAME is one of:");
        for (name, what) in HANGS {
            println!("    {name:<10} {what}");
        }
        return ExitCode::SUCCESS;
    };
    if !watch::IS_ON {
        eprintln!("this build does not watch: leave `--release` out, or add `--features watch`");
        return ExitCode::FAILURE;
    }
    let hang: fn() = match name.as_str() {
        "relock" => || block_on(Account::default().deposit_with_bonus(1)),
        "abba" => || pay_in_a_cycle(2),
        "cycle" => || pay_in_a_cycle(3),
        "readers" => readers,
        "unpolled" => unpolled,
        _ => {
            eprintln!("`{name}` is none of the hangs: run it without an argument to see them");
            return ExitCode::FAILURE;
        }
    };
    #[cfg(all(unix, feature = "watch-signal"))]
    {
        if let Err(error) = watch::on_signal() {
            eprintln!("it cannot be asked: {error}");
            return ExitCode::FAILURE;
        }
        let pid = std::process::id();
        eprintln!("ask it: cargo run --example ps -- {pid}");
    }
    thread::spawn(hang);
    // What hangs is reported after a second.
    let stays = cfg!(all(unix, feature = "watch-signal"));
    thread::sleep(Duration::from_millis(if stays { 60_000 } else { 1800 }));
    ExitCode::SUCCESS
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime")
}

fn pay_in_a_cycle(count: usize) {
    let accounts: Arc<Vec<Account>> = Arc::new((0..count).map(|_| Account::default()).collect());
    let runtime = runtime();
    let tasks: Vec<_> = (0..count)
        .map(|index| {
            let accounts = Arc::clone(&accounts);
            let next = (index + 1) % count;
            runtime.spawn(async move { accounts[index].pay(&accounts[next], 1).await })
        })
        .collect();
    for task in tasks {
        let _ = runtime.block_on(task);
    }
}

fn readers() {
    let settings = Arc::new(Settings::default());
    let runtime = runtime();
    runtime.block_on(settings.set("colour", "green"));
    let reader = Arc::clone(&settings);
    let reader = runtime.spawn(async move { reader.resolve("colour").await });
    thread::sleep(Duration::from_millis(20));
    runtime.block_on(settings.set("green", "#0f0"));
    let _ = runtime.block_on(reader);
}

fn unpolled() {
    let account = Account::default();
    let guard = account.try_acquire_ledger();
    let mut waiting = pin!(account.deposit(1));
    let _ = waiting
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    // The lock is handed to the future above, which is not polled any more.
    drop(guard);
    block_on(account.deposit(2));
}
