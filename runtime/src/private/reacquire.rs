//! How a generated guard reacquires its lock after `Condition::wait`.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::Core;
use super::locks::{GuardOf, LockOf};
use crate::{AsyncLock, ExclusiveLock, NamedAcquire};

/// `&L` where `L: NamedAcquire`: a lock that a `Condition` can reacquire.
///
/// The bound is `for<'a> &'a L: Reacquirable<'a, L>`. The compiler checks a higher-ranked
/// bound where a guard is passed to a `Condition`; a plain
/// `L: NamedAcquire` would reject structs with other locks at the derive.
///
/// # Safety
///
/// The future returns a guard of the lock that made it.
#[diagnostic::on_unimplemented(
    message = "a `Condition` cannot wait with a guard of this lock",
    label = "this lock cannot be taken again by name",
    note = "guard the fields with `async_monitor::Lock`, `Mutex` or `RwLock`"
)]
pub unsafe trait Reacquirable<'g, L: AsyncLock + ?Sized> {
    /// The future that acquires the lock.
    type Acquire;

    /// Starts to wait for the lock. The compiler suggests methods even of hidden traits,
    /// so its name is not one that users write.
    fn __start(self) -> Self::Acquire;

    /// Polls the future.
    fn poll(future: Pin<&mut Self::Acquire>, cx: &mut Context<'_>) -> Poll<L::Guard<'g>>
    where
        L: 'g;
}

// SAFETY: by the contract of `ExclusiveLock`.
#[diagnostic::do_not_recommend]
unsafe impl<'g, L: NamedAcquire + ExclusiveLock + ?Sized> Reacquirable<'g, L> for &'g L {
    type Acquire = L::Acquire<'g>;

    #[inline]
    fn __start(self) -> L::Acquire<'g> {
        self.acquire_named()
    }

    #[inline]
    fn poll(future: Pin<&mut L::Acquire<'g>>, cx: &mut Context<'_>) -> Poll<L::Guard<'g>>
    where
        L: 'g,
    {
        future.poll(cx)
    }
}

/// The future that reacquires a lock. The second field makes it `Sized` whatever the type
/// of the lock.
pub struct ReacquireLock<'g, L: AsyncLock + ?Sized>(<&'g L as Reacquirable<'g, L>>::Acquire, ())
where
    &'g L: Reacquirable<'g, L>;

impl<'g, L: AsyncLock + ?Sized> ReacquireLock<'g, L>
where
    &'g L: Reacquirable<'g, L>,
{
    /// Starts to wait for the lock.
    #[inline]
    pub fn new(lock: &'g L) -> Self {
        ReacquireLock(Reacquirable::__start(lock), ())
    }
}

impl<'g, L: AsyncLock + ?Sized> Future for ReacquireLock<'g, L>
where
    &'g L: Reacquirable<'g, L>,
{
    type Output = L::Guard<'g>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<L::Guard<'g>> {
        // SAFETY: the field is accessed only pinned, and the
        // struct has no destructor and is `Unpin` only if the field is.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.0) };
        <&'g L as Reacquirable<'g, L>>::poll(future, cx)
    }
}

/// Reacquires the lock of an object: the contents of the generated futures. `F` is
/// the future of the lock.
pub struct Reacquire<'g, O: ?Sized, F, const KEY: u128> {
    future: F,
    owner: &'g O,
}

// Written out for the same reason as for `Core`.
//
// SAFETY: `O: Sync` makes the lock `Sync`. Every `Reacquirable` lock is an
// `ExclusiveLock`, which promises that the future is then `Send`.
unsafe impl<O: ?Sized + Sync, F, const KEY: u128> Send for Reacquire<'_, O, F, KEY> {}

impl<'g, O, F, M: 'g, const KEY: u128> Reacquire<'g, O, F, KEY>
where
    O: LockOf<M> + ?Sized,
    F: Future<Output = GuardOf<'g, O, M>>,
{
    /// # Safety
    ///
    /// `future` acquires the lock of `owner` that `KEY` stands for, and was made by that lock
    /// as an [`ExclusiveLock`].
    #[inline]
    pub unsafe fn new(owner: &'g O, future: F) -> Self {
        Reacquire { future, owner }
    }

    /// Polls until the lock is held.
    #[inline]
    pub fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Core<'g, O, F::Output, KEY>> {
        let owner = self.owner;
        // SAFETY: `future` is accessed only pinned, and the struct has no
        // destructor and is `Unpin` only if the future is.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.future) };
        future
            .poll(cx)
            // SAFETY: the future returned a guard of its lock, which the caller
            // of `new` promised to be the lock `KEY`.
            .map(|guard| unsafe { Core::new(owner, guard) })
    }
}

/// Never `Unpin`, whatever `'g`: the bound of a generated impl of `Unpin`. As the struct has
/// that impl, its user cannot write another one.
pub struct NeverUnpin<'g>(
    core::marker::PhantomData<&'g ()>,
    core::marker::PhantomPinned,
);

/// Implemented for every type that implements `Drop`. A struct that implements this by hand
/// cannot implement `Drop`: the two impls would overlap.
pub trait MustNotImplDrop {}

// That `Drop` is a strange bound is the point.
#[allow(drop_bounds)]
impl<T: Drop + ?Sized> MustNotImplDrop for T {}
