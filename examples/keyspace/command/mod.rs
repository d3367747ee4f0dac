//! What each command does: requests in, replies out. The words of errors are those
//! that clients know from Redis.
//!
//! | file | what |
//! |---|---|
//! | `mod.rs` | which command it is; values, keys and channels |
//! | `expiry.rs` | options of SET, and times |
//! | `about.rs` | what tools ask about the server and tell it of themselves |
//! | `tests.rs` | each command, and each way in which it is refused |

mod about;
mod expiry;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use self::expiry::{SetOptions, Unit};
use crate::protocol::Replies;
use crate::state::{AddError, Bytes, State, parse_integer};
use crate::subscriber::{Inbox, Message, Subscriber};

/// All commands: what is none of them is unknown; what is one and has not matched
/// has a wrong number of arguments.
const COMMANDS: [&str; 28] = [
    "client",
    "command",
    "config",
    "dbsize",
    "decr",
    "decrby",
    "del",
    "echo",
    "exists",
    "expire",
    "flushall",
    "get",
    "hello",
    "incr",
    "incrby",
    "mget",
    "mset",
    "persist",
    "pexpire",
    "ping",
    "pttl",
    "publish",
    "quit",
    "set",
    "subscribe",
    "ttl",
    "unsubscribe",
    "reset",
];

/// What a client may do after it has subscribed.
const WHILE_SUBSCRIBED: [&str; 5] = ["ping", "quit", "reset", "subscribe", "unsubscribe"];

/// How many bytes of what a client has sent are shown in an error.
const SHOWN: usize = 128;

const SYNTAX: &str = "ERR syntax error";
const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";
const OVERFLOW: &str = "ERR increment or decrement would overflow";

/// What the server knows of one client. Its subscriptions end with it.
pub struct Session<S: State> {
    state: Arc<S>,
    inbox: Inbox,
    channels: BTreeSet<Bytes>,
}

/// A request that was not carried out, and why.
type Refused = String;

impl<S: State> Session<S> {
    pub fn new(state: Arc<S>, id: u64) -> Self {
        Session {
            state,
            inbox: Inbox::new(id),
            channels: BTreeSet::new(),
        }
    }

    pub fn inbox(&mut self) -> &mut Inbox {
        &mut self.inbox
    }

    pub fn subscriber(&self) -> &Subscriber {
        self.inbox.subscriber()
    }

    /// Carries out a request and replies to it. Breaks where the connection is to
    /// be closed.
    pub fn execute(&mut self, request: &[&[u8]], replies: &mut Replies) -> ControlFlow<()> {
        let [name, arguments @ ..] = request else {
            return ControlFlow::Continue(());
        };
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        if name == "quit" {
            replies.simple("OK");
            return ControlFlow::Break(());
        }
        let result = if !self.channels.is_empty()
            && COMMANDS.contains(&&*name)
            && !WHILE_SUBSCRIBED.contains(&&*name)
        {
            Err(format!(
                "ERR Can't execute '{name}': only SUBSCRIBE / UNSUBSCRIBE / PING / QUIT / RESET \
                 are allowed in this context"
            ))
        } else {
            self.carry_out(&name, arguments, replies)
        };
        if let Err(refused) = result {
            replies.error(refused);
        }
        ControlFlow::Continue(())
    }

