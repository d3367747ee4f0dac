//! The methods that both semaphores share.

use super::super::flavour::{
    Rc, ThisFlavour, let_rc, per_flavour, rc, threads_only, use_of, use_rc,
};
use super::{
    BoundedSemaphore, BoundedSemaphoreAcquire, BoundedSemaphoreAcquireOwned,
    BoundedSemaphorePermit, OwnedBoundedSemaphorePermit, OwnedSemaphorePermit, Semaphore,
    SemaphoreAcquire, SemaphoreAcquireOwned, SemaphorePermit,
};
use crate::gate::{Counting, Gate, Gated, PERMIT, QUEUED};
use crate::traits::lock_impls::async_lock;
use crate::watching::Permits;

/// The methods that both semaphores share. The name is for examples.
macro_rules! semaphore {
    ($semaphore:ident, $name:literal, $permit:ident, $owned_permit:ident, $acquire:ident, $acquire_owned:ident) => {
        impl $semaphore {
            /// The maximum number of permits of a semaphore.
            ///
            /// ```
            #[doc = use_of!($name)]
            ///
            #[doc = concat!("let semaphore = ", $name, "::new(", $name, "::MAX_PERMITS);")]
            #[doc = concat!("assert_eq!(semaphore.available_permits(), ", $name, "::MAX_PERMITS);")]
            /// ```
            pub const MAX_PERMITS: usize = usize::MAX >> 3;

            /// Waits for a permit.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future removes it from the queue, and passes granted permits on to the
            /// next waiters.
            ///
            /// # Examples
            ///
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = use_of!($name)]
            ///
            #[doc = concat!("let semaphore = ", $name, "::new(1);")]
            /// let permit = semaphore.acquire().await;
            /// assert_eq!(semaphore.available_permits(), 0);
            /// drop(permit);
            /// assert_eq!(semaphore.available_permits(), 1);
            /// # });
            /// ```
            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            pub fn acquire(&self) -> $acquire<'_> {
                $acquire::new(self, 1)
            }

            /// Waits until `permits` permits are available, and acquires them all at once. A
            /// request for more permits than the semaphore ever holds never completes; a request
            /// for zero completes immediately.
            ///
            /// # Cancel safety
            ///
            /// As for [`acquire`](Self::acquire).
            ///
            /// # Examples
            ///
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = use_of!($name)]
            ///
            #[doc = concat!("let semaphore = ", $name, "::new(5);")]
            /// let permits = semaphore.acquire_many(3).await;
            /// assert_eq!(permits.num_permits(), 3);
            /// assert_eq!(semaphore.available_permits(), 2);
            /// # });
            /// ```
            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            pub fn acquire_many(&self, permits: usize) -> $acquire<'_> {
                $acquire::new(self, permits)
            }

            /// Acquires a permit if one is available and no waiter is queued.
            ///
            /// ```
            #[doc = use_of!($name)]
            ///
            #[doc = concat!("let semaphore = ", $name, "::new(1);")]
            /// let permit = semaphore.try_acquire().expect("one is available");
            /// assert!(semaphore.try_acquire().is_none());
            /// # drop(permit);
            /// ```
            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            pub fn try_acquire(&self) -> Option<$permit<'_>> {
                self.try_acquire_many(1)
            }

            /// Acquires `permits` permits if that many are available and no waiter is queued.
            ///
            /// ```
            #[doc = use_of!($name)]
            ///
            #[doc = concat!("let semaphore = ", $name, "::new(5);")]
            /// let permits = semaphore.try_acquire_many(3).expect("5 are available");
            /// assert!(semaphore.try_acquire_many(3).is_none());
            /// # drop(permits);
            /// ```
            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            pub fn try_acquire_many(&self, permits: usize) -> Option<$permit<'_>> {
                self.try_take(permits).then(|| $permit::new(self, permits))
            }

            threads_only! {
                /// Waits for a permit, parking the thread. See
                /// [`Lock::acquire_blocking`](crate::Lock::acquire_blocking).
                ///
                /// ```
                #[doc = use_of!($name)]
                ///
                #[doc = concat!("let semaphore = ", $name, "::new(2);")]
                /// std::thread::scope(|scope| {
                ///     for _ in 0..8 {
                ///         scope.spawn(|| {
                ///             let _permit = semaphore.acquire_blocking();
                ///             // ... at most two threads at a time ...
                ///         });
                ///     }
                /// });
                /// assert_eq!(semaphore.available_permits(), 2);
                /// ```
                #[cfg(feature = "std")]
                #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
                #[inline]
                pub fn acquire_blocking(&self) -> $permit<'_> {
                    self.acquire_many_blocking(1)
                }
            }

            threads_only! {
                /// Waits for permits, parking the thread. See
                /// [`Lock::acquire_blocking`](crate::Lock::acquire_blocking).
                ///
                /// ```
                #[doc = use_of!($name)]
                ///
                #[doc = concat!("let semaphore = ", $name, "::new(5);")]
                /// let permits = semaphore.acquire_many_blocking(3);
                /// assert_eq!(semaphore.available_permits(), 2);
                /// # drop(permits);
                /// ```
                #[cfg(feature = "std")]
                #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
                #[inline]
                pub fn acquire_many_blocking(&self, permits: usize) -> $permit<'_> {
                    crate::blocking::at_once_or_blocking!(self.try_acquire_many(permits), self.acquire_many(permits))
                }
            }

            /// Like [`acquire`](Self::acquire), but the permit keeps the semaphore alive and
            /// borrows nothing.
            ///
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = use_of!($name)]
            #[doc = use_rc!()]
            ///
            #[doc = let_rc!("semaphore", $name, "::new(1)")]
            /// let permit = semaphore.acquire_owned().await;
            #[doc = per_flavour!("std::thread::spawn(move || drop(permit)).join().unwrap();", "drop(permit);")]
            /// assert_eq!(semaphore.available_permits(), 1);
            /// # });
            /// ```
            #[cfg(feature = "alloc")]
            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            pub fn acquire_owned(self: &rc!(Self)) -> $acquire_owned {
                self.acquire_many_owned(1)
            }

            /// Like [`acquire_many`](Self::acquire_many), but returns an owned permit.
            ///
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = use_of!($name)]
            #[doc = use_rc!()]
            ///
            #[doc = let_rc!("semaphore", $name, "::new(5)")]
            /// let permits = semaphore.acquire_many_owned(3).await;
            /// assert_eq!(semaphore.available_permits(), 2);
            /// # drop(permits);
            /// # });
            /// ```
            #[cfg(feature = "alloc")]
            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            pub fn acquire_many_owned(self: &rc!(Self), permits: usize) -> $acquire_owned {
                $acquire_owned::new(Rc::clone(self), permits)
            }

            /// Like [`try_acquire`](Self::try_acquire), but returns an owned permit.
            ///
            /// ```
            #[doc = use_of!($name)]
            #[doc = use_rc!()]
            ///
            #[doc = let_rc!("semaphore", $name, "::new(1)")]
            /// let permit = semaphore.try_acquire_owned().expect("one is available");
            /// assert!(semaphore.try_acquire_owned().is_none());
            /// # drop(permit);
            /// ```
            #[cfg(feature = "alloc")]
            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            pub fn try_acquire_owned(self: &rc!(Self)) -> Option<$owned_permit> {
                self.try_acquire_many_owned(1)
            }

            /// Like [`try_acquire_many`](Self::try_acquire_many), but returns an owned permit.
            ///
            /// ```
            #[doc = use_of!($name)]
            #[doc = use_rc!()]
            ///
            #[doc = let_rc!("semaphore", $name, "::new(5)")]
            /// let permits = semaphore.try_acquire_many_owned(3).expect("5 are available");
            /// assert!(semaphore.try_acquire_many_owned(3).is_none());
            /// # drop(permits);
            /// ```
            #[cfg(feature = "alloc")]
            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            pub fn try_acquire_many_owned(
                self: &rc!(Self),
                permits: usize,
            ) -> Option<$owned_permit> {
                self.try_take(permits)
                    .then(|| $owned_permit::new(Rc::clone(self), permits))
            }

            threads_only! {
                /// Like [`acquire_blocking`](Self::acquire_blocking), but returns an owned permit.
                ///
                /// ```
                #[doc = use_of!($name)]
                #[doc = use_rc!()]
                ///
                #[doc = let_rc!("semaphore", $name, "::new(1)")]
                /// let permit = semaphore.acquire_owned_blocking();
                /// std::thread::spawn(move || drop(permit)).join().unwrap();
                /// assert_eq!(semaphore.available_permits(), 1);
                /// ```
                #[cfg(feature = "std")]
                #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
                #[inline]
                pub fn acquire_owned_blocking(self: &rc!(Self)) -> $owned_permit {
                    self.acquire_many_owned_blocking(1)
                }
            }

            threads_only! {
                /// Like [`acquire_many_blocking`](Self::acquire_many_blocking), but returns an
                /// owned permit.
                ///
                /// ```
                #[doc = use_of!($name)]
                #[doc = use_rc!()]
                ///
                #[doc = let_rc!("semaphore", $name, "::new(5)")]
                /// let permits = semaphore.acquire_many_owned_blocking(3);
                /// std::thread::spawn(move || drop(permits)).join().unwrap();
                /// assert_eq!(semaphore.available_permits(), 5);
                /// ```
                #[cfg(feature = "std")]
                #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
                #[inline]
                pub fn acquire_many_owned_blocking(self: &rc!(Self), permits: usize) -> $owned_permit {
                    crate::blocking::at_once_or_blocking!(self.try_acquire_many_owned(permits), self.acquire_many_owned(permits))
                }
            }

            /// The number of available permits. Permits that are granted to a waiter that has not
            /// run yet do not count. The answer may already be out of date.
            ///
            /// ```
            #[doc = use_of!($name)]
            ///
            #[doc = concat!("let semaphore = ", $name, "::new(2);")]
            /// let permit = semaphore.try_acquire();
            /// assert_eq!(semaphore.available_permits(), 1);
            /// # drop(permit);
            /// ```
            #[inline]
            pub fn available_permits(&self) -> usize {
                self.gate.looks();
                self.gate.word() / PERMIT
            }

            /// Whether a task that asks for a permit would have to wait: none is available, or
            /// waiters are queued. The answer may already be out of date.
            ///
            /// ```
            #[doc = use_of!($name)]
            ///
            #[doc = concat!("let semaphore = ", $name, "::new(1);")]
            /// assert!(!semaphore.is_locked());
            /// let permit = semaphore.try_acquire();
            /// assert!(semaphore.is_locked());
            /// # drop(permit);
            /// ```
            #[inline]
            pub fn is_locked(&self) -> bool {
                self.gate.looks();
                let word = self.gate.word();
                word & QUEUED != 0 || word / PERMIT == 0
            }

            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            fn try_take(&self, permits: usize) -> bool {
                permits == 0 || self.gate.attempt(permits)
            }
        }

        impl Gated for $semaphore {
            type Policy = Counting;
            type Flavour = ThisFlavour;

            #[inline]
            fn gate(&self) -> &Gate<Counting, ThisFlavour> {
                &self.gate
            }

            #[inline]
            fn permits(&self) -> Option<&Permits> {
                Some(&self.permits)
            }
        }

        impl Default for $semaphore {
            /// One permit, as in asyncio.
            #[inline]
            fn default() -> Self {
                Self::new(1)
            }
        }

        async_lock! {
            $semaphore[] {
                $permit<'a>, $semaphore::acquire, $semaphore::try_acquire, $acquire<'a>,
                1 => |semaphore| $permit::new(semaphore, 1)
            }
        }
    };
}

semaphore!(
    Semaphore,
    "Semaphore",
    SemaphorePermit,
    OwnedSemaphorePermit,
    SemaphoreAcquire,
    SemaphoreAcquireOwned
);
semaphore!(
    BoundedSemaphore,
    "BoundedSemaphore",
    BoundedSemaphorePermit,
    OwnedBoundedSemaphorePermit,
    BoundedSemaphoreAcquire,
    BoundedSemaphoreAcquireOwned
);
