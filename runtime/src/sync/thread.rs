//! That guards of these locks stay on their threads, in words: the compiler would report each of
//! their parts that is not `Send`, by its type.

/// Implemented for nothing: it takes an impl of `Send` for what must not be sent, with this bound,
/// for the compiler to have something to say.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a guard of a lock of `async_monitor::sync` stays on its thread, and its section does not suspend",
    label = "the guard would be sent to another thread, or kept over an `.await` by what may be",
    note = "a guard of a lock of `async_monitor::sync` is released before an `.await`: put what needs it into a block of its own, or `drop` the guard",
    note = "for a section that suspends, take a lock of the root of `async_monitor`, such as `Mutex` in place of `sync::Mutex`"
)]
pub trait LeavesItsThread {}

/// Stands for the guards: a bound that nothing meets must not be one of the type itself.
#[doc(hidden)]
#[allow(missing_debug_implementations)]
pub struct GuardOfSync(());

/// Says of a type that it is sent where nothing is.
macro_rules! stays_on_its_thread {
    ($([$($params:tt)*] $guard:ty;)*) => {$(
        // SAFETY: nothing meets the bound, so this says nothing. The trait and the type are ours:
        // nobody else can write an impl.
        #[doc(hidden)]
        unsafe impl<$($params)*> Send for $guard where
            for<'r> &'r $crate::sync_waits::thread::GuardOfSync: $crate::sync_waits::thread::LeavesItsThread
        {
        }
    )*};
}

pub(crate) use stays_on_its_thread;
