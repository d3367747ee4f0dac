//! Stand-in types after an error, so that it is reported once: all other code
//! in the section still type-checks. None of this is ever executed.

use core::convert::Infallible;

use super::enter::{AnyLock, EnterShared};
use super::entry_type::{Entry, EntryType};
use super::suspend_mode::Unknown;
use crate::when::{ConditionalLock, ConditionalRwLock, ConditionalWaiter};
use crate::{AsyncLock, AsyncRwLock, LockId};

/// Implemented by nothing. With a second impl, bounded by this, a derived struct has two
/// ways to implement a trait. If the bounds of its own impl fail, the compiler then reports
/// the trait, and does not suggest implementing it by hand.
#[doc(hidden)]
pub trait ErrorOnly {}

#[diagnostic::do_not_recommend]
impl<L: ErrorOnly + ?Sized, const KEY: u128> EnterShared<KEY> for L {
    type Guard<'g>
        = Infallible
    where
        Self: 'g;
    type Waited<'g>
        = Infallible
    where
        Self: 'g;
    type Error = Infallible;

    fn id(&self) -> LockId {
        unreachable!("nothing implements it")
    }

    async fn wait(&self) -> Result<Infallible, Infallible> {
        unreachable!("nothing implements it")
    }

    fn finish<'g>(waited: Infallible) -> Infallible
    where
        Self: 'g,
    {
        waited
    }
}

/// Fallback after an error: the selected field is not a lock. Never executed. The
/// binding has no known type, so the compiler reports nothing about it.
#[doc(hidden)]
pub struct ErrorEntry;

#[doc(hidden)]
impl ErrorEntry {
    #[inline]
    pub fn __lock(self) -> &'static AnyLock<ErrorLock> {
        AnyLock::new(&ErrorLock)
    }

    pub fn __rollback<A>(&mut self, _: &mut Option<ErrorGuard>, _: A) -> ErrorEntry {
        ErrorEntry
    }

    #[inline]
    pub fn __guard(&mut self) -> &mut ErrorEntry {
        self
    }

    pub fn __bind<T: ?Sized>(&mut self) -> &mut T {
        unreachable!("what is bound is not a lock, which is an error")
    }

    pub fn __bind_shared<T: ?Sized>(&self) -> &T {
        unreachable!("what is bound is not a lock, which is an error")
    }
}

impl Entry for ErrorEntry {
    type Entered = AnyLock<ErrorLock>;
    type Mode = Unknown;
}

/// The lock of an [`ErrorEntry`].
#[doc(hidden)]
pub struct ErrorLock;

/// The guard of [`ErrorLock`].
#[doc(hidden)]
pub struct ErrorGuard;

#[diagnostic::do_not_recommend]
impl AsyncLock for ErrorLock {
    type Guard<'a> = ErrorGuard;
    type Error = Infallible;

    #[inline]
    async fn acquire(&self) -> Result<ErrorGuard, Infallible> {
        Ok(ErrorGuard)
    }

    #[inline]
    fn try_acquire(&self) -> Option<ErrorGuard> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl AsyncRwLock for ErrorLock {
    type ReadGuard<'a> = ErrorGuard;

    #[inline]
    async fn read(&self) -> Result<ErrorGuard, Infallible> {
        Ok(ErrorGuard)
    }

    #[inline]
    fn try_read(&self) -> Option<ErrorGuard> {
        None
    }
}

/// Fallback after an error: the selected field is not a lock. Never executed.
#[doc(hidden)]
impl EntryType<ErrorEntry> {
    pub fn __view<G>(&self, _: &mut G) -> ErrorEntry {
        ErrorEntry
    }

    #[inline]
    pub fn __conditional<'a>(&self, lock: &'a AnyLock<ErrorLock>) -> &'a AnyLock<ErrorLock> {
        lock
    }

    pub fn __evaluate<G>(&self, _: G) -> ErrorEntry {
        ErrorEntry
    }

    pub fn __restorable<G>(&self, _: &mut G) -> ErrorEntry {
        ErrorEntry
    }
}

// SAFETY: never executed, and there is no waiter.
#[diagnostic::do_not_recommend]
unsafe impl ConditionalLock for ErrorLock {
    #[inline]
    fn waiter(&self) -> ConditionalWaiter<'_> {
        unreachable!("there is no lock, which is an error")
    }

    #[inline]
    unsafe fn granted_guard(&self) -> ErrorGuard {
        ErrorGuard
    }
}

// SAFETY: never executed, and there is no waiter.
#[diagnostic::do_not_recommend]
unsafe impl ConditionalRwLock for ErrorLock {
    #[inline]
    fn read_waiter(&self) -> ConditionalWaiter<'_> {
        unreachable!("there is no lock, which is an error")
    }

    #[inline]
    unsafe fn granted_read_guard(&self) -> ErrorGuard {
        ErrorGuard
    }
}
