//! Watching: lock orders, reported before anything hangs.

mod watched;

use std::thread;
use std::time::Duration;

use async_monitor::watch::{Kind, Mode};
use async_monitor::{Guarded, Lock, RwLock, synchronized, with_lock};
use futures::executor::block_on;
use futures::{FutureExt, join};
use watched::{none, one, pause};

fn watching() {
    watched::watching(Duration::from_secs(3600));
}

fn a_while() {
    thread::sleep(Duration::from_millis(100));
}

macro_rules! pair {
    ($name:ident) => {
        #[derive(Guarded, Default)]
        #[allow(dead_code)]
        struct $name {
            left: Lock,
            #[guarded_by(left)]
            from: Guarded<i64>,
            right: Lock,
            #[guarded_by(right)]
            to: Guarded<i64>,
            #[lock(rw)]
            gate: RwLock<()>,
            #[guarded_by(gate)]
            passed: Guarded<usize>,
            #[lock(rw)]
            log: RwLock<()>,
            #[guarded_by(log)]
            lines: Guarded<usize>,
        }

        #[allow(dead_code)]
        impl $name {
            #[synchronized(left)]
            async fn left(&self) {
                *left.from += 1;
            }

            #[synchronized(right)]
            async fn right(&self) {
                *right.to += 1;
            }

            #[synchronized(left)]
            async fn left_first(&self) {
                *left.from += 1;
                self.right().await;
            }

            #[synchronized(right)]
            async fn right_first(&self) {
                *right.to += 1;
                self.left().await;
            }

            #[synchronized(read(log))]
            async fn read(&self) -> usize {
                *log.lines
            }

            #[synchronized(read(gate))]
            async fn pass(&self) -> usize {
                *gate.passed
            }

            #[synchronized(log)]
            async fn write(&self) {
                *log.lines += 1;
            }
        }
    };
}

#[test]
fn opposite_orders_are_reported_once_with_four_places() {
    pair!(Opposite);
    watching();
    let pair = Opposite::default();
    block_on(pair.left_first());
    a_while();
    none(Kind::OrderInversion, "Opposite");
    // Another instance.
    block_on(Opposite::default().right_first());
    let report = one(Kind::OrderInversion, "Opposite");
    let names: Vec<_> = report
        .orders
        .iter()
        .map(|order| {
            let (first, then) = (&order.first, &order.then);
            [first.lock, first.section.name, then.lock, then.section.name]
        })
        .collect();
    let expected = [
        ["Opposite.left", "left_first", "Opposite.right", "right"],
        ["Opposite.right", "right_first", "Opposite.left", "left"],
    ];
    assert_eq!(names, expected);
    let text = report.to_string();
    assert!(
        text.contains("`Opposite.right`, by `right` (tests/watch_orders.rs:"),
        "{text}"
    );
    assert!(
        text.contains("within `Opposite.left`, by `left_first` (tests/"),
        "{text}"
    );

    block_on(pair.right_first());
    block_on(pair.left_first());
    a_while();
    one(Kind::OrderInversion, "Opposite");
}

#[test]
fn threads_that_block() {
    #[derive(Guarded, Default)]
    struct Blocking {
        left: Lock,
        #[guarded_by(left)]
        from: Guarded<i64>,
        #[lock(sync)]
        right: async_monitor::sync::Lock,
        #[guarded_by(right)]
        to: Guarded<i64>,
    }

    impl Blocking {
        #[synchronized(left, blocking)]
        fn left_first(&self) {
            *left.from += 1;
            self.right();
        }

        #[synchronized(right)]
        fn right_first(&self) {
            *right.to += 1;
            self.left();
        }

        #[synchronized(left, blocking)]
        fn left(&self) {
            *left.from += 1;
        }

        #[synchronized(right)]
        fn right(&self) {
            *right.to += 1;
        }
    }

    watching();
    let both = Blocking::default();
    both.left_first();
    both.right_first();
    one(Kind::OrderInversion, "Blocking");
}

/// No two of them are opposite.
#[test]
fn a_cycle_of_three() {
    pair!(Three);
    watching();
    let three = Three::default();
    block_on(async {
        three.left_first().await;
        with_lock!(three.right, {
            *right.to += 1;
            three.write().await;
        });
    });
    a_while();
    none(Kind::OrderInversion, "Three");
    let last = || async {
        with_lock!(three.log, {
            *log.lines += 1;
            three.left().await;
        });
    };
    block_on(last());
    let report = one(Kind::OrderInversion, "Three");
    let names = report.orders.iter();
    let names = names.map(|order| [order.first.lock, order.then.lock]);
    let expected = [
        ["Three.left", "Three.right"],
        ["Three.right", "Three.log"],
        ["Three.log", "Three.left"],
    ];
    assert!(names.eq(expected), "{report}");
    let text = report.to_string();
    assert!(
        text.contains("3 locks are acquired in orders that form a cycle"),
        "{text}"
    );
    block_on(last());
    a_while();
    one(Kind::OrderInversion, "Three");
}

