//! Watching: what is reported of sections that wait for each other.

mod watched;

use std::collections::BTreeSet;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use async_monitor::watch::{self, Kind, Mode, Report, Resource};
use async_monitor::{Guarded, Lock, RwLock, synchronized, with_lock};
use futures::future;
use watched::{one, pause, poll, reported, reports, waiting};

const THRESHOLD: Duration = Duration::from_millis(40);

fn watching() {
    watched::watching(THRESHOLD);
}

/// The one report of a deadlock that is about a lock of that struct.
#[track_caller]
fn deadlock_of(name: &str) -> Report {
    one(Kind::Deadlock, name)
}

/// Nothing is reported of the struct for some time.
fn nothing_of(name: &str) {
    thread::sleep(THRESHOLD * 5);
    let reports = reports();
    let about = |report: &&Report| report.waits.iter().any(|wait| wait.name.starts_with(name));
    assert_eq!(reports.iter().filter(about).count(), 0, "{reports:#?}");
    assert_eq!(cycles_of(name), [0; 0]);
}

/// The cycles in which who waits for a lock of the struct is now, of those that wait in one.
fn cycles_of(name: &str) -> Vec<usize> {
    let waits = watch::report().waits.into_iter();
    let about = waits.filter(|wait| wait.name.starts_with(name));
    about.filter_map(|wait| wait.circle).collect()
}

/// Structs with the same methods and names of their own, by which reports are told apart.
macro_rules! pair {
    ($name:ident) => {
        #[derive(Guarded, Default)]
        struct $name {
            left: Lock,
            #[guarded_by(left)]
            from: Guarded<i64>,
            right: Lock,
            #[guarded_by(right)]
            to: Guarded<i64>,
        }

        #[allow(dead_code)]
        impl $name {
            #[synchronized(left)]
            async fn left_first(&self) {
                *left.from += 1;
                pause().await;
                self.only_right().await;
            }

            #[synchronized(right)]
            async fn right_first(&self) {
                *right.to += 1;
                pause().await;
                self.only_left().await;
            }

            #[synchronized(left)]
            async fn only_left(&self) {
                *left.from += 1;
            }

            #[synchronized(right)]
            async fn only_right(&self) {
                *right.to += 1;
            }

            #[synchronized(left)]
            async fn left_of_both(&self, other: &$name) {
                *left.from += 1;
                pause().await;
                other.only_left().await;
            }

            #[synchronized(left, when = *left.from > 5)]
            async fn at_least_five(&self) {}
        }
    };
}

#[test]
fn two_methods_in_opposite_orders() {
    pair!(TwoMethods);
    watching();
    let pair = TwoMethods::default();
    let (mut one, mut two) = (waiting(pair.left_first()), waiting(pair.right_first()));
    assert!(poll(&mut one).is_pending());
    assert!(poll(&mut two).is_pending());

    let report = deadlock_of("TwoMethods");
    let mut waits = report.waits.clone();
    waits.sort_by_key(|wait| wait.name.clone());
    let [left, right] = waits.as_slice() else {
        panic!("{report}");
    };
    assert_eq!(
        (left.name.as_str(), right.name.as_str()),
        ("TwoMethods.left", "TwoMethods.right")
    );
    let section = |wait: &watch::Wait| wait.section.expect("it is a section").name;
    assert_eq!((section(left), section(right)), ("only_left", "only_right"));
    let [holds] = left.holding.as_slice() else {
        panic!("{report}");
    };
    assert_eq!(
        (holds.lock.as_str(), holds.section.expect("it is one").name),
        ("TwoMethods.right", "right_first")
    );
    assert!(left.since >= THRESHOLD && !left.granted);
    let text = report.to_string();
    assert!(
        text.contains("`only_left` (tests/watch_reports.rs:"),
        "{text}"
    );
    assert!(
        text.contains("while it holds `TwoMethods.right`, acquired by `right_first` (tests/"),
        "{text}"
    );

    // By the section that holds it, not by what that stands on.
    assert_eq!(left.last_acquired.expect("it was").file(), file!());

    // Once, however long it lasts; and it can be asked for.
    thread::sleep(THRESHOLD * 4);
    deadlock_of("TwoMethods");
    let cycles = cycles_of("TwoMethods");
    assert!(cycles.len() == 2 && cycles[0] == cycles[1], "{cycles:?}");
    drop(one);
    assert!(poll(&mut two).is_ready());
    assert_eq!(cycles_of("TwoMethods"), [0; 0]);
}

