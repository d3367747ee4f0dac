//! How a section enters a lock.
//!
//! A section enters in two steps:
//!
//! ```text
//! let __waited = Enter::wait(__lock).await;       the guard, or for a sync lock nothing yet
//! let mut __guard = __type.__finish(__waited);    the guard
//! ```
//!
//! With several locks, first all are waited for and then all are finished. So the async
//! locks are acquired first, and no `.await` follows the first guard of a sync lock, which
//! is not `Send`.

use core::convert::Infallible;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::suspend_mode::Mode;
use crate::watching::Site;
use crate::{AsyncLock, AsyncRwLock, Lease, LockId, SyncLock, SyncRwLock};

/// Implemented by the derive: the struct has a lock whose name hashes to `KEY`,
/// with these types for its sections.
pub trait HasLock<const KEY: u128> {
    /// `Account.ledger`.
    const __NAME: &'static str;

    /// Whether its sections may suspend: `Suspending`, or `NonSuspending` for a sync lock.
    type Mode: Mode;

    /// The generated guard.
    type Guard<'g>
    where
        Self: 'g;

    /// The generated view.
    type Held<'v>
    where
        Self: 'v;

    /// The address of the lock's field.
    fn lock_address(&self) -> *const ();

    /// Borrows the guard for as long as the view exists.
    fn view<'v>(guard: &'v mut Self::Guard<'_>) -> Self::Held<'v>
    where
        Self: 'v;
}

/// The lock that a section enters, if it is one of this crate.
///
/// Separate from [`Enter`] and [`EnterShared`], as it has no bound that could fail.
pub trait Watched<const KEY: u128> {
    /// The id.
    fn watched_id(&self) -> Option<LockId>;
}

impl<L: AsyncLock + ?Sized, const KEY: u128> Watched<KEY> for AnyLock<L> {
    #[inline]
    fn watched_id(&self) -> Option<LockId> {
        self.0.__watched_id()
    }
}

impl<L: SyncLock + ?Sized, const KEY: u128> Watched<KEY> for AnySyncLock<L> {
    #[inline]
    fn watched_id(&self) -> Option<LockId> {
        self.0.__watched_id()
    }
}

/// An exclusive section can be entered: any [`AsyncLock`], as an `AnyLock`, any
/// [`SyncLock`], as an `AnySyncLock`, and any struct with the lock `KEY`.
///
/// For a sync lock, `Waited` is a `NotYet`, and the future of `wait` a [`NoWait`].
///
/// Separate from [`HasLock`], because the read sections of a struct have bounds
/// that must not influence the selection.
pub trait Enter<const KEY: u128> {
    /// The guard, which holds the lock.
    type Guard<'g>
    where
        Self: 'g;

    /// The result of *wait*: the guard, or the lock that *finish* will acquire.
    type Waited<'g>
    where
        Self: 'g;

    /// Why the acquisition can fail.
    type Error;

    /// Which lock it is.
    fn id(&self) -> LockId;

    /// Acquires at once if possible, for a section: only for locks that run no user code.
    #[inline]
    fn at_once(&self, _site: &'static Site) -> Option<Self::Waited<'_>> {
        None
    }

    /// *Wait*: acquires the lock, unless its guard is not `Send`.
    fn wait(&self) -> impl Future<Output = Result<Self::Waited<'_>, Self::Error>>;

    /// *Wait* for a thread, which parks.
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn wait_blocking(&self) -> Result<Self::Waited<'_>, Self::Error> {
        super::block_on(self.wait())
    }

    /// The guard.
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    fn finish<'g>(waited: Self::Waited<'g>) -> Self::Guard<'g>
    where
        Self: 'g;

    /// The lease, if the lock can be lost while it is held.
    #[inline]
    fn lease<'g>(_guard: &Self::Guard<'g>) -> Option<Lease<Self::Error>>
    where
        Self: 'g,
    {
        None
    }

    /// Releases the lock after a section that has only read.
    #[inline]
    fn release_unchanged<'g>(guard: Self::Guard<'g>)
    where
        Self: 'g,
    {
        drop(guard);
    }
}

