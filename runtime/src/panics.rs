//! Catching panics, and detecting them.
//!
//! With `std`, panics are caught where user code runs in the middle of an operation, and the crate
//! can detect that one is under way. Without `std`, neither is possible, and a panic aborts or
//! unwinds, depending on the program. So
//!
//! - a release does not evaluate conditions: it wakes the waiters, which evaluate them
//!   (`gate::evaluation`);
//! - a panic of a waker in a batch ends the program, as it would unwind
//!   through the batch (`wake`).

#[cfg(feature = "std")]
mod known {
    use std::panic::{self, AssertUnwindSafe};
    pub(crate) use std::thread::panicking;

    pub(crate) type Payload = std::boxed::Box<dyn core::any::Any + Send>;

    /// Whether a panic now could be caught and forgotten. During another panic, it would
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
        catch(f).map_err(discard).ok()
    }

    /// Drops the payload of a panic. Its destructor may panic in turn, in which case that payload
    /// is leaked.
    #[cold]
    pub(crate) fn discard(payload: Payload) {
        if let Err(another) = catch(|| drop(payload)) {
            core::mem::forget(another);
        }
    }
}

#[cfg(not(feature = "std"))]
mod unknown {
    /// Whether a panic is under way, which cannot be detected.
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