/// They know the types of the locks, and the sections that hold those the names.
#[test]
fn requests_by_hand_within_sections() {
    #[derive(Guarded, Default)]
    struct ByHand {
        left: Lock,
        #[guarded_by(left)]
        from: Guarded<i64>,
        right: Lock,
        #[guarded_by(right)]
        to: Guarded<i64>,
    }

    impl ByHand {
        #[synchronized(left)]
        async fn left_first(&self) {
            *left.from += 1;
            pause().await;
            drop(self.right.acquire().await);
        }

        #[synchronized(right)]
        async fn right_first(&self) {
            *right.to += 1;
            pause().await;
            drop(self.left.acquire().await);
        }
    }

    watching();
    let pair = ByHand::default();
    let (mut one, mut two) = (waiting(pair.left_first()), waiting(pair.right_first()));
    assert!(poll(&mut one).is_pending());
    assert!(poll(&mut two).is_pending());
    let report = deadlock_of("ByHand");
    let names: BTreeSet<_> = report.waits.iter().map(|wait| wait.name.as_str()).collect();
    assert!(
        names.into_iter().eq(["ByHand.left", "ByHand.right"]),
        "{report}"
    );
}

#[test]
fn two_instances_in_opposite_orders() {
    pair!(TwoInstances);
    watching();
    let (a, b) = (TwoInstances::default(), TwoInstances::default());
    let (mut one, mut two) = (waiting(a.left_of_both(&b)), waiting(b.left_of_both(&a)));
    assert!(poll(&mut one).is_pending() && poll(&mut two).is_pending());
    assert_eq!(deadlock_of("TwoInstances").waits.len(), 2);
}

#[test]
fn three_in_a_cycle() {
    pair!(Three);
    watching();
    let locks = [Three::default(), Three::default(), Three::default()];
    let mut sections: Vec<_> = (0..3)
        .map(|index| waiting(locks[index].left_of_both(&locks[(index + 1) % 3])))
        .collect();
    assert!(
        sections
            .iter_mut()
            .all(|section| poll(section).is_pending())
    );
    assert_eq!(deadlock_of("Three").waits.len(), 3);
}

#[test]
fn blocks_within_blocks() {
    pair!(Blocks);
    watching();
    let pair = Blocks::default();
    let (one, two) = (
        async {
            with_lock!(pair.left, {
                *left.from += 1;
                pause().await;
                with_lock!(pair.right, { *right.to += 1 });
            })
        },
        async {
            with_lock!(pair.right, {
                pause().await;
                if *right.to == 0 {
                    with_lock!(pair.left, {
                        *left.from += 1;
                        pause().await;
                    });
                }
            })
        },
    );
    let (mut one, mut two) = (waiting(one), waiting(two));
    assert!(poll(&mut one).is_pending() && poll(&mut two).is_pending());
    let report = deadlock_of("Blocks");
    assert_eq!(report.waits.len(), 2);
    assert!(
        report.waits.iter().all(|wait| wait.holding.len() == 1),
        "{report}"
    );
}

#[test]
fn a_reader_behind_a_writer_that_waits_for_it() {
    #[derive(Guarded, Default)]
    struct Readers {
        #[lock(rw)]
        log: RwLock<()>,
        #[guarded_by(log)]
        lines: Guarded<usize>,
    }

    impl Readers {
        #[synchronized(read(log))]
        async fn reads_twice(&self) -> usize {
            pause().await;
            *log.lines + self.reads().await
        }

        #[synchronized(read(log))]
        async fn reads(&self) -> usize {
            *log.lines
        }

        #[synchronized(log)]
        async fn writes(&self) {
            *log.lines += 1;
        }
    }

    watching();
    let readers = Readers::default();
    let mut reader = waiting(readers.reads_twice());
    let writer = waiting(readers.writes());
    assert!(poll(&mut reader).is_pending());
    let report = deadlock_of("Readers");
    assert_eq!(report.waits[0].mode, Mode::Shared, "{report}");
    drop(writer);
    assert!(poll(&mut reader).is_ready());
}

