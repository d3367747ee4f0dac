//! The public traits: [`lock`] and [`sync_lock`] acquire locks, for sections that may
//! suspend and for sections that never do; [`guard`] has what a guard proves. Every lock has an id
//! ([`lock_id`]), and one that is held by a lease can be lost ([`lease`]). [`lock_impls`] implements
//! the traits of `lock` for pointers and for the primitives of this crate.

pub(crate) mod guard;
pub(crate) mod lease;
pub(crate) mod lock;
pub(crate) mod lock_id;
pub(crate) mod lock_impls;
pub(crate) mod sync_lock;
