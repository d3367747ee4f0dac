//! Sections of the macros, compared with exhaustive runs: see [`compare`](crate::compare).
#![cfg(feature = "macros")]

use std::collections::VecDeque;
use std::sync::Arc;

use async_monitor::{Guarded, Lock, Mutex, synchronized, with_lock};

use crate::compare::{fails, most, same, whole};

#[derive(Guarded)]
struct Buffer {
    capacity: usize,
    state: Lock,
    #[guarded_by(state)]
    items: Guarded<VecDeque<u32>>,
}

impl Buffer {
    fn new(capacity: usize) -> Self {
        Buffer {
            capacity,
            state: Lock::new(),
            items: VecDeque::new().into(),
        }
    }

    #[synchronized(state, when = state.items.len() < self.capacity)]
    async fn put(&self, item: u32) {
        state.items.push_back(item);
    }

    #[synchronized(state, when = !state.items.is_empty())]
    async fn take(&self) -> u32 {
        state.items.pop_front().unwrap()
    }

    #[synchronized(state)]
    async fn len(&self) -> usize {
        state.items.len()
    }

    /// Holds the lock of the buffer while it waits for another one.
    #[synchronized(state, when = state.items.len() < self.capacity)]
    async fn put_sum(&self, sum: &Mutex<u32>) {
        let sum = *sum.lock().await;
        state.items.push_back(sum);
    }
}

#[test]
fn when() {
    whole("1 item", |run, log| {
        let buffer = Arc::new(Buffer::new(1));
        let other = Arc::clone(&buffer);
        run.spawn("p", async move { buffer.put(1).await });
        run.spawn("c", async move { log.say("c", other.take().await) });
    });
    same("1 producer, 1 consumer", most(), |run, log| {
        let buffer = Arc::new(Buffer::new(1));
        let other = Arc::clone(&buffer);
        run.spawn("p", async move {
            buffer.put(1).await;
            buffer.put(2).await;
        });
        run.spawn("c", async move {
            log.say("c", other.take().await);
            log.say("c", other.take().await);
        });
    });
    same("held while others wait", most(), |run, log| {
        let buffer = Arc::new((Buffer::new(1), Mutex::new(1)));
        let (puts, adds) = (Arc::clone(&buffer), Arc::clone(&buffer));
        run.spawn("p", async move { puts.0.put_sum(&puts.1).await });
        run.spawn("a", async move { *adds.1.lock().await += 1 });
        run.spawn("l", async move { log.say("l", buffer.0.len().await) });
    });
    same("2 producers, 1 consumer", most(), |run, log| {
        let buffer = Arc::new(Buffer::new(1));
        for (name, item) in [("p", 1), ("q", 2)] {
            let buffer = Arc::clone(&buffer);
            run.spawn(name, async move { buffer.put(item).await });
        }
        run.spawn("c", async move {
            log.say("c", buffer.take().await);
            log.say("c", buffer.len().await);
            log.say("c", buffer.take().await);
        });
    });
}

/// A section that is entered in time, or not, as the schedule says.
#[cfg(any(feature = "smol", feature = "tokio"))]
impl Buffer {
    #[synchronized(state, timeout = std::time::Duration::from_secs(1))]
    async fn put_soon(&self, item: u32) -> Result<(), async_monitor::Elapsed> {
        state.items.push_back(item);
        Ok(())
    }

    #[synchronized(
        state,
        when = !state.items.is_empty(),
        timeout = std::time::Duration::from_secs(1)
    )]
    async fn take_soon(&self) -> Result<u32, async_monitor::Elapsed> {
        Ok(state.items.pop_front().unwrap())
    }
}

