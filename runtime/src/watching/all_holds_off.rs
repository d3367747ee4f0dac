//! In builds that have to be fast, only what somebody waits for is listed, and what suspended
//! sections hold.

use std::vec::Vec;

use super::{Acquisition, HolderCopy};
use crate::LockId;
use crate::watch::Mode;

/// What is held.
pub(super) struct Hold {
    pub(super) lock: LockId,
    pub(super) mode: Mode,
    pub(super) holder: HolderCopy,
    pub(super) name: Option<&'static str>,
    pub(super) type_name: fn() -> &'static str,
    pub(super) since: core::time::Duration,
}

#[inline]
pub(super) fn acquired(_acquired: impl FnOnce() -> (Acquisition, HolderCopy)) {}

#[inline]
pub(crate) fn released(_held: impl FnOnce() -> (LockId, Mode)) {}

#[inline]
pub(crate) fn downgraded(_lock: impl FnOnce() -> LockId) {}

#[inline]
pub(super) fn named(_lock: LockId, _name: &'static str) {}

#[inline]
pub(super) fn corrected(_held: impl FnOnce() -> (LockId, HolderCopy)) {}

pub(super) fn all() -> Vec<Hold> {
    Vec::new()
}
