//! Wakers by which tasks can be told apart.

use std::sync::Arc;
use std::task::{Wake, Waker};

/// A waker that its clones are equal to, by `Waker::will_wake`.
///
/// The vtable of `Waker::from` is a constant, which may have several addresses, and has under
/// Miri: a clone then looks like a waker of another task. Clones have one.
pub(crate) fn waker<W: Wake + Send + Sync + 'static>(wake: Arc<W>) -> Waker {
    Waker::from(wake).clone()
}
