//! The message for a guard of a sync lock that is sent to another thread. Without it, the compiler
//! would name the type of each field that is not `Send`.

/// Implemented by nothing. The compiler shows the message only if the guards have an impl of
/// `Send`, with this bound.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a guard of a lock of `async_monitor::sync` stays on its thread, and its section does not suspend",
    label = "the guard would be sent to another thread, or kept over an `.await` by what may be",
    note = "a guard of a lock of `async_monitor::sync` is released before an `.await`: put what needs it into a block of its own, or `drop` the guard",
    note = "for a section that suspends, take a lock of the root of `async_monitor`, such as `Mutex` in place of `sync::Mutex`"
)]
pub trait LeavesItsThread {}

/// Stands for the guards: a bound that nothing meets must not be on the type itself.
#[doc(hidden)]
#[allow(missing_debug_implementations)]
pub struct GuardOfSync(());

/// An impl of `Send` that never applies.
macro_rules! stays_on_its_thread {
    ($([$($params:tt)*] $guard:ty;)*) => {$(
        // SAFETY: nothing meets the bound, so the impl never applies. The trait and the type are
        // ours: nobody else can implement the trait for the type.
        #[doc(hidden)]
        unsafe impl<$($params)*> Send for $guard where
            for<'r> &'r $crate::sync_waits::thread::GuardOfSync: $crate::sync_waits::thread::LeavesItsThread
        {
        }
    )*};
}

pub(crate) use stays_on_its_thread;
