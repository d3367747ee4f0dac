//! Locks of several crates in one section.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use async_monitor::{Guarded, synchronized, with_lock};
use futures::executor::block_on;

use crate::yields;

#[derive(Default)]
struct All {
    ours: async_monitor::Mutex<u32>,
    of_tokio: tokio::sync::Mutex<u32>,
    of_async_lock: async_lock::RwLock<u32>,
    of_futures: futures::lock::Mutex<u32>,
    short: async_monitor::sync::Mutex<u32>,
}

impl All {
    #[synchronized(ours, of_tokio, of_async_lock, of_futures)]
    async fn forwards(&self) -> u32 {
        *ours += 1;
        yields().await;
        *of_tokio += 1;
        *of_async_lock += 1;
        *of_futures += 1;
        *ours
    }

    #[synchronized(short, of_futures, read(of_async_lock), of_tokio, ours)]
    async fn backwards(&self) -> u32 {
        assert!(*of_tokio == *ours && *ours == *of_futures && *ours == *of_async_lock);
        *short += 1;
        *short
    }
}

#[test]
fn sections_in_any_order_do_not_deadlock() {
    let all = All::default();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                block_on(async {
                    for _ in 0..300 {
                        all.forwards().await;
                    }
                });
            });
            scope.spawn(|| {
                block_on(async {
                    for _ in 0..300 {
                        all.backwards().await;
                    }
                });
            });
        }
    });
    assert_eq!(block_on(all.forwards()), 601);
    assert_eq!(block_on(all.backwards()), 601);
}

#[test]
fn two_instances_do_not_deadlock() {
    let (a, b) = (tokio::sync::Mutex::new(0), tokio::sync::Mutex::new(0));
    thread::scope(|scope| {
        for (from, to) in [(&a, &b), (&b, &a)] {
            scope.spawn(move || {
                block_on(async {
                    for _ in 0..300 {
                        with_lock!(from, to, {
                            *from -= 1;
                            yields().await;
                            *to += 1;
                        });
                    }
                });
            });
        }
    });
    assert_eq!((a.into_inner(), b.into_inner()), (0, 0));
}

#[test]
fn the_same_lock_twice_is_named() {
    let lock = Arc::new(async_lock::Mutex::new(1));
    let again = Arc::clone(&lock);
    let panic = catch_unwind(AssertUnwindSafe(|| {
        block_on(async { with_lock!(lock, again, { *lock + *again }) })
    }))
    .unwrap_err();
    let message = panic.downcast::<String>().unwrap();
    assert!(
        message.starts_with("`lock` and `again` are the same lock"),
        "{message}"
    );
}

#[derive(Guarded, Default)]
struct Store {
    index: tokio::sync::Mutex<()>,
    #[guarded_by(index)]
    keys: Guarded<Vec<u32>>,
    #[lock(rw)]
    pages: async_lock::RwLock<()>,
    #[guarded_by(pages)]
    bytes: Guarded<u32>,
    stats: futures::lock::Mutex<()>,
    #[guarded_by(stats)]
    reads: Guarded<u32>,
    journal: async_monitor::Lock,
    #[guarded_by(journal)]
    lines: Guarded<u32>,
    #[lock(sync)]
    flags: async_monitor::sync::Lock,
    #[guarded_by(flags)]
    dirty: Guarded<bool>,
}

impl Store {
    #[synchronized(index, read(pages), stats, journal, flags)]
    async fn everything(&self) -> u32 {
        index.keys.push(*pages.bytes);
        *stats.reads += 1;
        *journal.lines += 1;
        *flags.dirty = true;
        *stats.reads
    }
}

#[test]
fn a_derive_may_have_locks_of_all() {
    let store = Store::default();
    assert_eq!(block_on(store.everything()), 1);
}
