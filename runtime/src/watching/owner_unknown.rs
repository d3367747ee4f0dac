//! The empty [`Owner`](super::Owner) of builds without `debug_assertions`.

pub(crate) struct Owner;

impl Owner {
    #[inline]
    pub(crate) const fn new() -> Self {
        Owner
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
