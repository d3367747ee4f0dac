//! The traits by which the macros acquire a lock, whatever its kind.

#[cfg(all(doc, feature = "alloc"))]
use alloc::boxed::Box;
#[cfg(all(doc, feature = "alloc"))]
use alloc::rc::Rc;
#[cfg(all(doc, feature = "alloc"))]
use alloc::sync::Arc;
use core::convert::Infallible;
use core::future::Future;

use super::lease::Lease;
use super::lock_id::LockId;
use crate::queue::Object;
use crate::watching::Site;

/// An async lock that `#[synchronized]`, `with_lock!` and `#[derive(Guarded)]` can acquire.
///
/// Implemented by the locks of this crate and through `&L`, [`Box<L>`], [`Rc<L>`] and [`Arc<L>`].
/// Acquiring a [`Semaphore`](crate::Semaphore) takes one permit. With features, the locks of other
/// crates implement it: [`adapters`](crate::adapters) has the table.
///
/// Implementations must be cancel-safe: dropping the future of
/// [`acquire`](Self::acquire) must leave the lock as if it had never been
/// polled.
///
/// # Do not import it where you use locks directly
///
/// The methods have the same names as the locks' own. With the trait in scope, method resolution on
/// an `Arc<Lock>` finds the trait's method before that of the `Lock` inside, and
/// `arc.acquire().await` is a `Result`. Import the trait only in generic code;
/// `use async_monitor::*` imports it, too.
///
/// # Send
///
/// The future of `acquire` has no named type, so code that is generic over `L: AsyncLock` cannot
/// prove that it is `Send`. Code with a concrete lock type can.
///
/// # Examples
///
/// ```
/// use async_monitor::{AsyncLock, Lock};
/// use std::convert::Infallible;
///
/// async fn run_alone<L: AsyncLock<Error = Infallible>>(lock: &L) {
///     let Ok(_guard) = lock.acquire().await;
///     // ... nobody else is here ...
/// }
/// # futures::executor::block_on(run_alone(&Lock::new()));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a lock that can be awaited",
    label = "not an async lock",
    note = "locks are `async_monitor::Lock`, and `async_monitor::Mutex<T>` and `RwLock<T>` with the data inside; those of `std` would block the thread",
    note = "those of tokio, async-lock and futures are locks, too, with the feature of that name",
    note = "where no section suspends, the locks of `async_monitor::sync` are acquired by a plain call",
    note = "where a field of this is a lock, or guards this, name that field: `object.lock`, or `lock` alone in a method"
)]
pub trait AsyncLock {
    /// The guard, which holds the lock until it is dropped.
    type Guard<'a>
    where
        Self: 'a;

    /// The error of a failed acquisition; [`Infallible`] for locks in this process.
    type Error;

    /// Waits for the lock.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use async_monitor::{AsyncLock, Mutex};
    /// use std::ops::DerefMut;
    ///
    /// async fn add<'a, L>(lock: &'a L, amount: i32) -> Result<(), L::Error>
    /// where
    ///     L: AsyncLock,
    ///     L::Guard<'a>: DerefMut<Target = i32>,
    /// {
    ///     *lock.acquire().await? += amount;
    ///     Ok(())
    /// }
    ///
    /// let balance = Mutex::new(1);
    /// add(&balance, 2).await.unwrap();
    /// assert_eq!(balance.into_inner(), 3);
    /// # });
    /// ```
    fn acquire(&self) -> impl Future<Output = Result<Self::Guard<'_>, Self::Error>>;

    /// Acquires the lock if that is possible without waiting.
    ///
    /// ```
    /// use async_monitor::{AsyncLock, Lock};
    ///
    /// fn is_free<L: AsyncLock>(lock: &L) -> bool {
    ///     lock.try_acquire().is_some()
    /// }
    ///
    /// let lock = Lock::new();
    /// assert!(is_free(&lock));
    /// let _guard = lock.try_acquire();
    /// assert!(!is_free(&lock));
    /// ```
    fn try_acquire(&self) -> Option<Self::Guard<'_>>;

