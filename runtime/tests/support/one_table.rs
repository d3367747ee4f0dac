//! Wakers with one vtable.

/// Turns an `Arc` of a type that is `Wake` into a `Waker`, as `Waker::from` does, but its
/// vtable has one address. That of `Waker::from` may have several, and has under Miri: a clone
/// then looks like a waker of another task.
///
/// For each type, to be expanded once.
macro_rules! waker {
    ($type:ty, $arc:expr) => {{
        use std::sync::Arc;
        use std::task::{RawWaker, RawWakerVTable, Wake, Waker};

        static VTABLE: RawWakerVTable = RawWakerVTable::new(
            |data| {
                // SAFETY: the data is of an `Arc` that its waker has.
                unsafe { Arc::<$type>::increment_strong_count(data.cast()) };
                RawWaker::new(data, &VTABLE)
            },
            |data| arc(data).wake(),
            |data| std::mem::ManuallyDrop::new(arc(data)).wake_by_ref(),
            |data| drop(arc(data)),
        );
        fn arc(data: *const ()) -> Arc<$type> {
            // SAFETY: as above. Where the waker stays, this is not dropped.
            unsafe { Arc::from_raw(data.cast()) }
        }
        let data = Arc::into_raw($arc).cast();
        // SAFETY: the table keeps the rules, on any thread, as the type is `Wake`.
        unsafe { Waker::from_raw(RawWaker::new(data, &VTABLE)) }
    }};
}

pub(crate) use waker;
