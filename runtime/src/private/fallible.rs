//! Acquisitions that can fail.
//!
//! Without a `?`, a section requires that the acquisition cannot fail: [`infallible`].
//! With one, it converts an error to the return type of the fn; for a
//! lock that cannot fail, the fn may return anything. Autoderef specialization
//! distinguishes the two (see [`bind`](super::bind)): [`Failure`] has
//! `__unwrap_acquired` if the error is [`Infallible`], and derefs to [`OfAnyKind`],
//! which has it in any case.

use core::convert::Infallible;
use core::marker::PhantomData;
use core::ops::Deref;

use crate::Elapsed;

/// The error of a lock whose acquisition cannot fail.
#[diagnostic::on_unimplemented(
    message = "the acquisition of this lock can fail, with `{Self}`",
    label = "acquiring this can fail",
    note = "write a `?` behind it, `lock?`, in a fn that returns a `Result`: the section then returns the error",
    note = "where the type of the lock is a parameter, `L: AsyncLock<Error = Infallible>` says that it cannot fail",
    note = "a lock in front of the fields of a `#[derive(Guarded)]` struct may neither fail nor be lost: name such a lock beside one of this process, `#[synchronized(lock?, local)]`"
)]
pub trait CannotFail {
    #[doc(hidden)]
    fn absurd<T>(self) -> T;
}

impl CannotFail for Infallible {
    #[inline]
    fn absurd<T>(self) -> T {
        match self {}
    }
}

/// The guard of an acquisition that cannot fail.
#[inline]
pub fn infallible<G, E: CannotFail>(acquired: Result<G, E>) -> G {
    match acquired {
        Ok(guard) => guard,
        Err(error) => error.absurd(),
    }
}

/// What a fn with a section returns if an acquisition fails with `E`.
#[diagnostic::on_unimplemented(
    message = "the acquisition of this lock can fail, with `{E}`, which cannot be returned as `{Self}`",
    label = "would return the error from here",
    note = "let the fn return a `Result` with an error that is `From<{E}>`"
)]
pub trait FromFailure<E> {
    #[doc(hidden)]
    fn from_failure(error: E) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T, E, F: From<E>> FromFailure<E> for Result<T, F> {
    #[inline]
    fn from_failure(error: E) -> Self {
        Err(F::from(error))
    }
}

/// What a fn with a section returns if it was not entered in time.
#[diagnostic::on_unimplemented(
    message = "a section with a `timeout` may not be entered in time, and `Elapsed` cannot be returned as `{Self}`",
    label = "would return `Elapsed` from here",
    note = "let the fn return a `Result` with an error that is `From<async_monitor::Elapsed>`"
)]
pub trait FromElapsed {
    #[doc(hidden)]
    fn from_elapsed(elapsed: Elapsed) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T, E: From<Elapsed>> FromElapsed for Result<T, E> {
    #[inline]
    fn from_elapsed(elapsed: Elapsed) -> Self {
        Err(E::from(elapsed))
    }
}

/// The error of an acquisition, by its type.
#[inline]
pub fn failure<G, E>(_acquired: &Result<G, E>) -> Failure<E> {
    Failure(OfAnyKind(PhantomData))
}

/// The error of an acquisition, which may be `Infallible`.
pub struct Failure<E>(OfAnyKind<E>);

#[doc(hidden)]
pub struct OfAnyKind<E>(PhantomData<fn(E)>);

impl Failure<Infallible> {
    /// The guard, or what to return: `R` can be anything.
    #[inline]
    pub fn __unwrap_acquired<G, R>(&self, acquired: Result<G, Infallible>) -> Result<G, R> {
        Ok(infallible(acquired))
    }
}

impl<E> OfAnyKind<E> {
    /// The guard, or what to return.
    #[inline]
    pub fn __unwrap_acquired<G, R: FromFailure<E>>(&self, acquired: Result<G, E>) -> Result<G, R> {
        acquired.map_err(R::from_failure)
    }
}

impl<E> Deref for Failure<E> {
    type Target = OfAnyKind<E>;

    #[inline]
    fn deref(&self) -> &OfAnyKind<E> {
        &self.0
    }
}