    fn carry_out(
        &mut self,
        name: &str,
        arguments: &[&[u8]],
        replies: &mut Replies,
    ) -> Result<(), Refused> {
        let state = &self.state;
        match (name, arguments) {
            // Values
            ("get", [key]) => replies.bulk_or_nil(state.get(key)),
            ("set", [key, value, options @ ..]) => {
                let SetOptions {
                    expires_at,
                    condition,
                    returns_previous,
                } = SetOptions::parse(options)?;
                let set = state.set((*key).into(), (*value).into(), expires_at, condition);
                match set.is_stored {
                    _ if returns_previous => replies.bulk_or_nil(set.previous),
                    true => replies.simple("OK"),
                    false => replies.nil(),
                }
            }
            ("mget", keys @ [_, ..]) => {
                replies.array(keys.len());
                for value in state.get_all(keys) {
                    replies.bulk_or_nil(value);
                }
            }
            ("mset", pairs @ [_, _, ..]) if pairs.len() % 2 == 0 => {
                let pairs = pairs.chunks_exact(2);
                state.set_all(pairs.map(|pair| (pair[0].into(), pair[1].into())).collect());
                replies.simple("OK");
            }
            ("incr", [key]) => self.add(key, 1, replies)?,
            ("decr", [key]) => self.add(key, -1, replies)?,
            ("incrby", [key, number]) => self.add(key, integer(number)?, replies)?,
            ("decrby", [key, number]) => {
                let number = integer(number)?.checked_neg();
                self.add(key, number.ok_or("ERR decrement would overflow")?, replies)?;
            }

            // Keys
            ("del", keys @ [_, ..]) => replies.count(state.remove(keys)),
            ("exists", keys @ [_, ..]) => replies.count(state.count(keys)),
            ("expire", [key, time]) => self.expire(key, time, Unit::Seconds, replies)?,
            ("pexpire", [key, time]) => self.expire(key, time, Unit::Milliseconds, replies)?,
            ("persist", [key]) => replies.integer(state.persist(key).into()),
            ("ttl", [key]) => replies.integer(Unit::Seconds.left(state.time_to_live(key))),
            ("pttl", [key]) => replies.integer(Unit::Milliseconds.left(state.time_to_live(key))),
            ("dbsize", []) => replies.count(state.len()),
            ("flushall", options) => {
                let is_mode = |mode: &[u8]| [&b"sync"[..], b"async"].contains(&mode);
                if !matches!(options, [] | [_])
                    || !options.iter().all(|it| is_mode(&it.to_ascii_lowercase()))
                {
                    return Err(SYNTAX.into());
                }
                state.clear();
                replies.simple("OK");
            }

            // Channels
            ("publish", [channel, payload]) => {
                let (channel, payload) = ((*channel).into(), (*payload).into());
                replies.count(state.publish(&Message { channel, payload }));
            }
            ("subscribe", channels @ [_, ..]) => self.subscribe(channels, replies),
            ("unsubscribe", channels) => self.unsubscribe(channels, replies),

            // The connection
            ("ping", []) if self.channels.is_empty() => replies.simple("PONG"),
            ("ping", [] | [_]) if !self.channels.is_empty() => {
                replies.array(2);
                replies.bulk("pong");
                replies.bulk(arguments.first().copied().unwrap_or_default());
            }
            ("ping" | "echo", [text]) => replies.bulk(text),
            ("reset", []) => {
                self.leave_all();
                replies.simple("RESET");
            }
            ("hello", options) => about::hello(self.subscriber().id(), options, replies)?,
            ("client", [subcommand, arguments @ ..]) => {
                about::client(self.subscriber().id(), subcommand, arguments, replies)?;
            }
            ("command", _) => about::command(replies),
            ("config", [subcommand, names @ ..]) => about::config(subcommand, names, replies)?,

            (name, _) if COMMANDS.contains(&name) => {
                return Err(format!(
                    "ERR wrong number of arguments for '{name}' command"
                ));
            }
            (name, arguments) => return Err(unknown(name, arguments)),
        }
        Ok(())
    }
    fn add(&self, key: &[u8], summand: i64, replies: &mut Replies) -> Result<(), Refused> {
        match self.state.add(key, summand) {
            Ok(sum) => replies.integer(sum),
            Err(AddError::NotAnInteger) => return Err(NOT_AN_INTEGER.into()),
            Err(AddError::Overflow) => return Err(OVERFLOW.into()),
        }
        Ok(())
    }

    /// An entry that is to expire now or earlier is removed.
    fn expire(
        &self,
        key: &[u8],
        time: &[u8],
        unit: Unit,
        replies: &mut Replies,
    ) -> Result<(), Refused> {
        let time = integer(time)?;
        let is_there = if time <= 0 {
            self.state.remove(&[key]) == 1
        } else {
            self.state.expire(key, unit.later(time)?)
        };
        replies.integer(is_there.into());
        Ok(())
    }

    fn subscribe(&mut self, channels: &[&[u8]], replies: &mut Replies) {
        for &channel in channels {
            let channel = Bytes::from(channel);
            self.state.subscribe(&channel, self.inbox.subscriber());
            self.channels.insert(Arc::clone(&channel));
            self.subscriptions("subscribe", Some(channel), replies);
        }
    }

    /// Without channels: from all.
    fn unsubscribe(&mut self, channels: &[&[u8]], replies: &mut Replies) {
        let mut channels: Vec<Bytes> = channels.iter().map(|&channel| channel.into()).collect();
        if channels.is_empty() {
            channels.extend(self.channels.iter().cloned());
        }
        for channel in &channels {
            self.leave(channel);
            // What was published before comes before the reply.
            while let Some(message) = self.inbox.try_receive() {
                replies.message(&message);
            }
            self.subscriptions("unsubscribe", Some(Arc::clone(channel)), replies);
        }
        if channels.is_empty() {
            self.subscriptions("unsubscribe", None, replies);
        }
    }

    /// Replies with what has changed, and how many subscriptions there are now.
    fn subscriptions(&self, change: &str, channel: Option<Bytes>, replies: &mut Replies) {
        replies.array(3);
        replies.bulk(change);
        replies.bulk_or_nil(channel);
        replies.count(self.channels.len());
    }

    fn leave(&mut self, channel: &[u8]) {
        self.channels.remove(channel);
        self.state.unsubscribe(channel, self.inbox.subscriber());
    }

    fn leave_all(&mut self) {
        while let Some(channel) = self.channels.pop_first() {
            self.state.unsubscribe(&channel, self.inbox.subscriber());
        }
    }
}

impl<S: State> Drop for Session<S> {
    fn drop(&mut self) {
        self.leave_all();
    }
}

fn integer(text: &[u8]) -> Result<i64, Refused> {
    parse_integer(text).ok_or_else(|| NOT_AN_INTEGER.into())
}

/// Names the command, and how its arguments begin.
fn unknown(name: &str, arguments: &[&[u8]]) -> Refused {
    let name = shown(name.as_bytes());
    let mut error = format!("ERR unknown command '{name}', with args beginning with: ");
    let end = error.len() + SHOWN;
    for argument in arguments {
        if error.len() >= end {
            break;
        }
        error += &format!("'{}' ", shown(argument));
    }
    error
}

/// The beginning of what a client has sent, for an error.
fn shown(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&text[..text.len().min(SHOWN)])
}
