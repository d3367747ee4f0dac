//! With the locks of tokio, each locked by hand.

use std::collections::HashMap;
use std::io;
use std::pin::pin;
use std::ptr;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::sync::{Mutex, Notify, RwLock, mpsc};

use crate::state::{INBOX, Message, State, Totals};

#[derive(Default)]
pub(crate) struct Chat {
    rooms: RwLock<HashMap<String, Arc<Room>>>,
    totals: Mutex<Totals>,
    archive: Mutex<Vec<u8>>,
}

#[derive(Default)]
pub(crate) struct Room {
    state: Mutex<State>,
    changed: Notify,
}

impl Room {
    /// The name's inbox, unless the name is taken.
    pub(crate) async fn join(&self, name: &str) -> Option<mpsc::Receiver<Message>> {
        let mut state = self.state.lock().await;
        if state.members.contains_key(name) {
            return None;
        }
        let (sender, inbox) = mpsc::channel(INBOX);
        state.members.insert(name.to_owned(), sender);
        self.changed.notify_waiters();
        Some(inbox)
    }

    pub(crate) async fn leave(&self, name: &str) -> bool {
        let mut state = self.state.lock().await;
        state.members.remove(name).is_some()
    }

    pub(crate) async fn members(&self) -> Vec<String> {
        let state = self.state.lock().await;
        state.names()
    }

    /// The last messages, the oldest first.
    pub(crate) async fn history(&self, count: usize) -> Vec<Message> {
        let state = self.state.lock().await;
        let skipped = state.history.len().saturating_sub(count);
        state.history.iter().skip(skipped).cloned().collect()
    }

    /// Waits until there are so many members. Returns them.
    pub(crate) async fn meeting(&self, quorum: usize) -> Vec<String> {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let members = self.members().await;
            if members.len() >= quorum {
                return members;
            }
            changed.await;
        }
    }

    async fn post(&self, message: &Message) -> usize {
        let mut state = self.state.lock().await;
        state.broadcast(message)
    }
}

impl Chat {
    /// The room of that name, which is opened if there is none.
    pub(crate) async fn room(&self, name: &str) -> Arc<Room> {
        if let Some(room) = self.known(name).await {
            return room;
        }
        let mut rooms = self.rooms.write().await;
        Arc::clone(rooms.entry(name.to_owned()).or_default())
    }

    async fn known(&self, name: &str) -> Option<Arc<Room>> {
        let rooms = self.rooms.read().await;
        rooms.get(name).cloned()
    }

    /// Sends a message to a room, and writes it to the archive.
    pub(crate) async fn say(&self, room: &str, from: &str, text: &str) -> io::Result<()> {
        let line = format!("{room}: {from}: {text}\n");
        let (from, text) = (from.to_owned(), text.to_owned());
        let room = self.room(room).await;
        let dropped = room.post(&Message { from, text }).await;
        self.count(dropped).await;
        self.write(&line).await
    }

    async fn count(&self, dropped: usize) {
        let mut totals = self.totals.lock().await;
        totals.messages += 1;
        totals.dropped += dropped;
    }

    async fn write(&self, line: &str) -> io::Result<()> {
        let mut archive = self.archive.lock().await;
        archive.write_all(line.as_bytes()).await
    }

    pub(crate) async fn totals(&self) -> Totals {
        *self.totals.lock().await
    }

    pub(crate) async fn archived(&self) -> String {
        let archive = self.archive.lock().await;
        String::from_utf8_lossy(archive.as_slice()).into_owned()
    }

    /// Takes a member to another room: nobody ever sees it in both, or in neither.
    pub(crate) async fn switch(&self, name: &str, from: &Room, to: &Room) -> bool {
        if ptr::eq(from, to) {
            return false;
        }
        // In the order of their addresses, as somebody may go the other way.
        let (mut left, mut entered);
        if ptr::from_ref(from) < ptr::from_ref(to) {
            left = from.state.lock().await;
            entered = to.state.lock().await;
        } else {
            entered = to.state.lock().await;
            left = from.state.lock().await;
        }
        if entered.members.contains_key(name) {
            return false;
        }
        let Some(inbox) = left.members.remove(name) else {
            return false;
        };
        entered.members.insert(name.to_owned(), inbox);
        to.changed.notify_waiters();
        true
    }

    /// Closes the rooms that nobody is in. Returns how many are left.
    pub(crate) async fn close_empty(&self) -> usize {
        let mut rooms = self.rooms.write().await;
        let mut empty = Vec::new();
        for (name, room) in rooms.iter() {
            if room.members().await.is_empty() {
                empty.push(name.clone());
            }
        }
        for name in &empty {
            rooms.remove(name);
        }
        rooms.len()
    }
}
