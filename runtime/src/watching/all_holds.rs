//! All that is held, for the list of a report, in builds with `debug_assertions`.
//!
//! A table of the process, by the ids of the locks: for a lock, a row for its one exclusive or
//! upgradable holder, and a row for all its readers, or holders of permits. It is written at each
//! acquisition and release, so other builds that watch do without it.
//!
//! # Invariants
//!
//! - **WH1** Whoever changes a row may be the user's allocator, or hold a lock of it: so nothing is
//!   allocated, and no user code runs. The table has a fixed size, and what does not fit is not
//!   listed.
//! - **WH2** Only the thread that has set the bit of a bucket touches its rows.
//! - **WH3** A row does not prove that the lock is there: if its guard was leaked, the lock may be
//!   gone.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::sync::OnceLock;
use std::thread;
use std::time::Instant;
use std::vec::Vec;

use super::{Acquisition, HolderCopy};
use crate::LockId;
use crate::watch::Mode;

const BUCKETS: usize = 512;
const ROWS: usize = 8;

/// The rows whose locks have one hash.
struct Bucket {
    /// A thread touches the rows (WH2).
    is_locked: AtomicBool,
    rows: UnsafeCell<[Row; ROWS]>,
}

// SAFETY: WH2.
unsafe impl Sync for Bucket {}

/// All zero while it is free, so that the table needs no place in the binary.
#[derive(Clone, Copy)]
struct Row {
    /// The address of the lock, or zero.
    lock: usize,
    has_one_holder: bool,
    is_upgradable: bool,
    /// How many readers, or permits.
    count: usize,
    /// Permits of a semaphore.
    is_of_permits: bool,
    /// The latest of them.
    holder: HolderCopy,
    /// If a section knows it.
    name: Option<&'static str>,
    type_name: Option<fn() -> &'static str>,
    /// Since the first row was written.
    since: Duration,
}

const FREE: Row = Row {
    lock: 0,
    has_one_holder: false,
    is_upgradable: false,
    count: 0,
    is_of_permits: false,
    holder: HolderCopy::NOBODY,
    name: None,
    type_name: None,
    since: Duration::ZERO,
};

static TABLE: [Bucket; BUCKETS] = [const {
    Bucket {
        is_locked: AtomicBool::new(false),
        rows: UnsafeCell::new([FREE; ROWS]),
    }
}; BUCKETS];

/// What is held.
pub(super) struct Hold {
    pub(super) lock: LockId,
    pub(super) mode: Mode,
    /// The latest, if there are several.
    pub(super) holder: HolderCopy,
    pub(super) name: Option<&'static str>,
    pub(super) type_name: fn() -> &'static str,
    pub(super) since: Duration,
}

impl Bucket {
    fn with<T>(&self, change: impl FnOnce(&mut [Row; ROWS]) -> T) -> T {
        // Acquire: pairs with the Release below.
        while self.is_locked.swap(true, Ordering::Acquire) {
            thread::yield_now();
        }
        // SAFETY: WH2; the callers' closures neither panic nor get here again (WH1).
        let result = change(unsafe { &mut *self.rows.get() });
        self.is_locked.store(false, Ordering::Release);
        result
    }
}

/// The bucket of a lock, and its address.
fn bucket_of(lock: LockId) -> Option<(&'static Bucket, usize)> {
    let address = lock.address()?;
    // Locks are aligned, and often in arrays.
    let hash = (address >> 3).wrapping_mul(0x9e37_79b9) >> 7;
    Some((&TABLE[hash % BUCKETS], address))
}

/// How many permits, or readers, an acquisition in that mode adds.
fn permits_of(mode: Mode) -> usize {
    match mode {
        Mode::Permits(permits) => permits,
        Mode::Exclusive | Mode::Upgradable | Mode::Upgrade | Mode::Shared => 1,
    }
}

fn find(rows: &mut [Row; ROWS], lock: usize, has_one_holder: bool) -> Option<&mut Row> {
    let mut rows = rows.iter_mut();
    rows.find(|row| row.lock == lock && row.has_one_holder == has_one_holder)
}

