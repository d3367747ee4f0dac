//! Grants that were notified, and not picked up yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::Signals;

/// The fences of grants, by session and ticket.
#[derive(Debug, Default)]
pub(super) struct Grants(Mutex<HashMap<(String, u64), u64>>);

impl Grants {
    fn all(&self) -> MutexGuard<'_, HashMap<(String, u64), u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self, session: &str, ticket: u64) -> Option<u64> {
        let mut all = self.all();
        if all.is_empty() {
            return None;
        }
        all.remove(&(session.to_owned(), ticket))
    }

    /// The ticket is withdrawn, with what it was granted.
    pub(super) fn forget(&self, session: &str, ticket: u64) {
        self.take(session, ticket);
    }
}

/// Who is told of a notification.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) signals: Arc<Signals>,
    pub(super) grants: Arc<Grants>,
}

impl Told {
    /// `session/ticket/fence` is a grant; `session/ticket` is to ask.
    ///
    /// Whom nobody waits for any more was withdrawn, or is found by a renewal.
    pub(super) fn notified(&self, payload: &str) {
        let mut parts = payload.splitn(3, '/');
        let (Some(session), Some(ticket)) = (parts.next(), parts.next()) else {
            return;
        };
        let Ok(ticket) = ticket.parse() else { return };
        let fence = parts.next().and_then(|fence| fence.parse().ok());
        if let Some(fence) = fence {
            self.grants
                .all()
                .insert((session.to_owned(), ticket), fence);
        }
        if !self.signals.wake(session, ticket) {
            self.grants.forget(session, ticket);
        }
    }
}
