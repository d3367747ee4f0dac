//! The description of a request, made by the waiting future. Unused in builds that do not watch.

use super::{Holder, HoldingThread, Permits};
use crate::LockId;
use crate::request::{Mode, Resource};

/// A request.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) resource: Resource,
    pub(crate) lock: LockId,
    pub(crate) mode: Mode,
    /// The name of the requested primitive's type.
    pub(crate) type_name: fn() -> &'static str,
    pub(crate) holder: Option<&'a Holder>,
    /// The mode in which it is held meanwhile, if that is known.
    pub(crate) held: Option<Mode>,
    pub(crate) permits: Option<&'a Permits>,
    /// The lock that is reacquired afterwards.
    pub(crate) relocks: Option<LockId>,
}

/// What a holder has acquired: for the list of all that is held.
#[allow(dead_code)] // in optimized builds, which list less
#[derive(Clone, Copy)]
pub(crate) struct Acquisition {
    pub(crate) lock: LockId,
    pub(crate) mode: Mode,
    /// The name of the primitive's type.
    pub(crate) type_name: fn() -> &'static str,
}

/// The description of a request for a sync lock.
#[derive(Clone, Copy)]
pub(crate) struct SyncAsk<'a> {
    pub(crate) lock: LockId,
    pub(crate) mode: Mode,
    pub(crate) holder: &'a Holder,
    pub(crate) thread: &'a HoldingThread,
    /// The mode in which it is held if the request has to wait, if only one is possible.
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