#[cfg(any(feature = "smol", feature = "tokio"))]
#[test]
fn timeouts() {
    same("timeout", most(), |run, log| {
        let buffer = Arc::new(Buffer::new(9));
        for (name, item) in [("a", 1), ("b", 2)] {
            let (buffer, log) = (Arc::clone(&buffer), log.clone());
            run.spawn(name, async move {
                log.say(name, buffer.put_soon(item).await.is_ok());
                log.say(name, buffer.len().await);
            });
        }
    });
    same("three timeouts of a task", most(), |run, log| {
        let buffers = Arc::new([(); 3].map(|()| Buffer::new(1)));
        let other = Arc::clone(&buffers);
        run.spawn("t", async move {
            let takes = buffers.iter().map(|buffer| Box::pin(buffer.take_soon()));
            let (taken, first, _) = futures::future::select_all(takes).await;
            log.say("t", format!("{first} {taken:?}"));
        });
        run.spawn("p", async move { other[2].put(1).await });
    });
    whole("timeout and when", |run, log| {
        let buffer = Arc::new(Buffer::new(9));
        let other = Arc::clone(&buffer);
        run.spawn("c", async move {
            log.say("c", format!("{:?}", other.take_soon().await))
        });
        run.spawn("p", async move { buffer.put(1).await });
    });
}

/// A section that had a condition holds its lock like any other.
#[test]
fn who_holds_a_lock_in_a_section_with_a_condition() {
    let failure = async_monitor::check::Check::new()
        .cancels(0)
        .run(|run| {
            let buffer = Arc::new((Buffer::new(1), Mutex::new(1)));
            let other = Arc::clone(&buffer);
            run.spawn("holds", async move {
                let _guard = buffer.1.lock().await;
                buffer.0.put_sum(&buffer.1).await;
            });
            run.spawn("waits", async move { assert_eq!(other.0.len().await, 0) });
        })
        .unwrap_err();
    assert!(
        failure
            .what()
            .contains("`waits` waits for Buffer.state, which `holds` holds"),
        "{}",
        failure.what()
    );
}

/// Also where no more than one may expire before there is nothing else to do, either is first.
#[cfg(any(feature = "smol", feature = "tokio"))]
#[test]
fn which_of_two_timeouts_is_first() {
    let seen = std::rc::Rc::new(std::cell::RefCell::new(std::collections::BTreeSet::new()));
    let check = async_monitor::check::Check::new().cancels(0).timeouts(1);
    let outcome = check.run(|run| {
        let names = Arc::new(Mutex::new(String::new()));
        for name in ["a", "b"] {
            let (buffer, names) = (Buffer::new(1), Arc::clone(&names));
            run.spawn(name, async move {
                assert!(buffer.take_soon().await.is_err());
                names.lock().await.push_str(name);
            });
        }
        let seen = std::rc::Rc::clone(&seen);
        run.finally(move || {
            let names = names.try_lock().expect("nobody has it");
            seen.borrow_mut().insert(names.clone());
        });
    });
    assert!(outcome.unwrap().is_proof());
    assert_eq!(seen.take().into_iter().collect::<Vec<_>>(), ["ab", "ba"]);
}

/// A task that waits for a condition that never becomes true is named, and so is the condition.
#[test]
fn a_condition_that_nobody_makes_true() {
    let failure = async_monitor::check::Check::new()
        .run(|run| {
            let buffer = Arc::new(Buffer::new(1));
            run.spawn("c", async move { assert_eq!(buffer.take().await, 0) });
        })
        .unwrap_err();
    let what = failure.what();
    assert!(
        what.contains("`c` waits for its condition at Buffer.state"),
        "{what}"
    );
    assert!(
        what.contains("is_empty") && what.contains("in `take`"),
        "{what}"
    );
}

/// A slot behind a lock of `sync`.
#[derive(Guarded, Default)]
struct Slot {
    #[lock(sync)]
    state: async_monitor::sync::Lock,
    #[guarded_by(state)]
    item: Guarded<Option<u32>>,
}

impl Slot {
    #[synchronized(state, when = state.item.is_none())]
    async fn put(&self, item: u32) {
        *state.item = Some(item);
    }