    /// The identity of this lock. See [`LockId`].
    ///
    /// The default is the address of `self`, which is right for a type that is a lock itself. A
    /// handle, such as [`Arc`], returns the id of the lock that it points to.
    ///
    /// A type that contains locks must return the id of the one that it acquires. With the default,
    /// a `#[repr(C)] struct Two { a: Lock, b: Lock }` that acquires `b` has the address, and hence
    /// the id, of `a`. A section of `two` and `two.a` would then panic as if it acquired a lock
    /// twice, and a section of `two` and `two.b`, which does acquire one twice, would wait for
    /// itself.
    ///
    /// ```
    /// # use async_monitor::{AsyncLock, Lock, LockGuard, LockId};
    /// # use std::convert::Infallible;
    /// #[repr(C)]
    /// struct Two {
    ///     a: Lock,
    ///     b: Lock,
    /// }
    ///
    /// impl AsyncLock for Two {
    /// #   type Guard<'g> = LockGuard<'g>;
    /// #   type Error = Infallible;
    ///     // ...
    ///     async fn acquire(&self) -> Result<LockGuard<'_>, Infallible> {
    ///         Ok(self.b.acquire().await)
    ///     }
    /// #
    /// #   fn try_acquire(&self) -> Option<LockGuard<'_>> {
    /// #       self.b.try_acquire()
    /// #   }
    ///
    ///     fn id(&self) -> LockId {
    ///         self.b.id()
    ///     }
    /// }
    /// # let two = Two { a: Lock::new(), b: Lock::new() };
    /// # assert_eq!(LockId::of(&two), two.a.id());
    /// # assert_eq!(two.id(), two.b.id());
    /// ```
    #[inline]
    fn id(&self) -> LockId {
        LockId::of(self)
    }

    /// A future that completes when the lock is lost although its guard exists, for locks that are
    /// held by a lease; `None` for locks that cannot be lost.
    ///
    /// When the lock is lost, a section that names it with a `?` ends: its body is dropped at its
    /// `.await`, and the section returns the error. [`Lease`] has the details.
    ///
    /// # Examples
    ///
    /// A lock whose guard knows when it is lost:
    ///
    /// ```
    /// use async_monitor::{AsyncLock, CanBeLost, Event, Lease, Lock, LockGuard};
    /// use std::sync::Arc;
    ///
    /// struct Leased {
    ///     lock: Lock,
    ///     expired: Arc<Event>,
    /// }
    ///
    /// #[derive(Debug)]
    /// struct Expired;
    ///
    /// impl CanBeLost for Expired {}
    ///
    /// impl AsyncLock for Leased {
    ///     type Guard<'a> = (LockGuard<'a>, Arc<Event>);
    ///     type Error = Expired;
    ///
    ///     // ...
    /// #     async fn acquire(&self) -> Result<Self::Guard<'_>, Expired> {
    /// #         Ok((self.lock.acquire().await, Arc::clone(&self.expired)))
    /// #     }
    /// #
    /// #     fn try_acquire(&self) -> Option<Self::Guard<'_>> {
    /// #         Some((self.lock.try_acquire()?, Arc::clone(&self.expired)))
    /// #     }
    ///     fn lease<'a>((_, expired): &Self::Guard<'a>) -> Option<Lease<Expired>>
    ///     where
    ///         Self: 'a,
    ///     {
    ///         let expired = Arc::clone(expired);
    ///         Some(Lease::new(async move {
    ///             expired.wait().await;
    ///             Expired
    ///         }))
    ///     }
    /// }
    /// # let leased = Leased { lock: Lock::new(), expired: Arc::new(Event::new()) };
    /// # leased.expired.set();
    /// # let guard = leased.try_acquire().unwrap();
    /// # let Expired = futures::executor::block_on(Leased::lease(&guard).unwrap());
    /// ```
    #[inline]
    fn lease<'a>(_guard: &Self::Guard<'a>) -> Option<Lease<Self::Error>>
    where
        Self: 'a,
    {
        None
    }

    /// The id, of a lock that is watched: what it acquires is known to those who watch.
    #[doc(hidden)]
    #[inline]
    fn __watched_id(&self) -> Option<LockId> {
        None
    }

    /// The same as `try_acquire`, for a section, if no user code runs in it: for a lock
    /// of this crate. A section tries before it waits, as a future costs more than the attempt.
    #[doc(hidden)]
    #[inline]
    fn __acquire_at_once(&self, _site: &'static Site) -> Option<Self::Guard<'_>> {
        None
    }

    /// Releases the lock after a section that has only read: where conditions (`when`)
    /// wait for a change of what is guarded, this is none.
    ///
    /// Locks of this crate do so; of any other nothing is known but the drop of its guard.
    #[doc(hidden)]
    #[inline]
    fn __release_unchanged<'a>(guard: Self::Guard<'a>)
    where
        Self: 'a,
    {
        drop(guard);
    }

    /// Releases the lock of an object. Conditions (`when`) that wait for a change may be
    /// evaluated before, for that object.
    ///
    /// Locks of this crate do so; any other drops its guard.
    ///
    /// # Safety
    ///
    /// The guard is that of the lock which the kind of the object stands for, of that object,
    /// and nothing borrows from it.
    #[doc(hidden)]
    #[inline]
    unsafe fn __release_object<'a>(guard: Self::Guard<'a>, _object: impl FnOnce() -> Object)
    where
        Self: 'a,
    {
        drop(guard);
    }
}

