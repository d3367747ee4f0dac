//! The empty [`HoldingThread`](super::HoldingThread) of builds without `debug_assertions`.

pub(crate) struct HoldingThread;

impl HoldingThread {
    #[inline]
    pub(crate) const fn new() -> Self {
        HoldingThread
    }

    #[inline]
    pub(crate) fn acquired(&self) {}

    #[inline]
    pub(crate) fn releases(&self) {}

    #[inline]
    pub(super) fn is_this_thread(&self) -> bool {
        false
    }
}
