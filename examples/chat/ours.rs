//! With the locks of this crate.

use std::collections::HashMap;
use std::io;
use std::ptr;
use std::sync::Arc;

use async_monitor::{Mutex, RwLock, monitor, sync, synchronized, with_lock};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use crate::state::{INBOX, Message, State, Totals};

#[derive(Default)]
pub(crate) struct Chat {
    rooms: RwLock<HashMap<String, Arc<Room>>>,
    totals: sync::Mutex<Totals>,
    archive: Mutex<Vec<u8>>,
}

#[derive(Default)]
pub(crate) struct Room {
    state: sync::Mutex<State>,
}

#[monitor(plain)]
impl Room {
    /// The name's inbox, unless the name is taken.
    #[synchronized(state)]
    pub(crate) async fn join(&self, name: &str) -> Option<mpsc::Receiver<Message>> {
        if state.members.contains_key(name) {
            return None;
        }
        let (sender, inbox) = mpsc::channel(INBOX);
        state.members.insert(name.to_owned(), sender);
        Some(inbox)
    }

    #[synchronized(state)]
    pub(crate) async fn leave(&self, name: &str) -> bool {
        state.members.remove(name).is_some()
    }

    #[synchronized(read(state))]
    pub(crate) async fn members(&self) -> Vec<String> {
        state.names()
    }

    /// The last messages, the oldest first.
    #[synchronized(read(state))]
    pub(crate) async fn history(&self, count: usize) -> Vec<Message> {
        let skipped = state.history.len().saturating_sub(count);
        state.history.iter().skip(skipped).cloned().collect()
    }

    /// Waits until there are so many members. Returns them.
    #[synchronized(state, when = state.members.len() >= quorum)]
    pub(crate) async fn meeting(&self, quorum: usize) -> Vec<String> {
        state.names()
    }

    #[synchronized(state)]
    async fn post(&self, message: &Message) -> usize {
        state.broadcast(message)
    }
}

#[monitor(plain)]
impl Chat {
    /// The room of that name, which is opened if there is none.
    pub(crate) async fn room(&self, name: &str) -> Arc<Room> {
        if let Some(room) = self.known(name).await {
            return room;
        }
        with_lock!(self.rooms, {
            Arc::clone(rooms.entry(name.to_owned()).or_default())
        })
    }

    #[synchronized(read(rooms))]
    async fn known(&self, name: &str) -> Option<Arc<Room>> {
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

    #[synchronized(totals)]
    async fn count(&self, dropped: usize) {
        totals.messages += 1;
        totals.dropped += dropped;
    }

    #[synchronized(archive)]
    async fn write(&self, line: &str) -> io::Result<()> {
        archive.write_all(line.as_bytes()).await
    }

    #[synchronized(read(totals))]
    pub(crate) async fn totals(&self) -> Totals {
        *totals
    }

    #[synchronized(read(archive))]
    pub(crate) async fn archived(&self) -> String {
        String::from_utf8_lossy(archive.as_slice()).into_owned()
    }

    /// Takes a member to another room: nobody ever sees it in both, or in neither.
    pub(crate) async fn switch(&self, name: &str, from: &Room, to: &Room) -> bool {
        if ptr::eq(from, to) {
            return false;
        }
        with_lock!(left = from.state, entered = to.state, {
            if entered.members.contains_key(name) {
                return false;
            }
            let Some(inbox) = left.members.remove(name) else {
                return false;
            };
            entered.members.insert(name.to_owned(), inbox);
            true
        })
    }

    /// Closes the rooms that nobody is in. Returns how many are left.
    #[synchronized(rooms)]
    pub(crate) async fn close_empty(&self) -> usize {
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
