//! What the crate knows of panics.
//!
//! With `std`, they are caught where code of users runs in the middle of something, and it is
//! known whether one is under way. Without, neither is possible, and a panic may abort or
//! unwind, as the program is built. So
//!
//! - a release does not evaluate the conditions of others: it wakes the waiters, who do
//!   (`gate::evaluation`);
//! - a panic of a waker that is woken in a batch ends the program, where it would unwind
//!   through the batch (`wake`).

#[cfg(feature = "std")]
mod known {
    use std::panic::{self, AssertUnwindSafe};
    pub(crate) use std::thread::panicking;

    pub(crate) type Payload = std::boxed::Box<dyn core::any::Any + Send>;

    /// Whether a panic that comes now can be caught and forgotten. During another one it would
    /// end the process.
    #[inline]
    pub(crate) fn can_be_caught() -> bool {
        !panicking()
    }

    /// Runs `f`, up to its panic.
    #[inline]
    pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Payload> {
        panic::catch_unwind(AssertUnwindSafe(f))
    }

    /// Runs `f`, up to its panic, which is forgotten.
    #[inline]
    pub(crate) fn catch_and_forget<R>(f: impl FnOnce() -> R) -> Option<R> {
        // The destructor of a payload could panic in turn.
        catch(f).map_err(core::mem::forget).ok()
    }
}

#[cfg(not(feature = "std"))]
mod unknown {
    /// Whether a panic is under way: nothing says so.
    #[inline]
    pub(crate) fn panicking() -> bool {
        false
    }

    #[inline]
    pub(crate) fn can_be_caught() -> bool {
        false
    }

    /// Not called, as no panic can be caught.
    #[inline]
    pub(crate) fn catch_and_forget<R>(f: impl FnOnce() -> R) -> Option<R> {
        Some(f())
    }
}

#[cfg(feature = "std")]
pub(crate) use self::known::*;
#[cfg(not(feature = "std"))]
pub(crate) use self::unknown::*;
