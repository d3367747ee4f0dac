//! The permits of the semaphores and the futures that return them.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

use super::{BoundedSemaphore, Semaphore, let_rc, rc, use_of, use_rc};
use crate::gate::{Acquiring, GatePermit, Gated};
use crate::platform::Ordering;
use crate::request::Mode;
use crate::traits::lock_id::LockId;
use crate::watching::{self, Caller};

impl Semaphore {
    /// A permit was forgotten.
    #[inline]
    fn forgot(&self, _permits: usize) {
        self.permits.changed(LockId::of(&self.gate));
    }
}

impl BoundedSemaphore {
    /// A permit was forgotten, until it is released by number (S2).
    #[inline]
    fn forgot(&self, permits: usize) {
        self.permits.changed(LockId::of(&self.gate));
        self.gate.attempts(permits, Caller::here());
        // Release: pairs with the Acquire of `release`.
        self.forgotten.fetch_add(permits, Ordering::Release);
    }
}

/// Permits, and the futures that return them. The arguments after `example` are for the doc
/// examples: the names to import, for those of the methods, of the permit and of the future; the
/// import of the pointer, if there is one; the expression of a semaphore; the methods that
/// acquire one permit, and several; the types of the permit and of the future.
macro_rules! permits {
    ($($(#[$doc:meta])* $permit:ident[$($a:lifetime)?] of $handle:ty, $(#[$future_doc:meta])* $acquire:ident, example $names:literal, $permit_names:literal, $future_names:literal, [$($rc:expr)?], $semaphore:expr, $one:literal, $many:literal, $permit_type:literal, $future_type:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// ```
        /// # futures::executor::block_on(async {
        #[doc = use_of!($permit_names)]
        $(#[doc = $rc])?
        ///
        #[doc = $semaphore]
        #[doc = concat!("let permits: ", $permit_type, " = semaphore.", $many, "(2).await;")]
        /// assert_eq!(semaphore.available_permits(), 1);
        /// drop(permits);
        /// assert_eq!(semaphore.available_permits(), 3);
        /// # });
        /// ```
        #[must_use = "the permits are given back as soon as the guard is dropped"]
        pub struct $permit<$($a)?> {
            pub(super) permit: GatePermit<$handle, usize>,
        }

        impl<$($a)?> $permit<$($a)?> {
            /// The gate has granted that many permits to the caller.
            #[inline]
            pub(crate) fn new(handle: $handle, permits: usize) -> Self {
                Self { permit: GatePermit::new(handle, permits) }
            }

            /// The number of permits that this value holds.
            ///
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = use_of!($names)]
            $(#[doc = $rc])?
            ///
            #[doc = $semaphore]
            #[doc = concat!("let permits = semaphore.", $many, "(2).await;")]
            /// assert_eq!(permits.num_permits(), 2);
            /// # });
            /// ```
            #[inline]
            pub fn num_permits(&self) -> usize {
                self.permit.claim()
            }

            /// Releases the permits. Equivalent to `drop(permit)`.
            ///
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = use_of!($names)]
            $(#[doc = $rc])?
            ///
            #[doc = $semaphore]
            #[doc = concat!("let permits = semaphore.", $many, "(2).await;")]
            /// permits.release();
            /// assert_eq!(semaphore.available_permits(), 3);
            /// # });
            /// ```
            #[inline]
            pub fn release(self) {
                self.permit.release();
            }

            /// Consumes the permits without releasing them.
            ///
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = use_of!($names)]
            $(#[doc = $rc])?
            ///
            #[doc = $semaphore]
            #[doc = concat!("let permits = semaphore.", $many, "(2).await;")]
            /// permits.forget();
            /// assert_eq!(semaphore.available_permits(), 1);
            /// # });
            /// ```
            #[inline]
            pub fn forget(self) {
                let permits = self.num_permits();
                watching::released(|| (self.permit.lock_id(), Mode::Permits(permits)));
                let handle = self.permit.into_handle();
                handle.forgot(permits);
            }

            /// Splits off `permits` permits. Returns `None`, and changes nothing, if this value
            /// holds fewer.
            ///
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = use_of!($names)]
            $(#[doc = $rc])?
            ///
            #[doc = $semaphore]
            #[doc = concat!("let mut permits = semaphore.", $many, "(3).await;")]
            /// let one = permits.split(1).expect("there are three");
            /// assert_eq!((permits.num_permits(), one.num_permits()), (2, 1));
            /// assert!(permits.split(3).is_none());
            /// # });
            /// ```
            #[inline]
            pub fn split(&mut self, permits: usize) -> Option<Self> {
                let left = self.num_permits().checked_sub(permits)?;
                let handle = self.permit.handle().clone();
                self.permit.set_claim(left);
                Some(Self::new(handle, permits))
            }

            /// Adds the permits of `other` to this value.
            ///
            /// # Panics
            ///
            /// If `other` belongs to another semaphore. Its permits are released, to that
            /// semaphore.
            ///
            /// # Examples
            ///
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = use_of!($names)]
            $(#[doc = $rc])?
            ///
            #[doc = $semaphore]
            #[doc = concat!("let mut permits = semaphore.", $many, "(2).await;")]
            #[doc = concat!("permits.merge(semaphore.", $one, "().await);")]
            /// assert_eq!(permits.num_permits(), 3);
            /// # });
            /// ```
            #[track_caller]
            #[inline]
            pub fn merge(&mut self, other: Self) {
                assert!(
                    ptr::eq(self.permit.handle().gate(), other.permit.handle().gate()),
                    "cannot merge permits of two different semaphores"
                );
                let permits = self.num_permits().saturating_add(other.num_permits());
                other.permit.into_handle();
                self.permit.set_claim(permits);
            }
        }

        impl<$($a)?> fmt::Debug for $permit<$($a)?> {
            #[inline]
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($permit))
                    .field("permits", &self.num_permits())
                    .finish_non_exhaustive()
            }
        }

        $(#[$future_doc])*
        ///
        /// It does nothing until it is polled, and may be dropped at any time:
        /// see the cancel safety of the method.
        ///
        /// ```
        /// # futures::executor::block_on(async {
        #[doc = use_of!($future_names)]
        $(#[doc = $rc])?
        ///
        #[doc = $semaphore]
        #[doc = concat!("let acquiring: ", $future_type, " = semaphore.", $one, "();")]
        /// let permit = acquiring.await;
        /// # drop(permit);
        /// # });
        /// ```
        #[must_use = "futures do nothing unless they are awaited"]
        pub struct $acquire<$($a)?> {
            acquiring: Acquiring<$handle>,
        }

        impl<$($a)?> $acquire<$($a)?> {
            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            pub(crate) fn new(handle: $handle, permits: usize) -> Self {
                Self { acquiring: Acquiring::new(handle, permits) }
            }
        }

        impl<$($a)?> Future for $acquire<$($a)?> {
            type Output = $permit<$($a)?>;

            #[inline]
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let permits = self.acquiring.request();
                // SAFETY: the only field is pinned with the struct.
                let acquiring = unsafe { self.map_unchecked_mut(|this| &mut this.acquiring) };
                acquiring.poll(cx).map(|handle| $permit::new(handle, permits))
            }
        }

        impl<$($a)?> fmt::Debug for $acquire<$($a)?> {
            #[inline]
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($acquire))
                    .field("permits", &self.acquiring.request())
                    .field("terminated", &self.acquiring.is_terminated())
                    .finish_non_exhaustive()
            }
        }
    )*};
}

