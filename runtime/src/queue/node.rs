//! The node of one waiter in a queue, under the invariants of the queue.

use core::any::TypeId;
use core::cell::Cell;
use core::marker::PhantomPinned;
use core::mem::{self, ManuallyDrop, MaybeUninit};
use core::ptr::{self, NonNull};
use core::task::{RawWakerVTable, Waker};

use crate::platform::{AtomicU8, Ordering, SharedCell};

/// The state of a waiter, for its queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum State {
    /// Not linked; only the owner knows of the node.
    Idle,
    /// Linked, to be served in turn.
    Waiting,
    /// Linked, to be served in turn. The wake-up of an earlier grant, since revoked,
    /// is still on its way: a new grant needs no second one.
    Woken,
    /// Linked, served and woken; the owner has not been polled since.
    Granted,
    /// As `Granted`, and another future of the owner's task has been polled since: it
    /// has marked the grant, and stored a waker of the task.
    Unclaimed,
    /// Linked; its primitive has let it through, but not yet unlinked and woken it.
    Notified,
    /// Not linked any more: unlinked and woken for the owner, who has not been
    /// polled since.
    Unlinked,
    /// Linked; the owner found its condition false, and waits for a change.
    Unsatisfied,
    /// Linked; the owner has acquired and evaluates its condition.
    Evaluating,
}

impl State {
    /// Whether the waiter is to be served in turn.
    #[inline]
    pub(crate) fn is_queued(self) -> bool {
        matches!(self, State::Waiting | State::Woken)
    }

    /// Whether the waiter has been served, and has not picked the grant up.
    #[inline]
    pub(crate) fn is_granted(self) -> bool {
        matches!(self, State::Granted | State::Unclaimed)
    }

    /// Whether the slot of the node owns a waker (Q3).
    #[inline]
    pub(super) fn owns_waker(self) -> bool {
        match self {
            State::Waiting | State::Unclaimed | State::Notified | State::Unsatisfied => true,
            State::Idle | State::Woken | State::Granted | State::Unlinked | State::Evaluating => {
                false
            }
        }
    }
}

/// A [`State`] in an atomic.
pub(super) struct AtomicState(AtomicU8);

impl AtomicState {
    #[inline]
    fn new(state: State) -> Self {
        AtomicState(AtomicU8::new(state as u8))
    }

    #[inline]
    pub(super) fn load(&self, ordering: Ordering) -> State {
        let state = self.0.load(ordering);
        // SAFETY: `new` and `store` alone write the byte, each a `State`.
        unsafe { mem::transmute::<u8, State>(state) }
    }

    #[inline]
    pub(super) fn store(&self, state: State, ordering: Ordering) {
        self.0.store(state as u8, ordering);
    }
}

/// The state of a future, known to the owner of the node without the queue (Q6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FutureState {
    /// The future has not been polled.
    Init,
    /// The future has been polled, and its node may have been linked since.
    Polled,
    /// The future has completed.
    Completed,
}

/// A request, and the links that it adds to its node.
pub(crate) trait Request {
    /// Links of the [grant index](super::GrantIndex), where there is one.
    type Links: Default;
}

impl Request for () {
    type Links = ();
}

/// The node of one waiter in a queue.
pub(crate) struct Node<R: Request> {
    pub(super) prev: Lazy<*const Node<R>>,
    pub(super) next: Lazy<*const Node<R>>,
    pub(super) waker: WakerSlot,
    pub(super) state: AtomicState,
    /// The owner's (Q6).
    future_state: Cell<FutureState>,
    /// The waiter is a parked thread. Like all lazy fields, it is written when the node is
    /// linked: so making a future takes few stores, and none of an odd width on which a
    /// move would stall.
    pub(super) is_thread: Lazy<bool>,
    /// A number whose meaning depends on the state. Granted: the id of the grant (0: none yet).
    /// Waiting, Unsatisfied: the newest grant that this waiter has seen (0: none). Notified,
    /// Unlinked: a value for the owner, as the primitive defines it.
    pub(super) ticket: Lazy<u32>,
    /// The request of the waiter.
    pub(crate) request: R,
    pub(super) links: R::Links,
    _pinned: PhantomPinned,
}

