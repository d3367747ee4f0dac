//! What is measured.

mod broadcast;
mod cancel;
mod conditions;
mod hand_off;
mod notation;
mod ready;
mod sizes;
mod threads;

pub(crate) use self::sizes::sizes;

pub(crate) const OURS: &str = "async-monitor";
pub(crate) const TOKIO: &str = "tokio";
pub(crate) const ASYNC_LOCK: &str = "async-lock";
pub(crate) const FUTURES: &str = "futures";
pub(crate) const INTRUSIVE: &str = "futures-intrusive";
pub(crate) const MAITAKE: &str = "maitake-sync";
pub(crate) const ASYNCBAND: &str = "asyncband";
pub(crate) const STD: &str = "std";
pub(crate) const PARKING_LOT: &str = "parking_lot";
pub(crate) const LIMIT: &str = "limit";

/// The locks beneath those of `sync`.
#[cfg(feature = "parking_lot")]
use parking_lot as bare;
#[cfg(not(feature = "parking_lot"))]
use std::sync as bare;

/// What the limit of a sync lock is.
const BENEATH: &str = "the lock beneath";

/// The columns of the table.
pub(crate) const COLUMNS: &[&str] = &[
    OURS,
    TOKIO,
    ASYNC_LOCK,
    FUTURES,
    INTRUSIVE,
    MAITAKE,
    ASYNCBAND,
    STD,
    PARKING_LOT,
    LIMIT,
];

/// By which clock a workload is timed.
#[derive(Clone, Copy)]
pub(crate) enum Clock {
    /// The time that this thread had a processor.
    Thread,
    /// The time that has passed.
    Wall,
}

/// One contender of a workload.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// Performs so many operations. Where several do so together, it returns how
    /// many the luckiest had for each one of the unluckiest.
    pub(crate) run: Box<dyn FnMut(u64) -> Option<f64>>,
}

impl Row {
    /// Repeats an operation.
    fn repeat(name: &'static str, mut operation: impl FnMut() + 'static) -> Self {
        Row::new(name, move |operations| {
            for _ in 0..operations {
                operation();
            }
        })
    }

    fn new(name: &'static str, mut run: impl FnMut(u64) + 'static) -> Self {
        let run = move |operations| {
            run(operations);
            None
        };
        Row {
            name,
            run: Box::new(run),
        }
    }
}

pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) clock: Clock,
    /// What the column of the limit is.
    pub(crate) limit: &'static str,
    /// How many times the limit we may take.
    pub(crate) target: Option<f64>,
    pub(crate) rows: Vec<Row>,
}

pub(crate) fn all() -> Vec<Workload> {
    let mut all = ready::workloads();
    all.extend(notation::workloads());
    all.extend(conditions::workloads());
    all.extend([2, 16, 1000].map(hand_off::workload));
    all.push(hand_off::local(16));
    all.push(hand_off::locked(16));
    all.push(broadcast::workload(1000));
    all.extend([1, 1000].map(cancel::workload));
    all.extend(threads::workloads());
    all
}

/// For locks that futures refer to: there are few of them, and they stay.
fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}
