//! Watching: a cycle that nothing can break is reported when it closes, and no other.

mod watched;

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use async_monitor::watch::Kind;
use async_monitor::{Guarded, Lock, sync, synchronized};
use watched::{none, one, pause, poll, waiting};

/// Nothing is old enough in this test.
const NEVER: Duration = Duration::from_secs(3600);

macro_rules! pair {
    ($name:ident) => {
        #[derive(Guarded, Default)]
        #[allow(dead_code)]
        struct $name {
            left: Lock,
            #[guarded_by(left)]
            from: Guarded<i64>,
            #[lock(sync)]
            state: sync::Lock,
            #[guarded_by(state)]
            open: Guarded<bool>,
        }

        #[allow(dead_code)]
        impl $name {
            #[synchronized(left, blocking)]
            fn left_first(&self, meet: impl Fn()) {
                *left.from += 1;
                meet();
                self.opens();
            }

            #[synchronized(state)]
            fn state_first(&self, meet: impl Fn()) {
                *state.open = true;
                meet();
                self.pays();
            }

            #[synchronized(state)]
            fn opens(&self) {
                *state.open = true;
            }

            #[synchronized(left, blocking)]
            fn pays(&self) {
                *left.from += 1;
            }

            #[synchronized(left, blocking, timeout = NEVER)]
            fn pays_in_time(&self) -> Result<(), async_monitor::Elapsed> {
                *left.from += 1;
                Ok(())
            }

            #[synchronized(state)]
            fn state_first_with_a_timeout(&self, meet: impl Fn()) {
                *state.open = true;
                meet();
                let _ = self.pays_in_time();
            }

            #[synchronized(left)]
            async fn pays_and_waits(&self, other: &Self) {
                *left.from += 1;
                pause().await;
                other.pays_later().await;
            }

            #[synchronized(left)]
            async fn pays_later(&self) {
                *left.from += 1;
            }
        }
    };
}

fn meet() -> &'static Barrier {
    Box::leak(Box::new(Barrier::new(2)))
}

#[test]
fn threads_in_a_cycle_are_reported_when_it_closes() {
    pair!(Certain);
    watched::watching(NEVER);
    let both: &'static Certain = Box::leak(Box::default());
    let barrier = meet();
    let meet = move || {
        barrier.wait();
    };
    let begin = Instant::now();
    thread::spawn(move || both.left_first(meet));
    thread::spawn(move || both.state_first(meet));
    let report = one(Kind::Deadlock, "Certain");
    assert_eq!(report.waits.len(), 2, "{report}");
    assert!(
        begin.elapsed() < Duration::from_secs(5),
        "{:?}",
        begin.elapsed()
    );
    assert!(report.waits.iter().all(|wait| wait.since < NEVER));
}

#[test]
fn a_timeout_could_break_it() {
    pair!(Limited);
    watched::watching(NEVER);
    let both: &'static Limited = Box::leak(Box::default());
    let barrier = meet();
    let meet = move || {
        barrier.wait();
    };
    thread::spawn(move || both.left_first(meet));
    thread::spawn(move || both.state_first_with_a_timeout(meet));
    thread::sleep(Duration::from_millis(300));
    none(Kind::Deadlock, "Limited");
}

#[test]
fn tasks_could_be_dropped() {
    pair!(Tasks);
    watched::watching(NEVER);
    let (a, b) = (Tasks::default(), Tasks::default());
    let (mut one, mut two) = (waiting(a.pays_and_waits(&b)), waiting(b.pays_and_waits(&a)));
    assert!(poll(&mut one).is_pending() && poll(&mut two).is_pending());
    thread::sleep(Duration::from_millis(300));
    none(Kind::Deadlock, "Tasks");
}
