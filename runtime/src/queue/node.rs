//! The place of one waiter in a queue, under the invariants of the queue.

use core::cell::Cell;
use core::marker::PhantomPinned;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr;
use core::task::{RawWakerVTable, Waker};

use crate::sync::{AtomicU8, Ordering, SharedCell};

/// Not linked; nobody but the owner knows of the node.
pub(crate) const IDLE: u8 = 0;
/// Linked, to be served in turn.
pub(crate) const WAITING: u8 = 1;
/// Linked, served and woken; the owner has not been polled since.
pub(crate) const GRANTED: u8 = 2;
/// Linked, served, and about to be unlinked and woken by whoever served it.
pub(crate) const MARKED: u8 = 3;
/// Not linked any more; what the owner waited for has happened.
pub(crate) const DONE: u8 = 4;
/// Linked; the owner has looked, found its condition false, and sleeps until
/// there is something new to see.
pub(crate) const PARKED: u8 = 5;
/// Linked; the owner has entered and is looking.
pub(crate) const LOOKING: u8 = 6;

/// The owner's own note: the future has not been polled.
pub(crate) const FRESH: u8 = 0;
/// The owner's own note: the future has been polled, and its node may have been
/// linked since.
pub(crate) const POLLED: u8 = 1;
/// The owner's own note: the future has completed.
pub(crate) const OVER: u8 = 2;

/// The place of one waiter in a queue.
pub(crate) struct Node<R> {
    pub(super) prev: Blank<*const Node<R>>,
    pub(super) next: Blank<*const Node<R>>,
    pub(super) waker: WakerSlot,
    pub(super) state: AtomicU8,
    /// The owner's note (Q6): [`FRESH`], [`POLLED`] or [`OVER`].
    stage: Cell<u8>,
    pub(super) stamp: SharedCell<u32>,
    /// What the waiter waits for.
    pub(crate) request: R,
    _pinned: PhantomPinned,
}

// SAFETY: what is shared of a node is touched as Q2 and Q4 say, from whatever
// thread; `request` is only read while the node is linked, and `R: Copy` types
// of this crate have no ties to a thread; `stage` is the owner's (Q6).
unsafe impl<R: Send> Send for Node<R> {}
// SAFETY: as above.
unsafe impl<R: Sync> Sync for Node<R> {}

/// A cell that is not written before it is needed.
pub(super) struct Blank<T>(SharedCell<MaybeUninit<T>>);

impl<T: Copy> Blank<T> {
    #[inline]
    fn new() -> Self {
        Blank(SharedCell::new(MaybeUninit::uninit()))
    }

    /// # Safety
    ///
    /// Q2, and it has been set: the node is, or was, linked.
    #[inline]
    pub(super) unsafe fn get(&self) -> T {
        // SAFETY: as the caller promises.
        unsafe { self.0.get().assume_init() }
    }

    /// # Safety
    ///
    /// Q2.
    #[inline]
    pub(super) unsafe fn set(&self, value: T) {
        // SAFETY: as the caller promises.
        unsafe { self.0.set(MaybeUninit::new(value)) }
    }
}

impl<R> Node<R> {
    #[inline]
    pub(crate) fn new(request: R) -> Self {
        Node {
            prev: Blank::new(),
            next: Blank::new(),
            waker: WakerSlot::new(),
            state: AtomicU8::new(IDLE),
            stage: Cell::new(FRESH),
            stamp: SharedCell::new(0),
            request,
            _pinned: PhantomPinned,
        }
    }

    /// What the owner has noted for itself. For the owner only (Q6).
    #[inline]
    pub(crate) fn stage(&self) -> u8 {
        self.stage.get()
    }

    /// For the owner only (Q6).
    #[inline]
    pub(crate) fn set_stage(&self, stage: u8) {
        self.stage.set(stage);
    }

    /// The state, for the owner: `DONE` makes what came before it visible.
    #[inline]
    pub(crate) fn state(&self) -> u8 {
        // Acquire: pairs with the Release of `finish_while` (Q4).
        self.state.load(Ordering::Acquire)
    }

    /// Makes a node that is not linked ready to be used again.
    #[inline]
    pub(crate) fn reset(&self) {
        self.state.store(IDLE, Ordering::Relaxed);
    }

    /// The number that was last noted at the node.
    ///
    /// # Safety
    ///
    /// The caller owns the node and has seen [`DONE`], or holds the lock of its
    /// queue.
    #[inline]
    pub(crate) unsafe fn stamp(&self) -> u32 {
        // SAFETY: no writer is left (Q4), or the lock keeps writers away (Q2).
        unsafe { self.stamp.get() }
    }
}

/// Two words that hold a waker, or only remember which one it was.
pub(super) struct WakerSlot {
    data: Blank<*const ()>,
    vtable: Blank<&'static RawWakerVTable>,
}

impl WakerSlot {
    #[inline]
    fn new() -> Self {
        WakerSlot {
            data: Blank::new(),
            vtable: Blank::new(),
        }
    }

    /// # Safety
    ///
    /// Q2, and by Q3 the slot owns no waker.
    #[inline]
    pub(super) unsafe fn put(&self, waker: Waker) {
        let waker = ManuallyDrop::new(waker);
        // SAFETY: Q2.
        unsafe {
            self.data.set(waker.data());
            self.vtable.set(waker.vtable());
        }
    }

    /// # Safety
    ///
    /// Q2, and by Q3 the slot owns a waker; the caller ends the state in which
    /// it does.
    #[inline]
    pub(super) unsafe fn take(&self) -> Waker {
        // SAFETY: Q2; the parts are those of a waker that was forgotten in
        // `put` and has not been taken since (Q3).
        unsafe { Waker::new(self.data.get(), self.vtable.get()) }
    }

    /// Whether this is, or was, a waker of the same task.
    ///
    /// # Safety
    ///
    /// Q2, and a waker has been put.
    #[inline]
    pub(super) unsafe fn is(&self, other: &Waker) -> bool {
        // SAFETY: Q2.
        let (data, vtable) = unsafe { (self.data.get(), self.vtable.get()) };
        data == other.data() && ptr::eq(vtable, other.vtable())
    }
}