/// A read section can be entered. See [`Enter`].
///
/// By the time of this bound, the lock is known to be one. What can be missing is `Sync`, for a
/// reader-writer lock.
#[diagnostic::on_unimplemented(
    message = "a read section lets several tasks have the data of `{Self}` at a time, but not all of it is `Sync`",
    label = "cannot be read by several tasks",
    note = "acquire the lock for writing, `write(..)`, or use types that are `Sync`"
)]
pub trait EnterShared<const KEY: u128> {
    /// The guard, which holds the lock.
    type Guard<'g>
    where
        Self: 'g;

    /// The result of *wait*: the guard, or the lock that *finish* will acquire.
    type Waited<'g>
    where
        Self: 'g;

    /// Why the acquisition can fail.
    type Error;

    /// Which lock it is.
    fn id(&self) -> LockId;

    /// Acquires at once if possible, for a section: only for locks that run no user code.
    #[inline]
    fn at_once(&self, _site: &'static Site) -> Option<Self::Waited<'_>> {
        None
    }

    /// *Wait*: acquires the lock, unless its guard is not `Send`.
    fn wait(&self) -> impl Future<Output = Result<Self::Waited<'_>, Self::Error>>;

    /// *Wait* for a thread, which parks.
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn wait_blocking(&self) -> Result<Self::Waited<'_>, Self::Error> {
        super::block_on(self.wait())
    }

    /// The guard.
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    fn finish<'g>(waited: Self::Waited<'g>) -> Self::Guard<'g>
    where
        Self: 'g;

    /// The lease, if the lock can be lost while it is held.
    #[inline]
    fn lease<'g>(_guard: &Self::Guard<'g>) -> Option<Lease<Self::Error>>
    where
        Self: 'g,
    {
        None
    }
}

/// A lock that belongs to no derive, as a section enters it. It has a type of its
/// own because a struct can have a lock `KEY` and be an [`AsyncLock`] too.
///
/// A reference to a lock can be converted to one to an `AnyLock`, and back.
#[repr(transparent)]
pub struct AnyLock<L: ?Sized>(pub(super) L);

impl<L: ?Sized> AnyLock<L> {
    #[inline]
    pub(super) fn new(lock: &L) -> &Self {
        // SAFETY: the struct is transparent over `L`.
        unsafe { &*(&raw const *lock as *const AnyLock<L>) }
    }
}

/// A sync lock that belongs to no derive, as a section enters it. See [`AnyLock`].
#[repr(transparent)]
pub struct AnySyncLock<L: ?Sized>(pub(super) L);

impl<L: ?Sized> AnySyncLock<L> {
    #[inline]
    pub(super) fn new(lock: &L) -> &Self {
        // SAFETY: the struct is transparent over `L`.
        unsafe { &*(&raw const *lock as *const AnySyncLock<L>) }
    }
}

/// A lock that will be acquired without an `.await`.
pub struct NotYet<'a, E: ?Sized>(pub(super) &'a E);

/// The future of *wait* for a lock that is acquired by *finish*: ready at once.
#[must_use = "futures do nothing unless they are awaited"]
pub struct NoWait<'a, E: ?Sized>(&'a E);

/// No wait.
#[inline]
pub fn no_wait<E: ?Sized>(entered: &E) -> NoWait<'_, E> {
    NoWait(entered)
}

impl<'a, E: ?Sized> NotYet<'a, E> {
    /// No wait, for a thread.
    #[inline]
    pub fn new(entered: &'a E) -> Self {
        NotYet(entered)
    }

    /// The lock to acquire.
    #[inline]
    pub fn entered(self) -> &'a E {
        self.0
    }
}

impl<'a, E: ?Sized> Future for NoWait<'a, E> {
    type Output = Result<NotYet<'a, E>, Infallible>;

    #[inline]
    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(NotYet(self.0)))
    }
}

