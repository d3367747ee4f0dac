//! What is asked for, as those who wait say it. Where nothing is watched, nobody reads it.

use super::{Holder, Owner, Permits};
use crate::LockId;
use crate::request::{Mode, Resource};

/// A request.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) resource: Resource,
    pub(crate) lock: LockId,
    pub(crate) mode: Mode,
    /// The type of what is asked for.
    pub(crate) type_name: fn() -> &'static str,
    pub(crate) holder: Option<&'a Holder>,
    /// How it is held meanwhile, as far as that is known.
    pub(crate) held: Option<Mode>,
    pub(crate) permits: Option<&'a Permits>,
    /// The lock that is acquired again afterwards.
    pub(crate) relocks: Option<LockId>,
}

/// A short lock, as those who ask for it say it.
#[derive(Clone, Copy)]
pub(crate) struct Short<'a> {
    pub(crate) lock: LockId,
    pub(crate) mode: Mode,
    pub(crate) holder: &'a Holder,
    pub(crate) owner: &'a Owner,
    /// How it is held where the request has to wait, if that can be only one way.
    pub(crate) held: Option<Mode>,
}

impl Ask<'_> {
    /// A wait for notifications.
    #[inline]
    pub(crate) fn of_signal<S>(
        resource: Resource,
        signal: &S,
        type_name: fn() -> &'static str,
    ) -> Self {
        Ask {
            resource,
            lock: LockId::of(signal),
            mode: Mode::Shared,
            type_name,
            holder: None,
            held: None,
            permits: None,
            relocks: None,
        }
    }
}
