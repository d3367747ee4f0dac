//! Locks that live outside of this process, such as a row in a database.
//!
//! All handles to such a lock have the same id, a key. Its name and its last known holder are kept
//! under that id for as long as there is a handle.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::collections::BTreeMap;
use std::string::String;
use std::sync::Arc;

use super::ask::Ask;
use super::foreign::{Foreign, foreign};
use super::registry;
use super::waiting::Busy;
use crate::LockId;
use crate::watch::{Mode, Resource};

/// The record of a lock that lives elsewhere.
struct ElsewhereRecord {
    handles: usize,
    instance: Arc<str>,
    holder: Option<Arc<str>>,
}

/// The locks that live elsewhere, by their ids.
pub(super) struct Table(BTreeMap<LockId, ElsewhereRecord>);

impl Table {
    pub(super) const fn new() -> Self {
        Table(BTreeMap::new())
    }

    /// Which instance it is, of the locks with its name.
    pub(super) fn instance(&self, lock: LockId) -> Option<String> {
        Some((*self.0.get(&lock)?.instance).into())
    }

    /// Its last known holder.
    pub(super) fn holder(&self, lock: LockId) -> Option<String> {
        Some((**self.0.get(&lock)?.holder.as_ref()?).into())
    }

    pub(super) fn add(&mut self, lock: LockId, instance: Arc<str>) {
        let record = self.0.entry(lock).or_insert(ElsewhereRecord {
            handles: 0,
            instance,
            holder: None,
        });
        record.handles += 1;
    }

    pub(super) fn remove(&mut self, lock: LockId) {
        if let Some(record) = self.0.get_mut(&lock) {
            record.handles -= 1;
            if record.handles == 0 {
                self.0.remove(&lock);
            }
        }
    }

    pub(super) fn set_holder(&mut self, lock: LockId, holder: Arc<str>) {
        if let Some(record) = self.0.get_mut(&lock) {
            record.holder = Some(holder);
        }
    }
}

/// A handle to a lock that lives elsewhere.
pub struct Elsewhere {
    id: LockId,
}

impl Elsewhere {
    /// A handle to the lock with that id; reports show the instance.
    pub fn new(known: impl FnOnce() -> (LockId, String)) -> Self {
        let (id, instance) = known();
        registry::elsewhere(|table| table.add(id, instance.into()));
        Elsewhere { id }
    }

    /// The id.
    pub fn id(&self) -> Option<LockId> {
        Some(self.id)
    }

    /// Records its holder.
    pub fn held_by(&self, holder: impl FnOnce() -> String) {
        let holder = holder().into();
        registry::elsewhere(|table| table.set_holder(self.id, holder));
    }

    /// Wraps the future that acquires it: in reports it waits for this lock, of that type, and for
    /// nothing else.
    #[track_caller]
    pub fn acquiring<F: Future>(
        &self,
        future: F,
        type_name: fn() -> &'static str,
    ) -> Foreign<Unwatched<F>> {
        foreign(unwatched(future), || Ask {
            resource: Resource::Lock,
            lock: self.id,
            mode: Mode::Exclusive,
            type_name,
            holder: None,
            held: None,
            permits: None,
            relocks: None,
        })
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        registry::elsewhere(|table| table.remove(self.id));
    }
}

impl fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Elsewhere").field(&self.id).finish()
    }
}

/// A future whose inner waits are in no report.
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited"]
pub struct Unwatched<F>(F);

/// Wraps a future so that its inner waits are in no report.
pub fn unwatched<F: Future>(future: F) -> Unwatched<F> {
    Unwatched(future)
}

impl<F: Future> Future for Unwatched<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _busy = Busy::new();
        // SAFETY: the future is pinned with the struct, which does not move it.
        unsafe { self.map_unchecked_mut(|this| &mut this.0) }.poll(cx)
    }
}
