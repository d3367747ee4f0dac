//! The public traits: [`lock`] and [`sync_lock`] acquire locks, for sections that may
//! suspend and for sections that never do; [`guard`] has what a guard proves.

pub(crate) mod guard;
pub(crate) mod lock;
pub(crate) mod sync_lock;
