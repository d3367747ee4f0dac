//! What a future that waits knows of its entry in the registry.

use core::cell::Cell;
use core::marker::PhantomPinned;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::Waker;
use std::format;
use std::string::String;

use super::frames::{self, Around, Asker, HeldAround, waker_key};
use super::registry::{self, Entry, NodeState, conflict};
use super::watcher;
use super::{Caller, Holder};
use crate::LockId;
use crate::blocking::is_parker;
use crate::queue::{Node, Request};
use crate::watch::{Mode, Place, Resource, SectionInfo};

/// The entry of a wait, from when it has to wait until this is dropped.
struct Waiting {
    /// Zero while there is none.
    number: AtomicU64,
    /// How often the sections around had been polled at the last poll.
    polls: AtomicU64,
    /// The registry has a pointer to it.
    _pinned: PhantomPinned,
}

/// A request.
pub(crate) struct Ask<'a> {
    pub(crate) resource: Resource,
    pub(crate) lock: LockId,
    pub(crate) mode: Mode,
    /// The type of what is asked for.
    pub(crate) type_name: fn() -> &'static str,
    pub(crate) holder: Option<&'a Holder>,
}

/// What a future that acquires knows for those who watch: where it was made, and the entry of
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

    /// What was asked for has been acquired.
    #[inline]
    pub(crate) fn acquired(&self, holder: &Holder) {
        self.waiting.end();
        holder.set(self.place);
    }

    /// The request cannot be granted at once.
    ///
    /// # Panics
    ///
    /// If it never can, as a section that it is in holds the lock.
    #[inline]
    pub(crate) fn ask<'a>(&self, ask: impl FnOnce() -> Ask<'a>, waker: &Waker) {
        if self.waiting.number.load(Ordering::Relaxed) == 0 {
            let ask = ask();
            let around = frames::around(asker(waker), ask.lock);
            refuse_if_held(&ask, self.place, &around);
        }
    }

    /// The request waits, after a poll.
    ///
    /// # Safety
    ///
    /// The node is pinned, and not gone before this is dropped, which is pinned, too.
    #[inline]
    pub(crate) unsafe fn wait<'a, R: Request>(
        &self,
        ask: impl FnOnce() -> Ask<'a>,
        node: NonNull<Node<R>>,
        waker: &Waker,
    ) {
        // SAFETY: passed on.
        unsafe { self.waiting.wait(&ask(), self.place, node, waker) }
    }
}

impl Waiting {
    #[inline]
    fn new() -> Self {
        Waiting {
            number: AtomicU64::new(0),
            polls: AtomicU64::new(0),
            _pinned: PhantomPinned,
        }
    }

    /// The request waits, after a poll.
    ///
    /// # Safety
    ///
    /// The node is pinned, and not gone before this is dropped, which is pinned, too.
    unsafe fn wait<R: Request>(
        &self,
        ask: &Ask<'_>,
        place: Caller,
        node: NonNull<Node<R>>,
        waker: &Waker,
    ) {
        let asker = asker(waker);
        self.polls
            .store(frames::polls_around(asker), Ordering::Relaxed);
        if self.number.load(Ordering::Relaxed) != 0 {
            return;
        }
        let around = frames::around(asker, ask.lock);
        // SAFETY: as the caller promises.
        unsafe {
            let state = NodeState::new(node.cast(), |node| Node::<R>::is_served(node.cast()));
            self.register(ask, place, around, state);
        }
    }

    /// This thread is about to wait for a short lock.
    ///
    /// # Panics
    ///
    /// If a section that the thread is in holds it.
    ///
    /// # Safety
    ///
    /// This is dropped, and not moved before.
    #[cold]
    #[track_caller]
    unsafe fn wait_as_thread(&self, lock: LockId, mode: Mode, place: Caller) {
        let ask = Ask {
            resource: Resource::Lock,
            lock,
            mode,
            type_name: || "a lock of `sync`",
            holder: None,
        };
        let around = frames::around(Asker::Thread, lock);
        refuse_if_held(&ask, place, &around);
        // SAFETY: passed on; nothing is asked of the node.
        unsafe {
            let state = NodeState::new(NonNull::dangling(), |_| false);
            self.register(&ask, place, around, state);
        }
    }

