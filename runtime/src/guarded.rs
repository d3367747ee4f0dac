//! The cell that a lock of the same struct guards.

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::Deref;

use crate::misplaced::misplaced;

/// A field that belongs to a lock of its struct.
///
/// It has no safe access through `&self`: only the code that `#[derive(Guarded)]` generates hands
/// out references to the value, and only while the lock is held. With exclusive access to the
/// struct (`&mut`, or by value), no lock is needed.
///
/// Like a mutex, `Guarded<T>` is `Sync` when `T` is `Send`: one task at a time can access the
/// value.
///
/// ```
/// use async_monitor::Guarded;
///
/// let mut balance = Guarded::new(1);
/// *balance.get_mut() += 1;
/// assert_eq!(balance.into_inner(), 2);
/// ```
#[derive(Default)]
#[repr(transparent)]
#[rustfmt::skip] // the compiler shows the line
pub struct Guarded<T: ?Sized>(UnsafeCell<T>); // only while its lock is held: in a section, write `lock.field`

// SAFETY: through `&Guarded<T>` the value is accessed only by code that has
// promised, by an `unsafe` call, that nobody else accesses it at the same time
// (`T: Send` then suffices), or that all others only read (that code requires
// `T: Sync` itself).
unsafe impl<T: ?Sized + Send> Sync for Guarded<T> {}

impl<T> Guarded<T> {
    /// Wraps a value that a lock will guard.
    ///
    /// ```
    /// use async_monitor::{Guarded, Lock};
    ///
    /// struct Counter {
    ///     lock: Lock,
    ///     count: Guarded<u64>,
    /// }
    ///
    /// let counter = Counter { lock: Lock::new(), count: Guarded::new(0) };
    /// # assert_eq!(counter.count.into_inner(), 0);
    /// ```
    #[inline]
    pub const fn new(value: T) -> Self {
        Guarded(UnsafeCell::new(value))
    }

    /// Consumes the cell and returns the value. Owning the cell proves that nobody else can access
    /// it.
    ///
    /// ```
    /// use async_monitor::Guarded;
    ///
    /// let names = Guarded::new(vec!["a", "b"]);
    /// assert_eq!(names.into_inner(), ["a", "b"]);
    /// ```
    #[inline]
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> Guarded<T> {
    /// The value, without a lock: `&mut self` proves that nobody else can access it.
    ///
    /// ```
    /// use async_monitor::Guarded;
    ///
    /// let mut names = Guarded::new(vec!["a"]);
    /// names.get_mut().push("b");
    /// assert_eq!(names.into_inner(), ["a", "b"]);
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// A pointer to the value, for the code of the derive.
    #[doc(hidden)]
    #[inline]
    pub const fn __pointer(&self) -> *mut T {
        self.0.get()
    }
}

/// What the compiler names where a guarded field is used without its lock.
///
/// A type that cannot be dereferenced gets the compiler's own words, which nothing
/// can change: "cannot be dereferenced". So it can, to this, which has no value
/// and is good for nothing: the message then says what to do by its name. Where a value of
/// another type is expected, the name is all that the message has, as long as the compiler knows
/// no `#[diagnostic::on_type_error]`.
#[doc(hidden)]
#[rustfmt::skip] // the compiler shows the line
pub struct AcquireItsLock<T: ?Sized>(PhantomData<fn() -> *const T>); // without its lock: in a section, write `lock.field`

impl<T: ?Sized> AcquireItsLock<T> {
    const HINT: Self = AcquireItsLock(PhantomData);
}

/// Implemented for nothing: see [`AcquireItsLock`].
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `Guarded<_>` field is reached only while its lock is held",
    label = "reached without its lock",
    note = "in a `#[synchronized(lock)]` method or a `with_lock!(object.lock, {{ .. }})` block, write `lock.field`; with a guard, `guard.fields().field`",
    note = "whoever has a `&mut` to the object needs no lock: `object.field.get_mut()`"
)]
pub trait ReachedWithoutItsLock {
    /// What is reached.
    type Value;
}

/// What the compiler finds where a field of a guard is used, which is one of what
/// `fields()` returns: in place of "no field .. on type .., available fields are: `0`, `1`".
#[doc(hidden)]
#[allow(missing_debug_implementations)]
#[rustfmt::skip] // the compiler shows the line
pub struct CallFields<T: ?Sized>(PhantomData<fn() -> *const T>); // of a guard: write `guard.fields().field`

impl<T: ?Sized> CallFields<T> {
    pub const HINT: Self = CallFields(PhantomData);
}

/// Implemented for nothing: see [`CallFields`].
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "what a guard leads to is reached through `fields()`",
    label = "write `.fields()` between the guard and the field",
    note = "`let mut held = guard.fields();` is what a section binds: `held.field`"
)]
pub trait ReachedThroughFields {
    /// What is reached.
    type Value;
}

