//! What all connections share: entries that may expire, and who listens to which
//! channel. [`State`] says what a form of it does; the forms differ in nothing
//! that a client can see.
//!
//! | file | what |
//! |---|---|
//! | `by_hand.rs` | with std's mutex and tokio's `Notify` |
//! | `monitor.rs` | with the macros of this crate |
//! | `tests.rs` | what each form does, in paused time |

mod by_hand;
mod monitor;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

pub use self::by_hand::ByHand;
pub use self::monitor::Monitor;
use crate::subscriber::{Message, Subscriber};

/// Bytes that are shared and never change: keys, values, names of channels.
pub type Bytes = Arc<[u8]>;

/// The shared state. Each method is one critical section, and the background task
/// has many: what several clients do at a time, they do in some order.
///
/// An entry is gone at the instant at which it expires, also if the background
/// task has not removed it yet; only [`len`](State::len) still counts it then.
pub trait State: Default + Send + Sync + 'static {
    fn get(&self, key: &[u8]) -> Option<Bytes>;

    /// The values of all keys, of the same moment.
    fn get_all(&self, keys: &[&[u8]]) -> Vec<Option<Bytes>>;

    /// Stores a value, and when it expires, if the condition holds.
    fn set(&self, key: Bytes, value: Bytes, expires_at: Option<Instant>, condition: If) -> Set;

    /// Stores values that do not expire.
    fn set_all(&self, entries: Vec<(Bytes, Bytes)>);

    /// Adds to a number, and returns the sum. A missing value is 0. When the entry
    /// expires stays as it is.
    fn add(&self, key: &[u8], summand: i64) -> Result<i64, AddError>;

    /// Removes entries, and returns how many of them there were.
    fn remove(&self, keys: &[&[u8]]) -> usize;

    /// How many of these keys have a value; a key that is named twice counts twice.
    fn count(&self, keys: &[&[u8]]) -> usize;

    fn len(&self) -> usize;

    fn clear(&self);

    /// Sets when an entry expires. Returns whether there is such an entry.
    fn expire(&self, key: &[u8], at: Instant) -> bool;

    /// Lets an entry expire no more. Returns whether it would have.
    fn persist(&self, key: &[u8]) -> bool;

    fn time_to_live(&self, key: &[u8]) -> TimeToLive;

    fn subscribe(&self, channel: &Bytes, subscriber: &Arc<Subscriber>);

    fn unsubscribe(&self, channel: &[u8], subscriber: &Subscriber);

    /// Hands a message to all subscribers of its channel, and returns how many have
    /// taken it. All subscribers of a channel see its messages in the same order.
    fn publish(&self, message: &Message) -> usize;

    /// The background task: sleeps until the next entry expires, removes it, and
    /// so on, in a section each time. Returns after [`shut_down`](State::shut_down).
    fn remove_expired(&self) -> impl Future<Output = ()> + Send;

    fn shut_down(&self);
}

/// A value, and until when it is one.
#[derive(Debug)]
struct Entry {
    value: Bytes,
    expires_at: Option<Instant>,
}

impl Entry {
    fn is_alive(&self) -> bool {
        self.expires_at.is_none_or(|at| at > Instant::now())
    }
}

/// Under which condition to store a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum If {
    Always,
    Missing,
    Present,
}

impl If {
    fn holds(self, is_present: bool) -> bool {
        match self {
            If::Always => true,
            If::Missing => !is_present,
            If::Present => is_present,
        }
    }
}

/// What has come of storing a value.
#[derive(Debug, PartialEq)]
pub struct Set {
    pub is_stored: bool,
    pub previous: Option<Bytes>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TimeToLive {
    Missing,
    Unlimited,
    Left(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AddError {
    NotAnInteger,
    Overflow,
}

/// What the background task does next.
enum Next {
    /// More entries have expired than one section should remove.
    RemoveMore,
    Sleep {
        until: Option<Instant>,
    },
    Return,
}

/// How many entries the background task removes in one section, so that nobody
/// waits long for the lock.
const REMOVED_AT_ONCE: usize = 256;

/// The sum of a number as text and another one.
fn sum(value: &[u8], summand: i64) -> Result<i64, AddError> {
    let value = parse_integer(value).ok_or(AddError::NotAnInteger)?;
    value.checked_add(summand).ok_or(AddError::Overflow)
}

/// A number in the one way in which it can be written: no plus, no spaces, no
/// leading zeros.
pub fn parse_integer(text: &[u8]) -> Option<i64> {
    match text.strip_prefix(b"-").unwrap_or(text) {
        [b'0'] if text.len() == 1 => Some(0),
        [b'1'..=b'9', ..] => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
}
