//! The bounded queue from publishers to a subscriber.
//!
//! A publisher never waits. Messages that a subscriber has not read yet are queued, up to
//! [`MAX_QUEUED`] bytes. A subscriber that exceeds that is too slow: it gets no more messages, and
//! its connection is closed. So a subscriber sees each message of its channels, in order and
//! without gaps, until the connection ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::state::Bytes;

/// How many bytes may wait for one subscriber.
pub const MAX_QUEUED: usize = 8 << 20;

/// What a message costs beside its payload, about.
const OVERHEAD: usize = 64;

#[derive(Clone, Debug)]
pub struct Message {
    pub channel: Bytes,
    pub payload: Bytes,
}

impl Message {
    fn size(&self) -> usize {
        self.channel.len() + self.payload.len() + OVERHEAD
    }
}

/// The end of a queue of messages that publishers have.
#[derive(Debug)]
pub struct Subscriber {
    id: u64,
    messages: UnboundedSender<Message>,
    queued: AtomicUsize,
    is_too_slow: AtomicBool,
    too_slow: Notify,
}

/// The end of a queue of messages that the connection has.
#[derive(Debug)]
pub struct Inbox {
    subscriber: Arc<Subscriber>,
    messages: UnboundedReceiver<Message>,
}

impl Subscriber {
    /// What tells this subscriber from all others.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Queues a message. Returns whether it was taken. The state calls this in a
    /// critical section, hence never twice at a time.
    pub fn deliver(&self, message: &Message) -> bool {
        if self.is_too_slow.load(Relaxed) {
            return false;
        }
        let queued = self.queued.fetch_add(message.size(), Relaxed) + message.size();
        if queued > MAX_QUEUED {
            self.is_too_slow.store(true, Relaxed);
            self.too_slow.notify_one();
            return false;
        }
        self.messages.send(message.clone()).is_ok()
    }

    /// Completes when this subscriber has turned out to be too slow.
    pub async fn too_slow(&self) {
        self.too_slow.notified().await;
    }
}

impl Inbox {
    pub fn new(id: u64) -> Self {
        let (sender, messages) = unbounded_channel();
        let subscriber = Arc::new(Subscriber {
            id,
            messages: sender,
            queued: AtomicUsize::new(0),
            is_too_slow: AtomicBool::new(false),
            too_slow: Notify::new(),
        });
        Inbox {
            subscriber,
            messages,
        }
    }

    pub fn subscriber(&self) -> &Arc<Subscriber> {
        &self.subscriber
    }

    /// The next message. May be cancelled without losing one.
    pub async fn receive(&mut self) -> Message {
        let message = self.messages.recv().await;
        self.taken(message.expect("`subscriber` keeps the channel open"))
    }

    /// The next message, if there is one.
    pub fn try_receive(&mut self) -> Option<Message> {
        let message = self.messages.try_recv().ok()?;
        Some(self.taken(message))
    }

    fn taken(&self, message: Message) -> Message {
        self.subscriber.queued.fetch_sub(message.size(), Relaxed);
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: usize) -> Message {
        Message {
            channel: Arc::new([]),
            payload: vec![0; bytes].into(),
        }
    }

    #[tokio::test]
    async fn a_queue_has_a_limit_in_bytes() {
        let mut inbox = Inbox::new(1);
        let subscriber = Arc::clone(inbox.subscriber());
        let half = message(MAX_QUEUED / 2 - OVERHEAD);
        assert!(subscriber.deliver(&half) && subscriber.deliver(&half));
        inbox.receive().await;
        assert!(subscriber.deliver(&half), "there is room again");

        assert!(!subscriber.deliver(&message(0)));
        subscriber.too_slow().await;
        inbox.receive().await;
        assert!(!subscriber.deliver(&message(0)), "no gap");
        assert!(inbox.try_receive().is_some() && inbox.try_receive().is_none());
    }
}
