//! Options of SET, and times.

use std::time::Duration;

use tokio::time::Instant;

use super::{Refused, SYNTAX, integer};
use crate::state::{If, TimeToLive};

/// Times are numbers of these.
#[derive(Clone, Copy, Debug)]
pub enum Unit {
    Seconds,
    Milliseconds,
}

impl Unit {
    fn milliseconds(self) -> u64 {
        match self {
            Unit::Seconds => 1000,
            Unit::Milliseconds => 1,
        }
    }

    /// When a time from now, which is not 0, is over.
    pub fn later(self, time: i64) -> Result<Instant, Refused> {
        let time = u64::try_from(time).ok().filter(|&time| time > 0);
        let time = time.and_then(|time| time.checked_mul(self.milliseconds()));
        let end = time.and_then(|time| Instant::now().checked_add(Duration::from_millis(time)));
        end.ok_or_else(|| "ERR invalid expire time".into())
    }

    /// What is left, rounded, as a reply.
    pub fn left(self, left: TimeToLive) -> i64 {
        match left {
            TimeToLive::Missing => -2,
            TimeToLive::Unlimited => -1,
            TimeToLive::Left(time) => {
                let unit = u128::from(self.milliseconds());
                let rounded = (time.as_millis() + unit / 2) / unit;
                rounded.try_into().unwrap_or(i64::MAX)
            }
        }
    }
}

#[derive(Debug)]
pub struct SetOptions {
    pub expires_at: Option<Instant>,
    pub condition: If,
    /// Whether to reply with what was there before.
    pub returns_previous: bool,
}

impl SetOptions {
    /// In any order; not both NX and XX, and one of EX and PX at most once.
    pub fn parse(mut options: &[&[u8]]) -> Result<Self, Refused> {
        let mut parsed = SetOptions {
            expires_at: None,
            condition: If::Always,
            returns_previous: false,
        };
        while let [option, rest @ ..] = options {
            let is_free = parsed.expires_at.is_none();
            options = rest;
            match (option.to_ascii_lowercase().as_slice(), rest) {
                (b"nx", _) if parsed.condition != If::Present => parsed.condition = If::Missing,
                (b"xx", _) if parsed.condition != If::Missing => parsed.condition = If::Present,
                (b"get", _) => parsed.returns_previous = true,
                (unit @ (b"ex" | b"px"), [time, rest @ ..]) if is_free => {
                    let unit = match unit {
                        b"ex" => Unit::Seconds,
                        _ => Unit::Milliseconds,
                    };
                    parsed.expires_at = Some(unit.later(integer(time)?)?);
                    options = rest;
                }
                _ => return Err(SYNTAX.into()),
            }
        }
        Ok(parsed)
    }
}