/// Methods that the value may have, for their message, as in `primitives/misnamed`. The compiler
/// comes to them last, after every method that somebody could mean to call on a
/// `Guarded`.
// On one line each, as the compiler shows that line.
#[rustfmt::skip]
#[doc(hidden)]
#[allow(clippy::should_implement_trait, clippy::wrong_self_convention)]
impl<T: ?Sized> AcquireItsLock<T> {
    pub fn len<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn is_empty<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn iter<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn iter_mut<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn pop<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn pop_front<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn pop_back<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn clear<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn clone<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn keys<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn values<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn values_mut<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn first<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn last<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn take<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn is_some<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn is_none<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn as_ref<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn abs<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn as_deref<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn as_mut<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn as_str<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn back<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn back_mut<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn chars<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn cloned<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn copied<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn first_mut<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn front<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn front_mut<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn into_iter<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn is_err<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn is_ok<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn last_mut<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn lines<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn reverse<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn sort<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn to_owned<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn to_string<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn trim<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn unwrap<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn unwrap_or_default<R>(&self) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn get<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn contains<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn contains_key<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn push<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn push_front<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn push_back<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn push_str<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn remove<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn entry<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn extend<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn and_then<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn append<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn checked_add<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn checked_sub<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn drain<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn ends_with<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn expect<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn get_or_insert_with<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn is_some_and<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn map<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn max<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn min<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn ok_or<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn pow<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn retain<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn saturating_add<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn saturating_sub<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn sort_by_key<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn starts_with<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn swap_remove<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn truncate<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn unwrap_or<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn unwrap_or_else<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
    pub fn wrapping_add<R, A>(&self, _: A) -> R where Self: ReachedWithoutItsLock { never() }
}

/// The same for what takes one argument here and two there: as the compiler looks at
/// the bound before it takes the method, it does not count them.
#[doc(hidden)]
impl<T: ?Sized> AcquireItsLock<T>
where
    Self: ReachedWithoutItsLock,
{
    pub fn insert(&self) {
        never()
    }
}

/// As those of [`AcquireItsLock`].
#[rustfmt::skip]
#[doc(hidden)]
#[allow(clippy::should_implement_trait)]
impl<T: ?Sized> CallFields<T> {
    pub fn len<R>(&self) -> R where Self: ReachedThroughFields { never() }
    pub fn is_empty<R>(&self) -> R where Self: ReachedThroughFields { never() }
    pub fn iter<R>(&self) -> R where Self: ReachedThroughFields { never() }
    pub fn iter_mut<R>(&self) -> R where Self: ReachedThroughFields { never() }
    pub fn clear<R>(&self) -> R where Self: ReachedThroughFields { never() }
    pub fn clone<R>(&self) -> R where Self: ReachedThroughFields { never() }
    pub fn get<R, A>(&self, _: A) -> R where Self: ReachedThroughFields { never() }
    pub fn contains<R, A>(&self, _: A) -> R where Self: ReachedThroughFields { never() }
    pub fn contains_key<R, A>(&self, _: A) -> R where Self: ReachedThroughFields { never() }
    pub fn push<R, A>(&self, _: A) -> R where Self: ReachedThroughFields { never() }
    pub fn push_back<R, A>(&self, _: A) -> R where Self: ReachedThroughFields { never() }
    pub fn remove<R, A>(&self, _: A) -> R where Self: ReachedThroughFields { never() }
    pub fn entry<R, A>(&self, _: A) -> R where Self: ReachedThroughFields { never() }
    pub fn extend<R, A>(&self, _: A) -> R where Self: ReachedThroughFields { never() }
}

/// As that of [`AcquireItsLock`].
#[doc(hidden)]
impl<T: ?Sized> CallFields<T>
where
    Self: ReachedThroughFields,
{
    pub fn insert(&self) {
        never()
    }
}

misplaced!(index ReachedWithoutItsLock: AcquireItsLock<T> { Guarded<T> });
misplaced!(index ReachedWithoutItsLock: Guarded<T> { AcquireItsLock<T> });
misplaced!(iterate ReachedWithoutItsLock: AcquireItsLock<T> { Guarded<T>, &Guarded<T> });
misplaced!(iterate ReachedWithoutItsLock: Guarded<T> { AcquireItsLock<T>, &AcquireItsLock<T> });

misplaced!(index ReachedThroughFields: Guarded<T> { CallFields<T> });
misplaced!(iterate ReachedThroughFields: Guarded<T> { CallFields<T>, &CallFields<T> });

/// Formatting is a use, too. (Where the bound is one of the type itself, the compiler shows the
/// message of `Display`, not ours.)
#[doc(hidden)]
impl<T: ?Sized> fmt::Display for Guarded<T>
where
    AcquireItsLock<T>: ReachedWithoutItsLock,
{
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        never()
    }
}

/// As that of [`Guarded`].
#[doc(hidden)]
impl<T: ?Sized> fmt::Display for AcquireItsLock<T>
where
    Guarded<T>: ReachedWithoutItsLock,
{
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        never()
    }
}

/// As that of [`Guarded`].
#[doc(hidden)]
impl<T: ?Sized> fmt::Debug for AcquireItsLock<T>
where
    Guarded<T>: ReachedWithoutItsLock,
{
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        never()
    }
}

fn never<R>() -> R {
    unreachable!("the bound is never met")
}

#[doc(hidden)]
impl<T: ?Sized> Deref for Guarded<T> {
    type Target = AcquireItsLock<T>;

    #[inline]
    fn deref(&self) -> &AcquireItsLock<T> {
        const { &AcquireItsLock::HINT }
    }
}

impl<T> From<T> for Guarded<T> {
    #[inline]
    fn from(value: T) -> Self {
        Guarded::new(value)
    }
}

impl<T: ?Sized> fmt::Debug for Guarded<T> {
    /// Never shows the value: nothing proves that the lock is held.
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guarded(<guarded by a lock>)")
    }
}