    #[synchronized(state, when = state.item.is_some())]
    async fn take(&self) -> u32 {
        state.item.take().unwrap()
    }
}

#[test]
fn when_over_a_sync_lock() {
    whole("when, sync lock", |run, log| {
        let slot = Arc::new(Slot::default());
        let other = Arc::clone(&slot);
        run.spawn("p", async move { slot.put(1).await });
        run.spawn("c", async move { log.say("c", other.take().await) });
    });
}

/// Reading guarded data is not a change for which conditions are evaluated.
#[test]
fn what_is_always_true_of_what_a_condition_waits_for() {
    let outcome = async_monitor::check::Check::new().run(|run| {
        let buffer = Arc::new(Buffer::new(1));
        let (puts, takes) = (Arc::clone(&buffer), Arc::clone(&buffer));
        run.spawn("c", async move { assert_eq!(takes.take().await, 1) });
        run.spawn("p", async move { puts.put(1).await });
        run.always(move || {
            if let Some(mut guard) = buffer.try_acquire_state() {
                assert!(guard.fields().items.len() <= 1);
            }
        });
    });
    assert!(outcome.unwrap().is_proof());
    let outcome = async_monitor::check::Check::new().run(|run| {
        let slot = Arc::new(Slot::default());
        let (puts, takes) = (Arc::clone(&slot), Arc::clone(&slot));
        run.spawn("c", async move { assert_eq!(takes.take().await, 1) });
        run.spawn("p", async move { puts.put(1).await });
        run.always(move || {
            if let Some(mut guard) = slot.try_acquire_state() {
                assert_ne!(*guard.fields().item, Some(2));
            }
        });
    });
    assert!(outcome.unwrap().is_proof());
}

#[test]
fn several_locks() {
    whole("with_lock! over two", |run, log| {
        let buffers = Arc::new((Buffer::new(9), Buffer::new(9)));
        let other = Arc::clone(&buffers);
        run.spawn("x", async move {
            with_lock!(a = buffers.0.state, b = buffers.1.state, {
                a.items.push_back(1);
                b.items.push_back(1);
            });
        });
        run.spawn("y", async move {
            log.say("y", other.1.len().await);
            log.say("y", other.0.len().await);
        });
    });
}

/// One order of the locks is that of every section, and nested sections by hand have
/// another: one of the two orders deadlocks, in which the other is.
#[test]
fn the_order_of_locks_does_not_depend_on_the_schedule() {
    fails("with_lock! and by hand", |run, _| {
        let buffers = Arc::new((Buffer::new(9), Buffer::new(9)));
        let (x, z) = (Arc::clone(&buffers), Arc::clone(&buffers));
        run.spawn("x", async move {
            with_lock!(a = x.0.state, b = x.1.state, {
                a.items.push_back(1);
                b.items.push_back(1);
            });
        });
        run.spawn("z", async move {
            let _inner = z.1.acquire_state().await;
            let _outer = z.0.acquire_state().await;
        });
    });
}

/// A task that awaits three timeouts at a time: each may be the first.
#[cfg(any(feature = "smol", feature = "tokio"))]
#[test]
fn which_of_three_timeouts_is_first() {
    let seen = std::rc::Rc::new(std::cell::RefCell::new(std::collections::BTreeSet::new()));
    let outcome = async_monitor::check::Check::new().cancels(0).run(|run| {
        let seen = std::rc::Rc::clone(&seen);
        run.spawn("t", async move {
            let buffers = [(); 3].map(|()| Buffer::new(1));
            let takes = buffers.iter().map(|buffer| Box::pin(buffer.take_soon()));
            let (_, first, _) = futures::future::select_all(takes).await;
            seen.borrow_mut().insert(first);
        });
    });
    assert!(outcome.unwrap().is_proof());
    assert_eq!(seen.take().into_iter().collect::<Vec<_>>(), [0, 1, 2]);
}