permits! {
    /// Permits of a [`Semaphore`], given back on drop.
    SemaphorePermit['a] of &'a Semaphore,
    /// The future of [`Semaphore::acquire`] and `acquire_many`.
    SemaphoreAcquire,
    example "Semaphore", "{Semaphore, SemaphorePermit}", "{Semaphore, future::SemaphoreAcquire}",
        [], "let semaphore = Semaphore::new(3);",
        "acquire", "acquire_many", "SemaphorePermit<'_>", "SemaphoreAcquire<'_>";

    /// Permits of a [`Semaphore`] that it keeps alive, given back on drop.
    OwnedSemaphorePermit[] of rc!(Semaphore),
    /// The future of [`Semaphore::acquire_owned`] and `acquire_many_owned`.
    SemaphoreAcquireOwned,
    example "Semaphore", "{OwnedSemaphorePermit, Semaphore}",
        "{Semaphore, future::SemaphoreAcquireOwned}",
        [use_rc!()], let_rc!("semaphore", "Semaphore::new(3)"),
        "acquire_owned", "acquire_many_owned", "OwnedSemaphorePermit", "SemaphoreAcquireOwned";

    /// Permits of a [`BoundedSemaphore`], given back on drop.
    BoundedSemaphorePermit['a] of &'a BoundedSemaphore,
    /// The future of [`BoundedSemaphore::acquire`] and `acquire_many`.
    BoundedSemaphoreAcquire,
    example "BoundedSemaphore", "{BoundedSemaphore, BoundedSemaphorePermit}",
        "{BoundedSemaphore, future::BoundedSemaphoreAcquire}",
        [], "let semaphore = BoundedSemaphore::new(3);",
        "acquire", "acquire_many", "BoundedSemaphorePermit<'_>", "BoundedSemaphoreAcquire<'_>";

    /// Permits of a [`BoundedSemaphore`] that it keeps alive, given back on drop.
    OwnedBoundedSemaphorePermit[] of rc!(BoundedSemaphore),
    /// The future of [`BoundedSemaphore::acquire_owned`] and
    /// `acquire_many_owned`.
    BoundedSemaphoreAcquireOwned,
    example "BoundedSemaphore", "{BoundedSemaphore, OwnedBoundedSemaphorePermit}",
        "{BoundedSemaphore, future::BoundedSemaphoreAcquireOwned}",
        [use_rc!()], let_rc!("semaphore", "BoundedSemaphore::new(3)"),
        "acquire_owned", "acquire_many_owned",
        "OwnedBoundedSemaphorePermit", "BoundedSemaphoreAcquireOwned";
}
