//! Watching: locks that are held for long.

mod watched;

use std::thread;
use std::time::Duration;

use async_monitor::watch::{self, Kind, Report};
use async_monitor::{Guarded, Lock, Mutex, synchronized};
use watched::{one, pause, poll, reported, waiting};

const LIMIT: Duration = Duration::from_millis(100);

fn watching() {
    watched::watching(Duration::from_secs(3600));
    watch::set_long_hold(LIMIT);
}

macro_rules! account {
    ($name:ident) => {
        #[derive(Guarded, Default)]
        struct $name {
            ledger: Lock,
            #[guarded_by(ledger)]
            balance: Guarded<i64>,
        }

        #[allow(dead_code)]
        impl $name {
            #[synchronized(ledger)]
            async fn deposit(&self) {
                *ledger.balance += 1;
            }

            #[synchronized(ledger)]
            async fn deposit_slowly(&self) {
                *ledger.balance += 1;
                pause().await;
                pause().await;
            }
        }
    };
}

fn long_holds(is_meant: impl Fn(&Report) -> bool) -> Vec<Report> {
    reported(|report| report.kind == Kind::LongHold && is_meant(report))
}

#[test]
fn a_guard_that_others_wait_for() {
    watching();
    let mutex = Mutex::new(0);
    let guard = mutex.try_lock();
    let line = line!() - 1;
    let waits = waiting(mutex.lock());
    let by_line = |report: &Report| {
        let mut places = report.waits.iter().filter_map(|wait| wait.last_acquired);
        places.any(|place| place.line() == line)
    };
    let reports = long_holds(by_line);
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].waits.len(), 1);
    thread::sleep(LIMIT * 3);
    assert_eq!(long_holds(by_line).len(), 1, "once");
    drop((guard, waits));
}

#[test]
fn a_section_that_others_wait_for() {
    account!(Waited);
    watching();
    let account = Waited::default();
    let mut slow = waiting(account.deposit_slowly());
    let waits = waiting(account.deposit());
    let report = one(Kind::LongHold, "Waited.ledger");
    assert_eq!(report.held.len(), 1, "{report}");
    let section = report.held[0].section.expect("it is one");
    assert_eq!(section.name, "deposit_slowly");
    assert!(report.held[0].since >= LIMIT);
    // Whichever was reported first, the section or the queue.
    assert_eq!(report.waits.len(), 1, "{report}");
    // Polls do not end it.
    assert!(poll(&mut slow).is_pending());
    thread::sleep(LIMIT * 3);
    one(Kind::LongHold, "Waited.ledger");
    drop(waits);
}

#[test]
fn a_section_that_nobody_waits_for() {
    account!(Alone);
    watching();
    let account = Alone::default();
    let slow = waiting(account.deposit_slowly());
    let report = one(Kind::LongHold, "Alone.ledger");
    assert!(report.waits.is_empty());
    drop(slow);
}

/// Tasks hold it one after the other, each for a moment.
#[test]
fn a_line_that_moves() {
    watching();
    let mutex = Mutex::new(0);
    let mut guard = mutex.try_lock();
    let mut line = Vec::new();
    for _ in 0..20 {
        line.push(waiting(mutex.lock()));
    }
    let last = line!() - 2;
    for mut next in line {
        thread::sleep(LIMIT / 4);
        drop(guard.take());
        let watched::Ready(next) = watched::Ready::of(&mut next);
        guard = Some(next);
    }
    let reports = watched::reports();
    let is_it = |report: &&Report| {
        let mut places = report.waits.iter().map(|wait| wait.place);
        report.kind == Kind::LongHold && places.any(|place| place.line() == last)
    };
    assert_eq!(reports.iter().filter(is_it).count(), 0);
}