// SAFETY: the shared fields of a node are touched as Q2 and Q4 say, from any thread;
// `request` is only read while the node is linked, and the `Copy` requests of this
// crate have no ties to a thread; `future_state` is the owner's (Q6).
unsafe impl<R: Request + Send> Send for Node<R> {}
// SAFETY: as for `Send`.
unsafe impl<R: Request + Sync> Sync for Node<R> {}

/// The node of a waiter with a condition.
#[repr(C)]
pub(crate) struct ConditionalNode<R: Request> {
    pub(crate) node: Node<R>,
    /// Set while the node is `Unsatisfied` (G8 of the gate).
    pub(super) evaluator: Lazy<Option<Evaluator>>,
}

// SAFETY: the evaluator is touched as Q2 says. It has no ties to a thread: the thread that
// evaluates it holds the lock of the data that it reads.
unsafe impl<R: Request + Send> Send for ConditionalNode<R> {}
// SAFETY: as for `Send`.
unsafe impl<R: Request + Sync> Sync for ConditionalNode<R> {}

impl<R: Request> ConditionalNode<R> {
    #[inline]
    pub(crate) fn new(request: R) -> Self {
        ConditionalNode {
            node: Node::new(request),
            evaluator: Lazy::new(),
        }
    }

    /// The address of the node, by a pointer to all of this.
    #[inline]
    pub(crate) fn as_ptr(&self) -> NonNull<Node<R>> {
        NonNull::from(self).cast()
    }
}

/// An object, and the one of its locks that guards the data of a condition.
///
/// The address alone does not suffice: a lock with a leaked waiter can be moved to another
/// object, and another object to the address of the first.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(missing_debug_implementations)]
pub struct Object {
    address: *const (),
    /// Stands for the object's type and the lock.
    kind: TypeId,
}

// SAFETY: an address, which is dereferenced only by a promise of the caller.
unsafe impl Send for Object {}
// SAFETY: as for `Send`.
unsafe impl Sync for Object {}

impl Object {
    /// `kind` stands for the type of the object and one of its locks.
    #[inline]
    pub(crate) fn new(address: *const (), kind: TypeId) -> Self {
        Object { address, kind }
    }
}

/// A condition that has no ties to its waiter.
#[derive(Clone, Copy)]
pub(crate) struct ConditionFn(unsafe fn(*const ()) -> bool);

impl ConditionFn {
    /// # Safety
    ///
    /// The condition is for `object`, there is a reference to its address, and the caller holds
    /// its lock exclusively.
    #[inline]
    pub(crate) unsafe fn is_true(self, object: Object) -> bool {
        // SAFETY: passed on.
        unsafe { (self.0)(object.address) }
    }
}

/// How the condition of a waiter is evaluated on its behalf.
#[derive(Clone, Copy)]
pub(crate) struct Evaluator {
    object: Object,
    condition: ConditionFn,
}

impl Evaluator {
    /// # Safety
    ///
    /// `condition` can be called on any thread, for any object of the kind of `object`, while
    /// the caller holds the lock exclusively. It uses nothing of the waiter.
    #[inline]
    pub(crate) unsafe fn new(object: Object, condition: unsafe fn(*const ()) -> bool) -> Self {
        let condition = ConditionFn(condition);
        Evaluator { object, condition }
    }

    /// The condition, if it is for `object`.
    #[inline]
    pub(super) fn for_object(&self, object: Object) -> Option<ConditionFn> {
        (self.object == object).then_some(self.condition)
    }
}

/// A cell that is not written before it is needed.
pub(super) struct Lazy<T>(SharedCell<MaybeUninit<T>>);

