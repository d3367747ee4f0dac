//! The registry entry of a waiting future, from the side of the future.

use core::cell::Cell;
use core::marker::PhantomPinned;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use core::task::Waker;
use std::format;
use std::string::String;

use super::ask::{Acquisition, Ask, SyncAsk};
use super::entries::{Asked, Entry, NodeAt};
use super::frames::{self, Asker, Enclosing, HeldByEnclosing, waker_key};
use super::registry::{self, conflict};
use super::watcher;
use super::{Caller, Holder, HolderCopy, Permits};
use crate::LockId;
use crate::blocking::{Parked, parked};
use crate::queue::{Node, Request};
use crate::watch::{Mode, Place, Resource, SectionInfo};

/// The registry entry of a wait, from its first pending poll until it ends or this is dropped.
struct Waiting {
    /// The index of the entry plus one; zero while there is none.
    entry: AtomicU32,
    hashes: LastHashes,
    /// The registry has a pointer to it.
    _pinned: PhantomPinned,
}

/// The hashes of a wait's sections, as of its last poll: see `PollHashes` of `frames`.
pub(super) struct LastHashes {
    sections: AtomicU64,
    enclosing: AtomicU64,
    beyond: AtomicU64,
}

impl LastHashes {
    pub(super) fn enclosing(&self) -> u64 {
        self.enclosing.load(Ordering::Relaxed)
    }

    pub(super) fn beyond(&self) -> u64 {
        self.beyond.load(Ordering::Relaxed)
    }
}

/// The watching part of a future that acquires: the place where it was made, and the entry of
/// its wait.
pub(crate) struct Watch {
    place: Caller,
    waiting: Waiting,
}

impl Watch {
    #[track_caller]
    #[inline]
    pub(crate) fn new() -> Self {
        Watch {
            place: Caller::here(),
            waiting: Waiting::new(),
        }
    }

    /// The place at which the future was made.
    #[inline]
    pub(crate) fn place(&self) -> Caller {
        self.place
    }

    /// The request has been granted, and the wait is over.
    #[inline]
    pub(crate) fn acquired(&self, holder: &Holder, acquired: impl Fn() -> Acquisition) {
        holder.set(self.place, &acquired);
        self.waiting.end(|| Some((acquired().lock, holder.copy())));
    }

    /// The wait is over, without an acquisition.
    #[inline]
    pub(crate) fn over(&self) {
        self.waiting.end(|| None);
    }

    /// The request cannot be granted at once.
    ///
    /// # Panics
    ///
    /// If it can never be granted, as an enclosing section holds the lock.
    #[inline]
    pub(crate) fn ask<'a>(&self, ask: impl FnOnce() -> Ask<'a>, waker: &Waker) {
        if self.waiting.entry.load(Ordering::Relaxed) == 0 {
            refuse_if_held(&ask(), self.place, asker(waker));
        }
    }

    /// The request waits, after a poll.
    ///
    /// # Safety
    ///
    /// The node is pinned, and outlives the wait, which ends when this is [over](Self::over) or
    /// dropped. This is pinned, too.
    #[inline]
    pub(crate) unsafe fn wait<'a, R: Request>(
        &self,
        ask: impl FnOnce() -> Ask<'a>,
        node: NonNull<Node<R>>,
        waker: &Waker,
    ) {
        // SAFETY: passed on.
        unsafe {
            let node = NodeAt::new(node.cast(), |node| Node::<R>::state_of(node.cast()));
            self.waiting.wait(&ask(), self.place, node, waker);
        }
    }

    /// The request waits in a queue of another crate, after a poll: only the next poll shows
    /// whether it has been granted.
    ///
    /// # Safety
    ///
    /// This is pinned, and dropped before its memory is used for something else.
    #[inline]
    pub(super) unsafe fn wait_elsewhere(&self, ask: &Ask<'_>, waker: &Waker) {
        // SAFETY: passed on.
        unsafe {
            self.waiting
                .wait(ask, self.place, NodeAt::elsewhere(), waker)
        }
    }
}

impl Waiting {
    #[inline]
    fn new() -> Self {
        Waiting {
            entry: AtomicU32::new(0),
            hashes: LastHashes {
                sections: AtomicU64::new(0),
                enclosing: AtomicU64::new(0),
                beyond: AtomicU64::new(0),
            },
            _pinned: PhantomPinned,
        }
    }

