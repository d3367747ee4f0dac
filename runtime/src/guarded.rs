//! The cell that a lock of the same struct guards.

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::Deref;
use std::boxed::Box;

/// A field that belongs to a lock of its struct.
///
/// It has no safe access through `&self`: the code that
/// `#[derive(Guarded)]` generates hands out references to the value, and
/// only while the lock is held. Whoever has the whole struct to itself
/// (`&mut`, or by value) needs no lock.
///
/// `Guarded<T>` is `Sync` when `T` is `Send`, like a mutex: one task at a time
/// reaches the value.
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
pub struct Guarded<T: ?Sized>(UnsafeCell<T>);

// SAFETY: through `&Guarded<T>` the value is reached only by code that has
// proved, by an `unsafe` call, that nobody else reaches it at the same time
// (`T: Send` then suffices), or that all others only read (the code that does
// so asks for `T: Sync` itself).
unsafe impl<T: ?Sized + Send> Sync for Guarded<T> {}

impl<T> Guarded<T> {
    /// Wraps a value for the lock that will guard it.
    #[inline]
    pub const fn new(value: T) -> Self {
        Guarded(UnsafeCell::new(value))
    }

    /// Unwraps the value. Needs no lock, as nobody else has the cell.
    #[inline]
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> Guarded<T> {
    /// The value. Needs no lock, as nobody else has the cell.
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
/// and is good for nothing: the message then says what to do by its name.
#[doc(hidden)]
#[allow(missing_debug_implementations)]
pub struct AcquireItsLock<T: ?Sized>(PhantomData<fn() -> Box<T>>);

impl<T: ?Sized> AcquireItsLock<T> {
    const HINT: Self = AcquireItsLock(PhantomData);
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