/// The lock has been acquired.
pub(super) fn acquired(acquired: impl FnOnce() -> (Acquisition, HolderCopy)) {
    // The checker knows the holders itself.
    if crate::checking::is_task() {
        return;
    }
    let (acquired, holder) = acquired();
    let Acquisition {
        lock,
        mode,
        type_name,
    } = acquired;
    let Some((bucket, address)) = bucket_of(lock) else {
        return;
    };
    let (has_one_holder, permits) = (mode.has_one_holder(), permits_of(mode));
    let since = since_the_first();
    bucket.with(|rows| {
        let others = if has_one_holder {
            0
        } else {
            find(rows, address, false).map_or(0, |row| row.count)
        };
        let index = rows
            .iter()
            .position(|row| row.lock == address && row.has_one_holder == has_one_holder)
            .or_else(|| rows.iter().position(|row| row.lock == 0));
        let Some(index) = index else {
            return;
        };
        rows[index] = Row {
            lock: address,
            has_one_holder,
            is_upgradable: mode == Mode::Upgradable,
            count: others.saturating_add(permits),
            is_of_permits: matches!(mode, Mode::Permits(_)),
            holder,
            // A row of others may have it.
            name: rows
                .iter()
                .find(|row| row.lock == address)
                .and_then(|row| row.name),
            type_name: Some(type_name),
            since,
        };
    });
}

/// The lock is about to be released.
pub(crate) fn released(held: impl FnOnce() -> (LockId, Mode)) {
    let (lock, mode) = held();
    let Some((bucket, address)) = bucket_of(lock) else {
        return;
    };
    bucket.with(|rows| {
        if let Some(row) = find(rows, address, mode.has_one_holder()) {
            row.count = row.count.saturating_sub(permits_of(mode));
            if row.count == 0 {
                *row = FREE;
            }
        }
    });
}

/// The one holder of the lock is about to hold it to read.
pub(crate) fn downgraded(lock: impl FnOnce() -> LockId) {
    let Some((bucket, address)) = bucket_of(lock()) else {
        return;
    };
    bucket.with(|rows| {
        let readers = find(rows, address, false).map_or(0, |readers| {
            let count = readers.count;
            *readers = FREE;
            count
        });
        if let Some(row) = find(rows, address, true) {
            row.has_one_holder = false;
            row.is_upgradable = false;
            row.count = readers.saturating_add(1);
        }
    });
}

/// The section that has just acquired the lock knows its name.
pub(super) fn named(lock: LockId, name: &'static str) {
    change_rows(lock, |row| row.name = Some(name));
}

/// The place where the sync lock has just been acquired is known now. It has one row, as its
/// holders exclude each other, or are all readers.
pub(super) fn corrected(held: impl FnOnce() -> (LockId, HolderCopy)) {
    let (lock, holder) = held();
    change_rows(lock, |row| row.holder = holder);
}

/// Changes the rows of a lock.
fn change_rows(lock: LockId, change: impl FnMut(&mut Row)) {
    if let Some((bucket, address)) = bucket_of(lock) {
        bucket.with(|rows| {
            rows.iter_mut()
                .filter(|row| row.lock == address)
                .for_each(change);
        });
    }
}

/// All that is held, except for what found no row.
pub(super) fn all() -> Vec<Hold> {
    let now = since_the_first();
    let mut holds = Vec::new();
    for bucket in &TABLE {
        // Not in the closure, as this allocates (WH1).
        let rows = bucket.with(|rows| *rows);
        let held = rows.iter().filter(|row| row.lock != 0);
        holds.extend(held.map(|row| Hold {
            lock: LockId::at(row.lock),
            mode: match row {
                Row {
                    is_of_permits: true,
                    ..
                } => Mode::Permits(row.count),
                Row {
                    is_upgradable: true,
                    ..
                } => Mode::Upgradable,
                Row {
                    has_one_holder: true,
                    ..
                } => Mode::Exclusive,
                Row { .. } => Mode::Shared,
            },
            holder: row.holder,
            name: row.name,
            type_name: row.type_name.unwrap_or(|| "a lock"),
            since: now.saturating_sub(row.since),
        }));
    }
    holds
}

fn since_the_first() -> Duration {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
}