    /// The request waits, after a poll.
    ///
    /// # Safety
    ///
    /// As for [`Watch::wait`].
    unsafe fn wait(&self, ask: &Ask<'_>, place: Caller, node: NodeAt, waker: &Waker) {
        let asker = asker(waker);
        let hashes = frames::poll_hashes(asker, ask.lock);
        self.hashes
            .enclosing
            .store(hashes.enclosing, Ordering::Relaxed);
        self.hashes.beyond.store(hashes.beyond, Ordering::Relaxed);
        let entry = self.entry.load(Ordering::Relaxed);
        let before = self
            .hashes
            .sections
            .swap(hashes.sections, Ordering::Relaxed);
        if entry != 0 && hashes.sections == before {
            return;
        }
        // The user's allocator could itself wait for one of our locks.
        let Some(_busy) = Busy::new() else {
            return;
        };
        frames::thread_waits();
        let enclosing = frames::enclosing(asker, ask.lock);
        if entry != 0 {
            return registry::wait_moved(entry - 1, enclosing.held, enclosing.beyond);
        }
        let is_unbreakable = parked(waker) == Parked::ForAsLongAsItTakes && !enclosing.is_part;
        // SAFETY: as the caller promises.
        unsafe { self.register(ask, place, enclosing, node, None, is_unbreakable) }
    }

    /// This thread is about to wait for a sync lock.
    ///
    /// # Panics
    ///
    /// If a section that the thread is in holds the lock.
    ///
    /// # Safety
    ///
    /// This is not moved before it is dropped, and the lock outlives it.
    #[cold]
    unsafe fn wait_as_thread(&self, sync_ask: SyncAsk<'_>, place: Caller) {
        let ask = Ask {
            resource: Resource::Lock,
            lock: sync_ask.lock,
            mode: sync_ask.mode,
            type_name: || "a lock of `sync`",
            holder: Some(sync_ask.holder),
            held: sync_ask.held,
            permits: None,
            relocks: None,
        };
        refuse_if_held(&ask, place, Asker::Thread);
        // A checker runs several threads on one.
        if sync_ask.thread.is_this_thread() && !crate::checking::is_task() {
            held_by_this_thread(&ask, place);
        }
        let Some(_busy) = Busy::new() else {
            return;
        };
        frames::thread_waits();
        let enclosing = frames::enclosing(Asker::Thread, ask.lock);
        let holder = Some(NonNull::from(sync_ask.holder));
        // SAFETY: passed on.
        unsafe { self.register(&ask, place, enclosing, NodeAt::elsewhere(), holder, true) }
    }

    /// # Safety
    ///
    /// As for [`NodeAt::new`] and [`Watch::wait`], until this is dropped. This is not moved
    /// before that, and `sync_holder` outlives it.
    unsafe fn register(
        &self,
        ask: &Ask<'_>,
        place: Caller,
        enclosing: Enclosing,
        node: NodeAt,
        sync_holder: Option<NonNull<Holder>>,
        is_unbreakable: bool,
    ) {
        // The checker knows the waits itself, and in a checked run no time passes.
        if crate::checking::is_task() {
            return;
        }
        watcher::start();
        let section = enclosing.entering.map(|(_, section)| section);
        let asked = Asked {
            resource: ask.resource,
            lock: ask.lock,
            mode: ask.mode,
            type_name: ask.type_name,
            holder: ask.holder.map(Holder::copy),
            held: ask.held,
            permits: ask.permits.and_then(Permits::total),
            relocks: ask.relocks,
        };
        // SAFETY: W3, as the caller promises: the entry is removed when we are dropped.
        let index = unsafe {
            registry::wait_began(Entry::new(
                asked,
                section.map_or(place.0.into(), |section| section.place),
                enclosing,
                node,
                NonNull::from(&self.hashes),
                sync_holder,
                is_unbreakable,
            ))
        };
        self.entry.store(index + 1, Ordering::Relaxed);
        // The permits may have changed before the entry existed.
        if let Some(permits) = ask.permits.filter(|permits| permits.total().is_none()) {
            permits.record_change(ask.lock);
        }
    }

    /// The wait is over.
    #[inline]
    fn end(&self, holder: impl FnOnce() -> Option<(LockId, HolderCopy)>) {
        if self.entry.load(Ordering::Relaxed) != 0 {
            registry::wait_ended(self.entry.swap(0, Ordering::Relaxed) - 1, holder());
        }
    }
}

/// While it exists, this thread is inside the watching code, and records nothing else.
pub(super) struct Busy;

std::thread_local! {
    static IS_BUSY: Cell<bool> = const { Cell::new(false) };
}