impl<T: Copy> Lazy<T> {
    #[inline]
    pub(super) fn new() -> Self {
        Lazy(SharedCell::new(MaybeUninit::uninit()))
    }

    /// # Safety
    ///
    /// Q2, and it has been set: the node is, or was, linked.
    #[inline]
    pub(super) unsafe fn get(&self) -> T {
        // SAFETY: the caller's promise.
        unsafe { self.0.get().assume_init() }
    }

    /// # Safety
    ///
    /// Q2.
    #[inline]
    pub(super) unsafe fn set(&self, value: T) {
        // SAFETY: the caller's promise.
        unsafe { self.0.set(MaybeUninit::new(value)) }
    }
}

impl<R: Request> Node<R> {
    #[inline]
    pub(crate) fn new(request: R) -> Self {
        Node {
            prev: Lazy::new(),
            next: Lazy::new(),
            waker: WakerSlot::new(),
            state: AtomicState::new(State::Idle),
            future_state: Cell::new(FutureState::Init),
            is_thread: Lazy::new(),
            ticket: Lazy::new(),
            request,
            links: R::Links::default(),
            _pinned: PhantomPinned,
        }
    }

    /// For the owner only (Q6).
    #[inline]
    pub(crate) fn future_state(&self) -> FutureState {
        self.future_state.get()
    }

    /// For the owner only (Q6).
    #[inline]
    pub(crate) fn set_future_state(&self, state: FutureState) {
        self.future_state.set(state);
    }

    /// The state, for the owner, who may have exclusive access again (Q4).
    #[inline]
    pub(crate) fn state(&self) -> State {
        // Acquire: pairs with the Release stores of `drain_front_while` and
        // `retire` (Q4).
        self.state.load(Ordering::Acquire)
    }

    /// Makes a node that is not linked ready to be used again.
    #[inline]
    pub(crate) fn reset(&self) {
        self.state.store(State::Idle, Ordering::Relaxed);
    }

    /// The ticket of the node (see the field).
    ///
    /// # Safety
    ///
    /// The caller owns the node and has seen [`State::Unlinked`], or holds the lock of
    /// its queue.
    #[inline]
    pub(crate) unsafe fn ticket(&self) -> u32 {
        // SAFETY: no writer is left (Q4), or the lock keeps writers away (Q2).
        unsafe { self.ticket.get() }
    }

    /// The state, for watching.
    ///
    /// # Safety
    ///
    /// The node exists.
    #[allow(dead_code)] // in builds that do not watch
    pub(crate) unsafe fn state_of(node: NonNull<Self>) -> State {
        // SAFETY: only the state is accessed, which is atomic.
        let state = unsafe { &(*node.as_ptr()).state };
        state.load(Ordering::Relaxed)
    }

    /// The address by which a queue knows the node.
    #[inline]
    pub(crate) fn as_ptr(&self) -> NonNull<Self> {
        NonNull::from(self)
    }
}

/// Two words that hold a waker, or only remember which one it was.
pub(super) struct WakerSlot {
    data: Lazy<*const ()>,
    vtable: Lazy<&'static RawWakerVTable>,
}

impl WakerSlot {
    #[inline]
    fn new() -> Self {
        WakerSlot {
            data: Lazy::new(),
            vtable: Lazy::new(),
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

    /// Whether this is, or was, a waker with the same parts: see "Same task" in
    /// the gate for what that proves.
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

    /// The parts, as numbers that can be ordered.
    ///
    /// # Safety
    ///
    /// As for [`is`](Self::is).
    #[inline]
    pub(super) unsafe fn key(&self) -> (usize, usize) {
        // SAFETY: the caller's promise.
        unsafe {
            (
                self.data.get().addr(),
                ptr::from_ref(self.vtable.get()).addr(),
            )
        }
    }
}

/// The parts of a waker, as numbers that can be ordered.
#[inline]
pub(super) fn key_of(waker: &Waker) -> (usize, usize) {
    (waker.data().addr(), ptr::from_ref(waker.vtable()).addr())
}
