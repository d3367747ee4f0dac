//! The impls of the traits of `lock`: through pointers, and for the primitives of this crate.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
#[cfg(feature = "alloc")]
use alloc::rc::Rc;
#[cfg(feature = "alloc")]
use alloc::sync::Arc;
use core::convert::Infallible;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::lease::Lease;
use super::lock::{AsyncLock, AsyncRwLock, ExclusiveLock, ExclusiveRwLock, NamedAcquire};
use super::lock_id::LockId;
use crate::queue::Object;
use crate::watching::Site;

macro_rules! through_pointer {
    ($($pointer:ty),*) => {$(
        impl<L: AsyncLock + ?Sized> AsyncLock for $pointer {
            type Guard<'a> = L::Guard<'a> where Self: 'a;
            type Error = L::Error;

            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            fn acquire(&self) -> impl Future<Output = Result<Self::Guard<'_>, Self::Error>> {
                L::acquire(self)
            }

            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            fn try_acquire(&self) -> Option<Self::Guard<'_>> {
                L::try_acquire(self)
            }

            #[inline]
            fn id(&self) -> LockId {
                L::id(self)
            }

            #[inline]
            fn lease<'a>(guard: &Self::Guard<'a>) -> Option<Lease<Self::Error>>
            where
                Self: 'a,
            {
                L::lease(guard)
            }

            #[inline]
            fn __watched_id(&self) -> Option<LockId> {
                L::__watched_id(self)
            }

            #[inline]
            fn __acquire_at_once(&self, site: &'static Site) -> Option<Self::Guard<'_>> {
                L::__acquire_at_once(self, site)
            }

            #[inline]
            fn __release_unchanged<'a>(guard: Self::Guard<'a>)
            where
                Self: 'a,
            {
                L::__release_unchanged(guard);
            }

            #[inline]
            unsafe fn __release_object<'a>(guard: Self::Guard<'a>, object: impl FnOnce() -> Object)
            where
                Self: 'a,
            {
                // SAFETY: passed on.
                unsafe { L::__release_object(guard, object) }
            }
        }

        impl<L: AsyncRwLock + ?Sized> AsyncRwLock for $pointer {
            type ReadGuard<'a> = L::ReadGuard<'a> where Self: 'a;

            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            fn read(&self) -> impl Future<Output = Result<Self::ReadGuard<'_>, Self::Error>> {
                L::read(self)
            }

            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            fn try_read(&self) -> Option<Self::ReadGuard<'_>> {
                L::try_read(self)
            }

            #[inline]
            fn __read_at_once(&self, site: &'static Site) -> Option<Self::ReadGuard<'_>> {
                L::__read_at_once(self, site)
            }
        }

        // SAFETY: everything is forwarded to an exclusive lock; the pointer gives no way
        // to replace its target through `&self`.
        unsafe impl<L: ExclusiveLock + ?Sized> ExclusiveLock for $pointer {}

        // SAFETY: as above.
        unsafe impl<L: ExclusiveRwLock + ?Sized> ExclusiveRwLock for $pointer {}

        impl<L: NamedAcquire + ?Sized> NamedAcquire for $pointer {
            type Acquire<'a> = L::Acquire<'a> where Self: 'a;

            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            fn acquire_named(&self) -> Self::Acquire<'_> {
                L::acquire_named(self)
            }
        }
    )*};
}

through_pointer!(&L);
#[cfg(feature = "alloc")]
through_pointer!(Box<L>, Rc<L>, Arc<L>);

/// A future whose output cannot be an error. An `async` block would do the same,
/// and be larger.
pub(crate) struct Infallibly<F>(pub(crate) F);

impl<F: Future> Future for Infallibly<F> {
    type Output = Result<F::Output, Infallible>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: the only field is pinned with the struct.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.0) };
        future.poll(cx).map(Ok)
    }
}

/// Implements [`AsyncLock`] and [`NamedAcquire`] for a primitive of this crate.
macro_rules! async_lock {
    (
        $lock:ty[$($generics:tt)*] {
            $guard:ty, $acquire:path, $try_acquire:path, $future:ty, $request:expr => $new_guard:expr
        }
    ) => {
        impl<$($generics)*> $crate::AsyncLock for $lock {
            type Guard<'a> = $guard where Self: 'a;
            type Error = ::core::convert::Infallible;

            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            fn acquire(
                &self,
            ) -> impl ::core::future::Future<Output = Result<Self::Guard<'_>, Self::Error>> {
                $crate::traits::lock_impls::Infallibly($acquire(self))
            }

            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            fn try_acquire(&self) -> Option<Self::Guard<'_>> {
                $try_acquire(self)
            }

            #[inline]
            fn id(&self) -> $crate::LockId {
                $crate::LockId::of($crate::gate::Gated::gate(self))
            }

            #[inline]
            fn __watched_id(&self) -> Option<$crate::LockId> {
                Some($crate::AsyncLock::id(self))
            }

            #[inline]
            fn __acquire_at_once(
                &self,
                site: &'static $crate::watching::Site,
            ) -> Option<Self::Guard<'_>> {
                let gate = $crate::gate::Gated::gate(self);
                (gate.try_acquire_by($request, site)).then(|| ($new_guard)(self))
            }

            #[inline]
            fn __release_unchanged<'a>(guard: Self::Guard<'a>)
            where
                Self: 'a,
            {
                guard.permit.release_unchanged();
            }

            #[inline]
            unsafe fn __release_object<'a>(
                guard: Self::Guard<'a>,
                object: impl FnOnce() -> $crate::queue::Object,
            )
            where
                Self: 'a,
            {
                // SAFETY: passed on.
                unsafe { guard.permit.release_object(object) }
            }
        }

        impl<$($generics)*> $crate::NamedAcquire for $lock {
            type Acquire<'a> = $future where Self: 'a;

            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            fn acquire_named(&self) -> Self::Acquire<'_> {
                $acquire(self)
            }
        }
    };
}

pub(crate) use async_lock;
