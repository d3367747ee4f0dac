//! Guards as proof that a lock is held, and how a guard is given up and reacquired: the
//! requirements of [`Condition`](crate::Condition) on its guards.

use core::future::Future;

use crate::LockId;

/// A value that exists only while a lock is held: a guard, or a view that
/// borrows one.
///
/// It is the argument of [`Condition::notify`](crate::Condition::notify), which
/// can therefore not be called without the lock.
///
/// # Safety
///
/// While the value exists, its owner holds the lock that `lock_id` names.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// use async_monitor::{Condition, HoldsLock, Lock};
///
/// struct Bell {
///     rung: Condition,
/// }
///
/// impl Bell {
///     /// Only a holder of the lock can call this.
///     fn ring(&self, held: &impl HoldsLock) {
///         self.rung.notify_all(held);
///     }
/// }
///
/// let (lock, bell) = (Lock::new(), Bell { rung: Condition::new() });
/// bell.ring(&lock.acquire().await);
/// # });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not prove that a lock is held",
    label = "not a guard",
    note = "pass a reference to the guard of the lock, `condition.notify_one(&guard)`, or, in a section, what it binds, `condition.notify_one(lock)`",
    note = "the lock is an async one of this crate, or guards fields of a `#[derive(Guarded)]` struct"
)]
pub unsafe trait HoldsLock {
    /// The id of the lock that is held.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use async_monitor::{AsyncLock, HoldsLock, Mutex};
    ///
    /// let mutex = Mutex::new(1);
    /// let guard = mutex.lock().await;
    /// assert_eq!(guard.lock_id(), AsyncLock::id(&mutex));
    /// # });
    /// ```
    fn lock_id(&self) -> LockId;
}

/// The view of a guard, borrowed for `'v`: the data that the predicate of
/// [`Condition::wait_for`](crate::Condition::wait_for) sees.
///
/// `Bound` has no meaning of its own: it tells the compiler that `Self: 'v`, so
/// that `for<'v> View<'v>` does not ask for `Self: 'static`.
///
/// ```
/// # futures::executor::block_on(async {
/// use async_monitor::{Mutex, Relock, View};
///
/// /// Whether the predicate holds for what the guard protects.
/// fn holds<G>(guard: &mut G, predicate: impl FnOnce(&<G as View<'_>>::View) -> bool) -> bool
/// where
///     G: Relock,
/// {
///     guard.with_view(predicate)
/// }
///
/// let jobs = Mutex::new(vec![1]);
/// assert!(holds(&mut jobs.lock().await, |jobs| jobs.len() == 1));
/// # });
/// ```
pub trait View<'v, Bound = &'v Self> {
    /// The data, or the struct of references to it.
    type View: ?Sized;
}

/// A guard whose lock can be released for a while and re-acquired:
/// [`Condition::wait`](crate::Condition::wait) takes it by value and returns it.
///
/// Implemented by the guards of [`Lock`](crate::Lock), [`Mutex`](crate::Mutex) and
/// [`RwLock`](crate::RwLock), borrowed or owned, and by the write guards that `#[derive(Guarded)]`
/// generates for a lock that implements [`NamedAcquire`](crate::NamedAcquire). Not implemented by
/// the read guards that it generates, nor by [`MappedMutexGuard`](crate::MappedMutexGuard): they
/// are only proof for [`notify`](crate::Condition::notify).
///
/// Import it only in code that is generic over guards.
///
/// # Safety
///
/// [`give_up`](Self::give_up) releases the lock before it returns, and
/// [`reacquire`](Self::reacquire) returns a guard of the same lock.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// use async_monitor::{Lock, Relock};
///
/// /// Lets other tasks acquire the lock, and re-acquires it.
/// async fn let_pass<G: Relock>(guard: G) -> G {
///     G::reacquire(G::give_up(guard)).await
/// }
///
/// let lock = Lock::new();
/// let guard = let_pass(lock.acquire().await).await;
/// assert!(lock.is_locked());
/// # drop(guard);
/// # });
/// ```
#[diagnostic::on_unimplemented(
    message = "a `Condition` cannot wait with `{Self}`",
    label = "not a guard that can be released and taken back",
    note = "pass the guard itself, by value: `guard = condition.wait(guard).await`",
    note = "the guard is one of `async_monitor::Lock`, `Mutex` or `RwLock`: those of `sync` and of other crates are not taken back",
    note = "a section has no guard to pass: let it wait at entry, `when = condition`, or acquire a guard in place of the section: `let guard = self.acquire_lock().await`, for a lock `lock`"
)]
pub unsafe trait Relock: HoldsLock + Sized + for<'v> View<'v> {
    /// The state that is kept while the lock is released.
    type Released;

    /// The future that re-acquires the lock.
    type Reacquire: Future<Output = Self>;

    /// Releases the lock.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use async_monitor::{Mutex, Relock};
    ///
    /// let mutex = Mutex::new(1);
    /// let released = Relock::give_up(mutex.lock().await);
    /// assert!(!mutex.is_locked());
    /// # let _ = released;
    /// # });
    /// ```
    fn give_up(guard: Self) -> Self::Released;

    /// Re-acquires the lock.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use async_monitor::{Mutex, MutexGuard, Relock};
    ///
    /// let mutex = Mutex::new(1);
    /// let released = Relock::give_up(mutex.lock().await);
    /// let guard = MutexGuard::reacquire(released).await;
    /// assert_eq!(*guard, 1);
    /// # });
    /// ```
    fn reacquire(released: Self::Released) -> Self::Reacquire;

    /// Shows the data that the lock guards.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use async_monitor::{Mutex, Relock};
    ///
    /// let jobs = Mutex::new(vec![1, 2]);
    /// let mut guard = jobs.lock().await;
    /// assert_eq!(guard.with_view(|jobs| jobs.len()), 2);
    /// # });
    /// ```
    fn with_view<R>(&mut self, look: impl FnOnce(&<Self as View<'_>>::View) -> R) -> R;
}

/// Makes guards that have a `permit` fit for a [`Condition`](crate::Condition).
///
/// `Guard[generics], Handle, Future, |guard| data => Data;`
macro_rules! relock_guard {
    ($($guard:ty[$($generics:tt)*], $handle:ty, $future:ty, |$this:ident| $data:expr => $view:ty;)*) => {$(
        // SAFETY: the guard has a permit of the gate, and the id is the gate's address.
        unsafe impl<$($generics)*> $crate::traits::guard::HoldsLock for $guard {
            #[inline]
            fn lock_id(&self) -> $crate::LockId {
                self.permit.lock_id()
            }
        }

        impl<'v, $($generics)*> $crate::traits::guard::View<'v> for $guard {
            type View = $view;
        }

        // SAFETY: `release` releases the lock, and the future enters it again.
        unsafe impl<$($generics)*> $crate::traits::guard::Relock for $guard {
            type Released = $handle;
            type Reacquire = $future;

            #[inline]
            fn give_up(guard: Self) -> $handle {
                guard.permit.release()
            }

            #[inline]
            fn reacquire(handle: $handle) -> $future {
                <$future>::new(handle)
            }

            #[inline]
            fn with_view<R>(&mut self, look: impl FnOnce(&$view) -> R) -> R {
                let $this = &*self;
                look($data)
            }
        }
    )*};
}

pub(crate) use relock_guard;