/// An [`AsyncLock`] that several readers can share. As an `AsyncLock`, it is
/// acquired for writing.
///
/// As for [`AsyncLock`], import it only in generic code: with it in scope, `arc.read().await` of an
/// `Arc<RwLock<T>>` is a `Result`.
///
/// ```
/// # futures::executor::block_on(async {
/// use async_monitor::{AsyncRwLock, RwLock};
/// use std::convert::Infallible;
///
/// async fn copy<'a, L, T>(lock: &'a L) -> T
/// where
///     L: AsyncRwLock<Error = Infallible>,
///     L::ReadGuard<'a>: std::ops::Deref<Target = T>,
///     T: Copy,
/// {
///     let Ok(guard) = lock.read().await;
///     *guard
/// }
///
/// assert_eq!(copy(&RwLock::new(1)).await, 1);
/// # });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be acquired for reading",
    label = "not a reader-writer lock",
    note = "use an `async_monitor::RwLock`, marked `#[lock(rw)]` where it is a field of a `#[derive(Guarded)]` struct"
)]
pub trait AsyncRwLock: AsyncLock {
    /// The read guard, which holds the lock for reading until it is dropped.
    type ReadGuard<'a>
    where
        Self: 'a;

    /// Waits for the lock, and acquires it for reading.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use async_monitor::{AsyncRwLock, RwLock};
    ///
    /// /// Waits until those who write now have done so.
    /// async fn settled<L: AsyncRwLock>(lock: &L) -> Result<(), L::Error> {
    ///     lock.read().await.map(drop)
    /// }
    ///
    /// settled(&RwLock::new(())).await.unwrap();
    /// # });
    /// ```
    fn read(&self) -> impl Future<Output = Result<Self::ReadGuard<'_>, Self::Error>>;

    /// Acquires the lock for reading if that is possible without waiting.
    ///
    /// ```
    /// use async_monitor::{AsyncRwLock, RwLock};
    ///
    /// fn is_written<L: AsyncRwLock>(lock: &L) -> bool {
    ///     lock.try_read().is_none()
    /// }
    ///
    /// let lock = RwLock::new(1);
    /// let _reader = lock.try_read();
    /// assert!(!is_written(&lock));
    /// ```
    fn try_read(&self) -> Option<Self::ReadGuard<'_>>;