#[test]
fn one_after_the_other_is_no_order() {
    pair!(After);
    watching();
    let pair = After::default();
    block_on(async {
        pair.left_first().await;
        pair.right().await;
        pair.left().await;
        join!(pair.right(), pair.left());
        with_lock!(pair.right, { *right.to += 1 });
        pair.left().await;
    });
    a_while();
    none(Kind::OrderInversion, "After");
}

/// Branches of a `join!`, tasks and other executors are not in each other's sections.
#[test]
fn siblings_are_no_order() {
    pair!(Siblings);
    watching();
    let pair = Siblings::default();
    block_on(async {
        pair.left_first().await;
        let long = async {
            with_lock!(pair.right, {
                *right.to += 1;
                pause().await;
            })
        };
        let mut long = Box::pin(long);
        assert!((&mut long).now_or_never().is_none());
        pair.left().await;
    });
    a_while();
    none(Kind::OrderInversion, "Siblings");
}

#[test]
fn instances_of_one_class_are_no_order() {
    #[derive(Guarded, Default)]
    struct Tree {
        lock: Lock,
        #[guarded_by(lock)]
        depth: Guarded<usize>,
    }

    impl Tree {
        #[synchronized(lock)]
        async fn visit(&self, other: &Tree) {
            *lock.depth += 1;
            other.touch().await;
        }

        #[synchronized(lock)]
        async fn touch(&self) {
            *lock.depth += 1;
        }
    }

    watching();
    let trees = [Tree::default(), Tree::default()];
    block_on(trees[0].visit(&trees[1]));
    block_on(trees[1].visit(&trees[0]));
    block_on(async {
        with_lock!(a = trees[1].lock, b = trees[0].lock, {
            *a.depth += *b.depth;
        })
    });
    a_while();
    none(Kind::OrderInversion, "Tree");
}

#[test]
fn locks_of_one_section_are_no_order() {
    pair!(Together);
    watching();
    let (a, b) = (Together::default(), Together::default());
    block_on(async {
        with_lock!(left = a.left, right = b.right, { *left.from += *right.to });
        with_lock!(left = b.left, right = a.right, { *left.from += *right.to });
    });
    a_while();
    none(Kind::OrderInversion, "Together");
}

#[test]
fn a_common_outer_lock_keeps_them_apart() {
    pair!(Gated);
    watching();
    let pair = Gated::default();
    block_on(async {
        with_lock!(pair.gate, {
            *gate.passed += 1;
            pair.left_first().await;
        });
        with_lock!(pair.gate, {
            *gate.passed += 1;
            pair.right_first().await;
        });
    });
    a_while();
    none(Kind::OrderInversion, "Gated");
    // Once without, they may meet.
    block_on(pair.left_first());
    one(Kind::OrderInversion, "Gated");
}

#[test]
fn a_gate_that_both_read_does_not() {
    pair!(Open);
    watching();
    let pair = Open::default();
    block_on(async {
        with_lock!(read(pair.gate), {
            let _: &usize = gate.passed;
            pair.left_first().await;
        });
        with_lock!(read(pair.gate), {
            let _: &usize = gate.passed;
            pair.right_first().await;
        });
    });
    one(Kind::OrderInversion, "Open");
}

#[test]
fn readers_do_not_exclude_each_other() {
    pair!(Reads);
    watching();
    let pair = Reads::default();
    block_on(async {
        with_lock!(read(pair.gate), {
            let _: &usize = gate.passed;
            pair.read().await;
        });
        with_lock!(read(pair.log), {
            let _: &usize = log.lines;
            pair.pass().await;
        });
    });
    a_while();
    none(Kind::OrderInversion, "Reads");
    // A writer of each is needed.
    block_on(async {
        with_lock!(read(pair.gate), {
            let _: &usize = gate.passed;
            pair.write().await;
        });
    });
    a_while();
    none(Kind::OrderInversion, "Reads");
    block_on(async {
        with_lock!(read(pair.log), {
            let _: &usize = log.lines;
            with_lock!(pair.gate, { *gate.passed += 1 });
        });
    });
    let report = one(Kind::OrderInversion, "Reads");
    assert!(
        report
            .orders
            .iter()
            .all(|order| order.first.mode == Mode::Shared)
    );
}

#[test]
fn what_does_not_wait_is_no_order() {
    pair!(Tries);
    watching();
    let pair = Tries::default();
    block_on(async {
        pair.left_first().await;
        with_lock!(pair.right, {
            *right.to += 1;
            assert!(pair.try_acquire_left().is_some());
        });
    });
    a_while();
    none(Kind::OrderInversion, "Tries");
}

/// Two structs with the same name.
#[test]
fn classes_of_the_same_name_are_told_apart() {
    fn first() {
        pair!(Namesake);
        block_on(Namesake::default().left_first());
    }

    fn second() {
        pair!(Namesake);
        block_on(Namesake::default().right_first());
    }

    watching();
    first();
    second();
    a_while();
    none(Kind::OrderInversion, "Namesake");
}