    /// # Safety
    ///
    /// As for [`NodeState::new`], until this is dropped, which is not moved before.
    unsafe fn register(&self, ask: &Ask<'_>, place: Caller, around: Around, state: NodeState) {
        // An allocator of the user's could wait for one of our locks in its turn.
        let Some(_busy) = Busy::new() else {
            return;
        };
        watcher::start();
        let Around { held, entering } = around;
        let (name, section) = match entering {
            Some((name, section)) => (name.into(), Some(section)),
            None => (short_name((ask.type_name)()), None),
        };
        // SAFETY: as the caller promises: the entry is removed when we are dropped.
        let number = unsafe {
            registry::wait_began(Entry::new(
                ask.resource,
                ask.lock,
                name,
                ask.mode,
                section.map_or(place.0.into(), |section| section.place),
                section,
                ask.holder.and_then(Holder::get),
                held,
                state,
                NonNull::from(&self.polls),
            ))
        };
        self.number.store(number, Ordering::Relaxed);
    }

    /// The request waits no more.
    #[inline]
    fn end(&self) {
        if self.number.load(Ordering::Relaxed) != 0 {
            registry::wait_ended(self.number.swap(0, Ordering::Relaxed));
        }
    }
}

/// This thread registers a wait.
struct Busy;

std::thread_local! {
    static IS_BUSY: Cell<bool> = const { Cell::new(false) };
}

impl Busy {
    fn new() -> Option<Self> {
        (!IS_BUSY.replace(true)).then_some(Busy)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        IS_BUSY.set(false);
    }
}

impl Drop for Waiting {
    #[inline]
    fn drop(&mut self) {
        self.end();
    }
}

fn asker(waker: &Waker) -> Asker {
    if is_parker(waker) {
        Asker::Thread
    } else {
        Asker::Task(waker_key(waker))
    }
}

/// Panics if a section around the request holds the lock.
#[track_caller]
fn refuse_if_held(ask: &Ask<'_>, place: Caller, around: &Around) {
    let held = around
        .held
        .iter()
        .find(|held| held.lock == ask.lock && conflict(held.mode, ask.mode));
    if let Some(held) = held {
        let (place, section) = match around.entering {
            Some((_, section)) => (section.place, Some(section)),
            None => (place.0.into(), None),
        };
        self_deadlock(held, place, section)
    }
}

#[cold]
#[inline(never)]
fn self_deadlock(held: &HeldAround, place: Place, section: Option<SectionInfo>) -> ! {
    let HeldAround {
        name,
        section: holder,
        ..
    } = held;
    let asks = match section {
        Some(section) => format!("{section}"),
        None => format!("a call at {place}"),
    };
    let advice = match section {
        Some(section) if section.name != "with_lock!" => format!(
            "In a `#[monitor] impl`, call `{}` on what the section binds (`{}.{}(..)`): it then \
             runs under the lock that is held already",
            section.name,
            name.rsplit('.').next().unwrap_or(name),
            section.name,
        ),
        Some(_) | None => "Use what the section binds, or end the section before".into(),
    };
    panic!(
        "deadlock: `{name}` is held by the section {holder}, and {asks} asks for it within that \
         section, where it can never be granted. {advice}"
    )
}

/// Acquires a short lock, which this thread waits for.
#[track_caller]
#[inline]
pub(crate) fn by_thread<G>(
    lock: LockId,
    mode: Mode,
    try_acquire: impl FnOnce() -> Option<G>,
    acquire: impl FnOnce() -> G,
) -> G {
    if let Some(guard) = try_acquire() {
        return guard;
    }
    let waiting = Waiting::new();
    // SAFETY: the local is dropped here, and not moved before.
    unsafe { waiting.wait_as_thread(lock, mode, Caller::here()) };
    acquire()
}

/// The type without the paths of its parts, and without references and pointers around it.
fn short_name(name: &str) -> String {
    let name = name.trim_start_matches('&');
    let name = name
        .strip_prefix("alloc::sync::Arc<")
        .map_or(name, |inner| inner.strip_suffix('>').unwrap_or(inner));
    let mut short = String::new();
    let mut part = String::new();
    for char in name.chars() {
        if char.is_alphanumeric() || char == '_' {
            part.push(char);
        } else if char == ':' {
            part.clear();
        } else {
            short.push_str(&part);
            part.clear();
            short.push(char);
        }
    }
    short.push_str(&part);
    short
}
