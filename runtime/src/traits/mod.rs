//! The public traits: [`lock`] acquires a lock of any kind, [`guard`] is what a guard
//! proves.

pub(crate) mod guard;
pub(crate) mod lock;
