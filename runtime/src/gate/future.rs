//! The future inside every named future.

use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll, Waker};

use super::acquire::Waiter;
use super::permit::Gated;
use super::policy::Policy;
use crate::checking::{self, Awaits};
use crate::queue::{FutureState, Node};
use crate::request::Resource;
use crate::watching::Watch;

/// The future that acquires from a gate. Every named future contains one. It returns its
/// handle, from which the caller makes a guard.
///
/// # Invariants
///
/// - **F1** The future's state is [`Completed`](FutureState::Completed) exactly when the
///   handle has been moved out.
/// - **F2** While it is [`Init`](FutureState::Init), the node has never been linked.
pub(crate) struct Acquiring<H: Gated> {
    /// Present until the future has completed (F1).
    handle: ManuallyDrop<H>,
    node: Node<<H::Policy as Policy>::Request>,
    watch: Watch,
}

impl<H: Gated> Acquiring<H> {
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub(crate) fn new(handle: H, request: <H::Policy as Policy>::Request) -> Self {
        Acquiring {
            handle: ManuallyDrop::new(handle),
            node: Node::new(request),
            watch: Watch::new(),
        }
    }

    #[inline]
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<H> {
        // SAFETY: the node is not moved out of the pinned future; the handle is
        // not pinned with it.
        let this = unsafe { self.get_unchecked_mut() };
        // Read before the gate is touched, so that the guard is made from a register.
        // Read afterwards, it would come from memory that was just written, perhaps
        // word by word, and the load would stall until the stores have reached the
        // cache.
        //
        // SAFETY: a copy that is not dropped and, if the future has completed
        // already (F1), not used: what it points to may be gone.
        let handle = ManuallyDrop::new(unsafe { ptr::read(&raw const *this.handle) });
        let place = this.watch.place();
        if checking::IS_ON
            && !this.is_terminated()
            && !handle.gate().polls(&this.node, true, Waiter::Plain, place)
        {
            return Poll::Pending;
        }
        if this.node.future_state() == FutureState::Init
            && handle.gate().try_acquire_quietly(this.node.request)
        {
            let gate = handle.gate();
            gate.holder().set(place, || {
                gate.acquired_by(&this.node, core::any::type_name::<H>)
            });
            checking::entered(handle.gate());
            this.node.set_future_state(FutureState::Completed);
            // It had not completed, and has now: the copy takes the handle's place (F1).
            return Poll::Ready(ManuallyDrop::into_inner(handle));
        }
        // SAFETY: the future is pinned.
        unsafe { this.poll_slowly(cx.waker()) }
    }

    /// [`poll`](Self::poll), if it did not acquire at once. It is the last call of
    /// `poll`, which then saves no registers for it.
    ///
    /// # Safety
    ///
    /// The future is pinned.
    #[cold]
    #[inline(never)]
    unsafe fn poll_slowly(&mut self, waker: &Waker) -> Poll<H> {
        if self.node.future_state() == FutureState::Completed {
            polled_after_completion()
        }
        let gate = self.handle.gate();
        let permits = self.handle.permits();
        let name = core::any::type_name::<H>;
        let ask = || gate.described(&self.node, Resource::Lock, name, permits);
        self.watch.ask(ask, waker);
        // SAFETY: the node is pinned as we are, used with this gate only, and
        // cancelled by our drop.
        unsafe {
            if gate.poll_acquire(&self.node, waker).is_pending() {
                self.watch.wait(ask, self.node.as_ptr(), waker);
                gate.waits(Awaits::Permit);
                return Poll::Pending;
            }
        }
        self.watch
            .acquired(gate.holder(), || gate.acquired_by(&self.node, name));
        checking::entered(gate);
        self.node.set_future_state(FutureState::Completed);
        // SAFETY: it had not completed, and has now (F1).
        Poll::Ready(unsafe { ManuallyDrop::take(&mut self.handle) })
    }

    /// The request of the future.
    #[inline]
    pub(crate) fn request(&self) -> <H::Policy as Policy>::Request {
        self.node.request
    }

    /// Whether the future has returned its handle.
    pub(crate) fn is_terminated(&self) -> bool {
        self.node.future_state() == FutureState::Completed
    }
}

impl<H: Gated> Drop for Acquiring<H> {
    #[inline]
    fn drop(&mut self) {
        let state = self.node.future_state();
        if state == FutureState::Completed {
            return;
        }
        // SAFETY: the handle is still there (F1), and not used after this. It is
        // dropped even if a waker panics below.
        let handle = unsafe { ManuallyDrop::take(&mut self.handle) };
        if state == FutureState::Polled {
            handle.gate().leaves(&self.node);
            // SAFETY: the node is pinned, as it was polled, and used with this
            // gate only.
            unsafe { handle.gate().cancel(&self.node) }
        }
    }
}

#[cold]
#[track_caller]
#[inline]
pub(crate) fn polled_after_completion() -> ! {
    panic!("the future was polled again after it had completed")
}

/// Defines the named futures of a primitive around [`Acquiring`].
///
/// `Name[generics][parameters] for Handle => Guard, request expression, example lines;` where
/// the guard has a function `new(handle)`, and the lines of the example are: what it imports,
/// what makes the primitive, and what makes a future named `acquiring`.
macro_rules! acquiring_future {
    ($($(#[$doc:meta])* $name:ident[$($generics:tt)*][$($params:tt)*] for $handle:ty => $guard:ty, request $request:expr, example $import:expr, $primitive:expr, $future:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// It does nothing until it is polled, and may be dropped at any time:
        /// see the cancel safety of the method.
        ///
        /// ```
        /// # futures::executor::block_on(async {
        #[doc = $import]
        ///
        #[doc = $primitive]
        #[doc = $future]
        /// let guard = acquiring.await;
        /// # drop(guard);
        /// # });
        /// ```
        #[must_use = "futures do nothing unless they are awaited"]
        pub struct $name<$($generics)*> {
            acquiring: $crate::gate::Acquiring<$handle>,
        }

        impl<$($generics)*> $name<$($params)*> {
            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            pub(crate) fn new(handle: $handle) -> Self {
                Self { acquiring: $crate::gate::Acquiring::new(handle, $request) }
            }
        }

        impl<$($generics)*> ::core::future::Future for $name<$($params)*> {
            type Output = $guard;

            #[inline]
            fn poll(
                self: ::core::pin::Pin<&mut Self>,
                cx: &mut ::core::task::Context<'_>,
            ) -> ::core::task::Poll<Self::Output> {
                // SAFETY: the only field is pinned with the struct.
                let acquiring = unsafe { self.map_unchecked_mut(|this| &mut this.acquiring) };
                acquiring.poll(cx).map(<$guard>::new)
            }
        }

        impl<$($generics)*> ::core::fmt::Debug for $name<$($params)*> {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("terminated", &self.acquiring.is_terminated())
                    .finish_non_exhaustive()
            }
        }
    )*};
}

pub(crate) use acquiring_future;
