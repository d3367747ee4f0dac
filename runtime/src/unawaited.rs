//! Diagnostics for a method of the value that is called on the future of its lock.
//!
//! The compiler suggests an `.await` for an `impl Future`, but never for a future with a
//! name. For a field of the value, it suggests it in neither case.

use core::marker::PhantomData;

use crate::misplaced::misplaced;

/// The `Deref` target of a lock's future: a type without a use, whose name says what to do.
#[doc(hidden)]
#[allow(missing_debug_implementations)]
#[rustfmt::skip] // the compiler shows the line
pub struct AwaitItsLock<T: ?Sized>(PhantomData<fn() -> *const T>); // of a future: write `lock.lock().await`

impl<T: ?Sized> AwaitItsLock<T> {
    pub(crate) const HINT: Self = AwaitItsLock(PhantomData);
}

/// Implemented for nothing: see [`AwaitItsLock`].
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the value is reached once its lock is acquired, and this is the future that acquires it",
    label = "write `.await` after the future",
    note = "in plain code, a thread waits by the form that ends in `_blocking`, where there is one"
)]
pub trait ReachedWithoutAwait {
    /// What is reached.
    type Value;
}

/// Methods that the value may have, for their message, as in `primitives/misnamed`. Method
/// resolution finds them last, after every method of a future.
// On one line each, as the compiler shows that line.
#[rustfmt::skip]
#[doc(hidden)]
#[allow(clippy::should_implement_trait)]
impl<T: ?Sized> AwaitItsLock<T> {
    pub fn release<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn len<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn is_empty<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn iter<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn iter_mut<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn pop<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn pop_front<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn pop_back<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn clear<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn clone<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn keys<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn values<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn values_mut<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn first<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn last<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn take<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn is_some<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn is_none<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn as_ref<R>(&self) -> R where Self: ReachedWithoutAwait { never() }
    pub fn get<R, A>(&self, _: A) -> R where Self: ReachedWithoutAwait { never() }
    pub fn contains<R, A>(&self, _: A) -> R where Self: ReachedWithoutAwait { never() }
    pub fn contains_key<R, A>(&self, _: A) -> R where Self: ReachedWithoutAwait { never() }
    pub fn push<R, A>(&self, _: A) -> R where Self: ReachedWithoutAwait { never() }
    pub fn push_front<R, A>(&self, _: A) -> R where Self: ReachedWithoutAwait { never() }
    pub fn push_back<R, A>(&self, _: A) -> R where Self: ReachedWithoutAwait { never() }
    pub fn push_str<R, A>(&self, _: A) -> R where Self: ReachedWithoutAwait { never() }
    pub fn remove<R, A>(&self, _: A) -> R where Self: ReachedWithoutAwait { never() }
    pub fn entry<R, A>(&self, _: A) -> R where Self: ReachedWithoutAwait { never() }
    pub fn extend<R, A>(&self, _: A) -> R where Self: ReachedWithoutAwait { never() }
}

/// The same for methods with one argument on some types and two on others: the bound fails
/// before the compiler counts the arguments.
#[doc(hidden)]
impl<T: ?Sized> AwaitItsLock<T>
where
    Self: ReachedWithoutAwait,
{
    pub fn insert(&self) {
        never()
    }
}

/// As [`AwaitItsLock`], for a future that returns a guard without a value, or a permit, of an
/// `L`.
#[doc(hidden)]
#[allow(missing_debug_implementations)]
#[rustfmt::skip] // the compiler shows the line
pub struct AwaitIts<L>(PhantomData<fn() -> L>); // of a future: write `lock.acquire().await`

impl<L> AwaitIts<L> {
    pub(crate) const HINT: Self = AwaitIts(PhantomData);
}

/// Implemented for nothing: see [`AwaitIts`].
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "there is a guard, or a permit, once it is acquired, and this is the future that acquires it",
    label = "write `.await` in front of it",
    note = "in plain code, a thread waits by the form that ends in `_blocking`, where there is one"
)]
pub trait AcquiredWithoutAwait {}

/// The methods of guards and permits, as for [`AwaitItsLock`].
#[rustfmt::skip]
#[doc(hidden)]
impl<L> AwaitIts<L> {
    pub fn release<R>(&self) -> R where Self: AcquiredWithoutAwait { never() }
    pub fn forget<R>(&self) -> R where Self: AcquiredWithoutAwait { never() }
    pub fn num_permits<R>(&self) -> R where Self: AcquiredWithoutAwait { never() }
    pub fn split<R, A>(&self, _: A) -> R where Self: AcquiredWithoutAwait { never() }
    pub fn merge<R, A>(&self, _: A) -> R where Self: AcquiredWithoutAwait { never() }
}

/// For the bounds of [`AwaitItsLock`] itself: if a bound names its own type, the compiler shows
/// the message of another trait instead.
#[doc(hidden)]
#[allow(missing_debug_implementations)]
pub struct AwaitFirst<T: ?Sized>(PhantomData<fn() -> *const T>);

misplaced!(index ReachedWithoutAwait: AwaitFirst<T> { AwaitItsLock<T> });
misplaced!(iterate ReachedWithoutAwait: AwaitFirst<T> { AwaitItsLock<T>, &AwaitItsLock<T> });

pub(crate) fn never<R>() -> R {
    unreachable!("the bound is never met")
}
