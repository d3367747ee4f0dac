//! Sections of locks that can be lost while they are held.
//!
//! A section gets the [`Lease`] of each lock with a `?`, once it has the guard. A lock that
//! cannot fail has none: autoderef specialization detects that (see
//! [`bind`](super::bind)), and its section is the same as without the `?`. Other locks
//! decide at run time.

use core::convert::Infallible;
use core::future::Future;
use core::marker::PhantomData;
use core::ops::Deref;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::enter::{Enter, EnterShared};
use super::entry_type::{Entry, EntryType};
use crate::traits::lock_impls::Infallibly;
use crate::{CanBeLost, Lease};

impl<T: Entry> EntryType<T> {
    /// The lease, if the lock can be lost.
    #[inline]
    pub fn __lease<'g, const KEY: u128>(
        &self,
        guard: &<T::Entered as Enter<KEY>>::Guard<'g>,
    ) -> Option<Lease<<T::Entered as Enter<KEY>>::Error>>
    where
        T::Entered: Enter<KEY> + 'g,
    {
        <T::Entered as Enter<KEY>>::lease(guard)
    }

    /// The lease of a read section.
    #[inline]
    pub fn __lease_shared<'g, const KEY: u128>(
        &self,
        guard: &<T::Entered as EnterShared<KEY>>::Guard<'g>,
    ) -> Option<Lease<<T::Entered as EnterShared<KEY>>::Error>>
    where
        T::Entered: EnterShared<KEY> + 'g,
    {
        <T::Entered as EnterShared<KEY>>::lease(guard)
    }
}

/// Whether there can be a lease, by the type of the error.
#[inline]
pub fn leases<E>(_lease: &Option<Lease<E>>) -> Leases<E> {
    Leases(OfAnyError(PhantomData))
}

/// Whether there can be a lease, with a fallback.
pub struct Leases<E>(OfAnyError<E>);

#[doc(hidden)]
pub struct OfAnyError<E>(PhantomData<fn(E)>);

impl Leases<Infallible> {
    /// Nothing.
    #[inline]
    pub fn __held(&self, _lease: Option<Lease<Infallible>>) -> NoLease {
        NoLease
    }
}

impl<E> OfAnyError<E> {
    /// The lease, if there is one.
    #[inline]
    pub fn __held(&self, lease: Option<Lease<E>>) -> HeldLease<E> {
        HeldLease(AnyLease(lease))
    }
}

impl<E> Deref for Leases<E> {
    type Target = OfAnyError<E>;

    #[inline]
    fn deref(&self) -> &OfAnyError<E> {
        &self.0
    }
}

/// The lock cannot be lost.
pub struct NoLease;

impl NoLease {
    /// The body.
    #[inline]
    #[allow(private_interfaces)] // it is a future
    pub fn __while_held<F: Future>(
        &mut self,
        body: F,
    ) -> impl Future<Output = Result<F::Output, Infallible>> + use<F> {
        Infallibly(body)
    }

    /// The lock is not lost.
    #[inline]
    pub fn __vouched(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    /// A block may be left in any way.
    #[inline]
    pub fn __is_left<const AT: usize>(&self) {}
}

/// The lock can be lost, if there is a lease.
pub struct HeldLease<E>(AnyLease<E>);

#[doc(hidden)]
pub struct AnyLease<E>(Option<Lease<E>>);

/// A block that awaits, and whose lock can be lost, may be left only at its end. Implemented by
/// nothing. The number distinguishes the places: of equal bounds, the compiler would report
/// only one.
#[diagnostic::on_unimplemented(
    message = "a block that awaits is left at its end only, where its lock can be lost",
    label = "would leave the block before its end",
    note = "when the lock is lost, the block is dropped at an `.await`: so it is a future of its own, and this would end that future, not the fn or the loop around",
    note = "let the value of the block be a `Result`, and write the `?` behind it: `with_lock!(lock?, {{ .. }})?`",
    note = "or write the section as a fn, `#[synchronized(lock?)]`, which may be left in any way"
)]
pub trait LeavesABlock<const AT: usize> {}

impl<E: CanBeLost> HeldLease<E> {
    /// Stands for a `?`, `return`, `break` or `continue` in a block that awaits.
    #[inline]
    pub fn __is_left<const AT: usize>(&self)
    where
        E: LeavesABlock<AT>,
    {
    }
}

impl<E> AnyLease<E> {
    /// A block whose lock cannot be lost may be left in any way.
    #[inline]
    pub fn __is_left<const AT: usize>(&self) {}
}

impl<E> Deref for HeldLease<E> {
    type Target = AnyLease<E>;

    #[inline]
    fn deref(&self) -> &AnyLease<E> {
        &self.0
    }
}

impl<E> HeldLease<E> {
    /// The body, as long as the lock is held.
    #[inline]
    pub fn __while_held<F: Future>(&mut self, body: F) -> Within<'_, E, F> {
        Within {
            lease: self.0.0.as_mut(),
            body,
        }
    }

    /// Whether the lock is still held, after a body that does not suspend.
    #[inline]
    pub fn __vouched(&mut self) -> Result<(), E> {
        let Some(lease) = &mut self.0.0 else {
            return Ok(());
        };
        match Pin::new(lease).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(error) => Err(error),
            Poll::Pending => Ok(()),
        }
    }
}

/// A body that is dropped when its lock is lost.
#[must_use = "futures do nothing unless they are awaited"]
pub struct Within<'l, E, F> {
    lease: Option<&'l mut Lease<E>>,
    body: F,
}

impl<E, F: Future> Future for Within<'_, E, F> {
    type Output = Result<F::Output, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: `body` is pinned as we are: it is not moved from here on, and dropped in
        // place. The lease is a reference, which may be moved.
        let (lease, body) = unsafe {
            let this = self.get_unchecked_mut();
            (&mut this.lease, Pin::new_unchecked(&mut this.body))
        };
        let Some(lease) = lease else {
            return body.poll(cx).map(Ok);
        };
        // The lease first: a process that was stopped learns of its end before it does
        // anything else.
        if let Poll::Ready(error) = Pin::new(&mut **lease).poll(cx) {
            return Poll::Ready(Err(error));
        }
        let Poll::Ready(value) = body.poll(cx) else {
            return Poll::Pending;
        };
        match Pin::new(&mut **lease).poll(cx) {
            Poll::Ready(error) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Ready(Ok(value)),
        }
    }
}