    /// As [`AsyncLock::__acquire_at_once`], to read.
    #[doc(hidden)]
    #[inline]
    fn __read_at_once(&self, _site: &'static Site) -> Option<Self::ReadGuard<'_>> {
        None
    }
}

/// An [`AsyncLock`] that guarantees exclusion, so it can guard fields.
///
/// # Safety
///
/// - Between the return of [`acquire`](AsyncLock::acquire) or
///   [`try_acquire`](AsyncLock::try_acquire) and the drop of the guard, neither
///   returns another guard of the same lock (for an [`AsyncRwLock`]: nor do
///   `read` and `try_read`), on any thread. The same holds for
///   [`acquire_named`](NamedAcquire::acquire_named), if there is one; and all of
///   them return guards of the lock that they were called on.
/// - The drop of a guard happens before the return of the next guard.
/// - A shared reference to the lock always leads to the same lock.
/// - Where the lock is `Sync`, guards, and the future of [`NamedAcquire::acquire_named`], may be
///   sent to other threads, used and dropped there. Read guards may be used by several threads at a
///   time if the data that they lead to is `Sync`.
///
/// # Examples
///
/// A lock of one's own that guards fields:
///
/// ```
/// # #[cfg(feature = "macros")]
/// # futures::executor::block_on(async {
/// use async_monitor::{AsyncLock, ExclusiveLock, Guarded, Lock, LockGuard, with_lock};
/// use std::convert::Infallible;
///
/// /// A lock that says so.
/// #[derive(Default)]
/// struct Verbose(Lock);
///
/// impl AsyncLock for Verbose {
///     type Guard<'a> = LockGuard<'a>;
///     type Error = Infallible;
///
///     async fn acquire(&self) -> Result<LockGuard<'_>, Infallible> {
///         println!("acquiring");
///         Ok(self.0.acquire().await)
///     }
///
///     fn try_acquire(&self) -> Option<LockGuard<'_>> {
///         self.0.try_acquire()
///     }
/// }
///
/// // SAFETY: the guards are those of the one lock inside, which is never replaced.
/// unsafe impl ExclusiveLock for Verbose {}
///
/// #[derive(Guarded, Default)]
/// struct Counter {
///     #[lock]
///     lock: Verbose,
///     #[guarded_by(lock)]
///     count: Guarded<u32>,
/// }
///
/// let counter = Counter::default();
/// with_lock!(held = counter.lock, {
///     *held.count += 1;
/// });
/// # });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not exclude, so it cannot guard fields",
    label = "cannot guard fields",
    note = "write `async_monitor::Lock` here, or `RwLock<()>` marked `#[lock(rw)]`"
)]
pub unsafe trait ExclusiveLock: AsyncLock {}

/// An [`AsyncRwLock`] that guarantees exclusion, so it can guard fields that several tasks read at
/// a time.
///
/// # Safety
///
/// As for [`ExclusiveLock`], and: while a read guard exists, `acquire` and
/// `try_acquire` return nothing; the drop of a read guard happens before the
/// return of the next write guard, and the drop of a write guard before the
/// return of the next read guard.
///
/// # Examples
///
/// ```
/// use async_monitor::{AsyncRwLock, ExclusiveRwLock, RwLock};
///
/// /// A value, and the lock that guards it.
/// struct Shelf<L: ExclusiveRwLock> {
///     lock: L,
///     // ...
/// }
///
/// let shelf = Shelf { lock: RwLock::new(()) };
/// assert!(shelf.lock.try_read().is_some());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a reader-writer lock, so fields cannot be read through it by several tasks",
    label = "not a reader-writer lock",
    note = "write `async_monitor::RwLock<()>` here, or `#[lock]` in place of `#[lock(rw)]`"
)]
pub unsafe trait ExclusiveRwLock: AsyncRwLock + ExclusiveLock {}

/// A lock whose `acquire` future has a named type, so that a [`Condition`](crate::Condition) can
/// store the future while it re-acquires the lock.
///
/// Implemented by the locks and semaphores of this crate
/// ([`RwLock`](crate::RwLock) for writing), and through `&L`, [`Box<L>`], [`Rc<L>`]
/// and [`Arc<L>`].
///
/// ```
/// # futures::executor::block_on(async {
/// use async_monitor::{Lock, NamedAcquire};
///
/// /// A future that is stored without a `Box`.
/// struct Entering<'a, L: NamedAcquire + 'a> {
///     acquire: L::Acquire<'a>,
/// }
///
/// let lock = Lock::new();
/// let entering = Entering::<Lock> { acquire: lock.acquire_named() };
/// let guard = entering.acquire.await;
/// # drop(guard);
/// # });
/// ```
#[diagnostic::on_unimplemented(
    message = "a `Condition` cannot wait with a guard of `{Self}`",
    label = "this lock cannot be taken again by name",
    note = "use `async_monitor::Lock`, `Mutex` or `RwLock`"
)]
pub trait NamedAcquire: AsyncLock<Error = Infallible> {
    /// The future of [`acquire_named`](Self::acquire_named).
    type Acquire<'a>: Future<Output = Self::Guard<'a>>
    where
        Self: 'a;

    /// Waits for the lock.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use async_monitor::{NamedAcquire, Semaphore};
    ///
    /// async fn run_alone<L: NamedAcquire>(lock: &L) {
    ///     let _guard = lock.acquire_named().await;
    ///     // ... nobody else is here ...
    /// }
    ///
    /// run_alone(&Semaphore::new(1)).await;
    /// # });
    /// ```
    fn acquire_named(&self) -> Self::Acquire<'_>;
}