impl Busy {
    pub(super) fn new() -> Option<Self> {
        let was_busy = IS_BUSY.try_with(|is_busy| is_busy.replace(true));
        // If the thread was busy, no `Busy` is made: its drop would clear the flag.
        match was_busy {
            Ok(false) => Some(Busy),
            Ok(true) | Err(_) => None,
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = IS_BUSY.try_with(|is_busy| is_busy.set(false));
    }
}

impl Waiting {
    #[cold]
    #[inline(never)]
    fn drop_entry(&mut self) {
        self.end(|| None);
    }
}

impl Drop for Waiting {
    #[inline]
    fn drop(&mut self) {
        if *self.entry.get_mut() != 0 {
            self.drop_entry();
        }
    }
}

fn asker(waker: &Waker) -> Asker {
    if parked(waker) == Parked::No {
        Asker::Task(waker_key(waker))
    } else {
        Asker::Thread
    }
}

/// Panics if a section that encloses the request holds the lock.
#[inline]
fn refuse_if_held(ask: &Ask<'_>, place: Caller, asker: Asker) {
    if frames::is_held_by_enclosing(asker, ask.lock) {
        refuse_if_conflicting(ask, place, asker);
    }
}

#[cold]
fn refuse_if_conflicting(ask: &Ask<'_>, place: Caller, asker: Asker) {
    let enclosing = frames::enclosing(asker, ask.lock);
    let held = enclosing
        .held
        .iter()
        .find(|held| held.lock == ask.lock && conflict(held.mode, ask.mode));
    if let Some(held) = held {
        let (place, section) = match enclosing.entering {
            Some((_, section)) => (section.place, Some(section)),
            None => (place.0.into(), None),
        };
        self_deadlock(held, place, section)
    }
}

#[cold]
#[inline(never)]
fn self_deadlock(held: &HeldByEnclosing, place: Place, section: Option<SectionInfo>) -> ! {
    let HeldByEnclosing {
        name,
        section: holder,
        ..
    } = held;
    let instance = registry::elsewhere(|table| table.instance(held.lock));
    let instance = instance.map_or(String::new(), |instance| format!(" {instance}"));
    let asks = match section {
        Some(section) => format!("{section}"),
        None => format!("a call at {place}"),
    };
    let advice = match section {
        Some(section) if section.name != "with_lock!" => format!(
            "Call `{method}` once that section has ended, or under the lock that it holds: in a \
             `#[monitor] impl` that is `{bound}.{method}(..)`, by the `{bound}` that the section \
             binds",
            method = section.name,
            bound = name.rsplit('.').next().unwrap_or(name),
        ),
        Some(_) | None => "End that section first, or use what it binds".into(),
    };
    panic!(
        "deadlock: `{name}`{instance} is held by the section {holder}, and {asks} asks for it \
         within that section, where it can never be granted. {advice}. `RUST_BACKTRACE=1` shows \
         the calls in between"
    )
}

/// Acquires a sync lock, and records a wait if there is one. Inlined, so that the guard stays
/// in registers.
#[track_caller]
#[inline(always)]
pub(crate) fn by_thread<'a, G>(
    ask: impl Fn() -> SyncAsk<'a>,
    try_acquire: impl FnOnce() -> Option<G>,
    acquire: impl FnOnce() -> G,
) -> G {
    let place = Caller::here();
    let guard = match try_acquire() {
        Some(guard) => guard,
        None => {
            let waiting = Waiting::new();
            // SAFETY: W3: the local is dropped here, and not moved before; the lock is borrowed.
            unsafe { waiting.wait_as_thread(ask(), place) };
            acquire()
        }
    };
    ask().acquired(place);
    guard
}

impl SyncAsk<'_> {
    #[inline]
    fn acquired(&self, place: Caller) {
        self.holder.set_place(place, || Acquisition {
            lock: self.lock,
            mode: self.mode,
            type_name: || "a lock of `sync`",
        });
        if self.mode == Mode::Exclusive {
            self.thread.acquired();
        }
    }
}

/// Panics: this thread requests a sync lock that it already holds.
#[cold]
#[inline(never)]
fn held_by_this_thread(ask: &Ask<'_>, place: Caller) -> ! {
    let (name, asks) = match frames::enclosing(Asker::Thread, ask.lock).entering {
        Some((name, section)) => (format!("`{name}`"), format!("{section}")),
        None => (
            String::from((ask.type_name)()),
            format!("a call at {}", Place::from(place.0)),
        ),
    };
    let holder = ask.holder.and_then(|holder| holder.copy().place());
    let acquired = holder.map_or(String::new(), |place| {
        format!(", which acquired it at {place}")
    });
    panic!(
        "deadlock: {name} is held by this thread{acquired}, and {asks} asks for it meanwhile, \
         where it can never be granted. End that section, or drop that guard, first. \
         `RUST_BACKTRACE=1` shows the calls in between"
    )
}

/// The name of a type without paths, and without the references and pointers around it.
pub(super) fn type_name_without_paths(name: &str) -> String {
    let name = name.trim_start_matches('&');
    let name = name
        .strip_prefix("alloc::sync::Arc<")
        .map_or(name, |inner| inner.strip_suffix('>').unwrap_or(inner));
    let mut out = String::new();
    let mut part = String::new();
    for char in name.chars() {
        if char.is_alphanumeric() || char == '_' {
            part.push(char);
        } else if char == ':' {
            part.clear();
        } else {
            out.push_str(&part);
            part.clear();
            out.push(char);
        }
    }
    out.push_str(&part);
    out
}