#[test]
fn a_grant_that_nobody_picks_up() {
    pair!(Unpolled);
    watching();
    let pair = Unpolled::default();
    let held = pair.try_acquire_left().expect("it is free");
    let waits = waiting(pair.only_left());
    drop(held);
    let reports =
        reported(|report| report.kind == Kind::Unpolled && report.waits[0].name == "Unpolled.left");
    assert_eq!(reports.len(), 1);
    let wait = &reports[0].waits[0];
    assert!(wait.granted);
    assert!(
        reports[0].to_string().contains("has not been polled since"),
        "{}",
        reports[0]
    );
    drop(waits);
}

#[test]
fn what_is_waited_for_is_listed() {
    pair!(Listed);
    watching();
    let pair = Listed::default();
    let mut holder = waiting(pair.left_first());
    let waits = waiting(pair.only_left());
    let report = watch::report();
    let of_us = report
        .waits
        .iter()
        .filter(|wait| wait.name == "Listed.left");
    assert_eq!(of_us.count(), 1);
    let held: Vec<_> = report
        .held
        .iter()
        .filter(|held| held.lock == "Listed.left")
        .collect();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].section.expect("it is one").name, "left_first");
    drop(waits);
    assert!(poll(&mut holder).is_ready());
    let report = watch::report();
    assert!(
        !report
            .waits
            .iter()
            .any(|wait| wait.name.starts_with("Listed")),
        "{report}"
    );
    assert!(
        !report
            .held
            .iter()
            .any(|held| held.lock.starts_with("Listed")),
        "{report}"
    );
}

#[test]
fn a_condition_is_listed() {
    pair!(Conditional);
    watching();
    let pair = Conditional::default();
    let waits = waiting(pair.at_least_five());
    let report = watch::report();
    let wait = report
        .waits
        .iter()
        .find(|wait| wait.name == "Conditional.left");
    let wait = wait.expect("it waits");
    assert_eq!(wait.resource, Resource::When);
    assert_eq!(
        wait.section.expect("it is a section").condition,
        "*left.from > 5"
    );
    assert!(
        wait.to_string()
            .contains("for `*left.from > 5` of `Conditional.left`"),
        "{wait}"
    );
    drop(waits);
    nothing_of("Conditional");
}

#[test]
fn long_waits_are_no_deadlocks() {
    pair!(Patient);
    watching();
    let (a, b) = (Patient::default(), Patient::default());
    let held = a.try_acquire_left().expect("it is free");
    let (mut one, two) = (waiting(b.left_of_both(&a)), waiting(a.only_left()));
    assert!(poll(&mut one).is_pending());
    nothing_of("Patient");
    drop((held, two));
}

/// The one that waits has left the section in which it began to wait.
#[test]
fn a_wait_that_was_moved_out_of_its_section_is_none_of_it() {
    pair!(Moved);
    watching();
    let pair = Moved::default();
    let mut other = waiting(pair.right_first());
    let mut moved = Box::pin(pair.only_right());
    let mut section = Box::pin(async {
        with_lock!(pair.left, {
            *left.from += 1;
            let polled = future::poll_fn(|cx| Poll::Ready(moved.as_mut().poll(cx))).await;
            assert!(polled.is_pending());
            // It holds `left`, and waits for something else.
            pause().await;
            pause().await;
        })
    });
    assert!(poll(&mut section).is_pending());
    assert!(poll(&mut other).is_pending());
    assert!(poll(&mut section).is_pending());
    nothing_of("Moved");
    assert!(poll(&mut section).is_ready());
    assert!(poll(&mut other).is_ready());
}
