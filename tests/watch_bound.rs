//! Watching: more orders than are remembered.

mod watched;

use std::time::Duration;

use async_monitor::watch::Kind;
use async_monitor::{Guarded, Lock, synchronized};
use watched::reported;

/// A class for each number.
#[derive(Guarded, Default)]
struct Numbered<const N: usize> {
    lock: Lock,
    #[guarded_by(lock)]
    visits: Guarded<usize>,
}

trait Visit {
    fn visit(&self, then: Option<&dyn Visit>);
}

impl<const N: usize> Visit for Numbered<N> {
    #[synchronized(lock, blocking)]
    fn visit(&self, then: Option<&dyn Visit>) {
        *lock.visits += 1;
        if let Some(then) = then {
            then.visit(None);
        }
    }
}

macro_rules! all {
    ($($number:literal)*) => { [$(&Numbered::<$number>::default() as &dyn Visit),*] };
}

#[test]
fn that_the_bound_is_met_is_said_once() {
    watched::watching(Duration::from_secs(3600));
    let all = all!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95);
    for _ in 0..2 {
        for (index, first) in all.iter().enumerate() {
            for then in &all[index + 1..] {
                first.visit(Some(*then));
            }
        }
    }
    let full = || reported(|report| report.kind == Kind::OrdersFull);
    assert_eq!(full().len(), 1);
    // What was remembered is.
    all[1].visit(Some(all[0]));
    let inversions = reported(|report| report.kind == Kind::OrderInversion);
    assert_eq!(inversions.len(), 1);
    assert_eq!(full().len(), 1);
}
