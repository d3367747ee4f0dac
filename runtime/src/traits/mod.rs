//! The public traits: [`lock`] and [`sync_lock`] acquire locks, for sections that may
//! suspend and for those that never do; [`guard`] is what a guard proves.

pub(crate) mod guard;
pub(crate) mod lock;
pub(crate) mod sync_lock;