#[diagnostic::do_not_recommend]
impl<L: SyncLock + ?Sized, const KEY: u128> Enter<KEY> for AnySyncLock<L> {
    type Guard<'g>
        = L::Guard<'g>
    where
        Self: 'g;
    type Waited<'g>
        = NotYet<'g, Self>
    where
        Self: 'g;
    type Error = Infallible;

    #[inline]
    fn id(&self) -> LockId {
        self.0.id()
    }

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn wait(&self) -> impl Future<Output = Result<NotYet<'_, Self>, Infallible>> {
        no_wait(self)
    }

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn wait_blocking(&self) -> Result<NotYet<'_, Self>, Infallible> {
        Ok(NotYet(self))
    }

    #[inline]
    fn finish<'g>(waited: NotYet<'g, Self>) -> L::Guard<'g>
    where
        Self: 'g,
    {
        waited.0.0.acquire()
    }

    #[inline]
    fn release_unchanged<'g>(guard: L::Guard<'g>)
    where
        Self: 'g,
    {
        L::__release_unchanged(guard);
    }
}

#[diagnostic::do_not_recommend]
impl<L: SyncRwLock + ?Sized, const KEY: u128> EnterShared<KEY> for AnySyncLock<L> {
    type Guard<'g>
        = L::ReadGuard<'g>
    where
        Self: 'g;
    type Waited<'g>
        = NotYet<'g, Self>
    where
        Self: 'g;
    type Error = Infallible;

    #[inline]
    fn id(&self) -> LockId {
        self.0.id()
    }

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn wait(&self) -> impl Future<Output = Result<NotYet<'_, Self>, Infallible>> {
        no_wait(self)
    }

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn wait_blocking(&self) -> Result<NotYet<'_, Self>, Infallible> {
        Ok(NotYet(self))
    }

    #[inline]
    fn finish<'g>(waited: NotYet<'g, Self>) -> L::ReadGuard<'g>
    where
        Self: 'g,
    {
        waited.0.0.read()
    }
}

#[diagnostic::do_not_recommend]
impl<L: AsyncLock + ?Sized, const KEY: u128> Enter<KEY> for AnyLock<L> {
    type Guard<'g>
        = L::Guard<'g>
    where
        Self: 'g;
    type Waited<'g>
        = L::Guard<'g>
    where
        Self: 'g;
    type Error = L::Error;

    #[inline]
    fn id(&self) -> LockId {
        self.0.id()
    }

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn wait(&self) -> impl Future<Output = Result<L::Guard<'_>, L::Error>> {
        self.0.acquire()
    }

    #[inline]
    fn at_once(&self, site: &'static Site) -> Option<L::Guard<'_>> {
        self.0.__acquire_at_once(site)
    }

    #[inline]
    fn finish<'g>(waited: L::Guard<'g>) -> L::Guard<'g>
    where
        Self: 'g,
    {
        waited
    }

    #[inline]
    fn lease<'g>(guard: &L::Guard<'g>) -> Option<Lease<L::Error>>
    where
        Self: 'g,
    {
        L::lease(guard)
    }

    #[inline]
    fn release_unchanged<'g>(guard: L::Guard<'g>)
    where
        Self: 'g,
    {
        L::__release_unchanged(guard);
    }
}

#[diagnostic::do_not_recommend]
impl<L: AsyncRwLock + ?Sized, const KEY: u128> EnterShared<KEY> for AnyLock<L> {
    type Guard<'g>
        = L::ReadGuard<'g>
    where
        Self: 'g;
    type Waited<'g>
        = L::ReadGuard<'g>
    where
        Self: 'g;
    type Error = L::Error;

    #[inline]
    fn id(&self) -> LockId {
        self.0.id()
    }

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn wait(&self) -> impl Future<Output = Result<L::ReadGuard<'_>, L::Error>> {
        self.0.read()
    }

    #[inline]
    fn at_once(&self, site: &'static Site) -> Option<L::ReadGuard<'_>> {
        self.0.__read_at_once(site)
    }

    #[inline]
    fn finish<'g>(waited: L::ReadGuard<'g>) -> L::ReadGuard<'g>
    where
        Self: 'g,
    {
        waited
    }
}
