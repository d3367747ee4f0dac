//! The code that all versions share: it uses no lock.

use std::collections::{BTreeMap, VecDeque};

use tokio::sync::mpsc;

/// How many messages a room remembers.
const HISTORY: usize = 100;
/// How many messages a member may be behind.
pub(crate) const INBOX: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) from: String,
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) messages: usize,
    /// Members that were too far behind.
    pub(crate) dropped: usize,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) members: BTreeMap<String, mpsc::Sender<Message>>,
    pub(crate) history: VecDeque<Message>,
}

impl State {
    /// Sends the message to all members, and drops those that are too far behind.
    pub(crate) fn broadcast(&mut self, message: &Message) -> usize {
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(message.clone());
        let before = self.members.len();
        self.members
            .retain(|_, inbox| inbox.try_send(message.clone()).is_ok());
        before - self.members.len()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.members.keys().cloned().collect()
    }
}
