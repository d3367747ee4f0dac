//! What is asked for, as those who wait say it. Where nothing is watched, nobody reads it.

use super::{Holder, Permits};
use crate::LockId;
use crate::watch::{Mode, Resource};

/// A request.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) resource: Resource,
    pub(crate) lock: LockId,
    pub(crate) mode: Mode,
    /// The type of what is asked for.
    pub(crate) type_name: fn() -> &'static str,
    pub(crate) holder: Option<&'a Holder>,
    pub(crate) permits: Option<&'a Permits>,
    /// The lock that is acquired again afterwards.
    pub(crate) relocks: Option<LockId>,
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
            permits: None,
            relocks: None,
        }
    }
}
