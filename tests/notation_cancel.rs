//! The effects of a section that is dropped before its body, and the order in which other waiters
//! are served: the rows for sections of the guide's page about cancel safety. The rows for the
//! primitives are in `runtime/tests/behaviours`, those for a section that is dropped in its body
//! in `notation_sections.rs` and `notation_atomic.rs`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_monitor::{Elapsed, Guarded, Lock, Mutex, synchronized, with_lock};
use futures::executor::block_on;

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    history: Guarded<Vec<&'static str>>,
}

impl Account {
    #[synchronized(ledger)]
    async fn note(&self, name: &'static str) {
        ledger.history.push(name);
    }

    #[synchronized(ledger, when = ledger.history.len() >= count)]
    async fn note_after(&self, count: usize, name: &'static str) {
        ledger.history.push(name);
    }

    #[synchronized(ledger, timeout = Duration::from_secs(3600))]
    async fn note_in_time(&self, name: &'static str) -> Result<(), Elapsed> {
        ledger.history.push(name);
        Ok(())
    }

    #[synchronized(read(ledger))]
    async fn history(&self) -> Vec<&'static str> {
        ledger.history.clone()
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A section that waits, in a task of its own.
struct Waiting<'a> {
    section: Pin<Box<dyn Future<Output = ()> + 'a>>,
    woken: Arc<Woken>,
}

impl Waiting<'_> {
    fn poll(&mut self) -> Poll<()> {
        let waker = Waker::from(Arc::clone(&self.woken));
        self.section.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn is_woken(&self) -> bool {
        self.woken.0.swap(false, Ordering::Relaxed)
    }
}

#[track_caller]
fn waiting<'a>(section: impl Future<Output = ()> + 'a) -> Waiting<'a> {
    let mut waiting = Waiting {
        section: Box::pin(section),
        woken: Arc::default(),
    };
    assert!(waiting.poll().is_pending());
    waiting
}

/// Polls woken tasks, until none is woken. Removes tasks that have ended.
fn settle(sections: &mut Vec<Waiting<'_>>) {
    while let Some(at) = sections.iter().position(Waiting::is_woken) {
        if sections[at].poll().is_ready() {
            drop(sections.remove(at));
        }
    }
}

/// Three queued waiters: the first is dropped in the queue, the second when it is granted the lock.
fn two_of_three_are_dropped<'a>(account: &'a Account, wait: impl Fn(&'static str) -> Waiting<'a>) {
    let holder = account.acquire_ledger_blocking();
    let [first, second, mut third] = ["first", "second", "third"].map(wait);
    drop(first);
    drop(holder);
    assert!(second.is_woken() && !third.is_woken());
    drop(second);
    assert!(third.is_woken());
    assert!(third.poll().is_ready());
    assert_eq!(block_on(account.history()), ["third"]);
}

#[test]
fn a_section_that_waits_leaves_its_place_to_the_next() {
    let account = Account::default();
    two_of_three_are_dropped(&account, |name| waiting(account.note(name)));
}

#[test]
fn so_does_one_with_a_timeout() {
    let account = &Account::default();
    two_of_three_are_dropped(account, |name| {
        waiting(async move {
            account.note_in_time(name).await.expect("it is in time");
        })
    });
}

#[test]
fn those_whose_condition_is_true_are_served_in_order() {
    let account = Account::default();
    let mut sections = vec![
        waiting(account.note_after(2, "first")),
        waiting(account.note_after(1, "second")),
        waiting(account.note_after(1, "third")),
    ];
    block_on(account.note("begin"));
    settle(&mut sections);
    assert!(sections.is_empty());
    let expected = ["begin", "second", "first", "third"];
    assert_eq!(block_on(account.history()), expected);
}

#[test]
fn one_with_a_condition_leaves_its_place_to_the_next_whose_condition_is_true() {
    let account = Account::default();
    let mut sections = vec![
        waiting(account.note_after(1, "first")),
        waiting(account.note_after(2, "second")),
        waiting(account.note_after(1, "third")),
    ];
    block_on(account.note("begin"));
    assert!(sections[0].is_woken());
    drop(sections.remove(0));
    settle(&mut sections);
    assert!(sections.is_empty());
    let expected = ["begin", "third", "second"];
    assert_eq!(block_on(account.history()), expected);
}

#[test]
fn several_locks_are_released_where_one_is_waited_for() {
    let locks = &[Mutex::new(0), Mutex::new(0)];
    // In the order of their ids, not in that of the source.
    let both = || {
        waiting(async {
            with_lock!(second = locks[1], first = locks[0], {
                *first += 1;
                *second += 1;
            });
        })
    };
    let holder = locks[1].try_lock().expect("it is free");
    let one = both();
    assert!(locks[0].is_locked());
    let mut two = both();
    let mut alone = waiting(async { *locks[0].lock().await += 10 });

    // Each lock has its own queue.
    drop(one);
    assert!(two.is_woken() && !alone.is_woken());
    assert!(two.poll().is_pending());
    drop(two);
    assert!(alone.is_woken());
    assert!(alone.poll().is_ready());
    drop(holder);
    let [first, second] = [0, 1].map(|at| *locks[at].try_lock().expect("it is free"));
    assert_eq!((first, second), (10, 0));
}
