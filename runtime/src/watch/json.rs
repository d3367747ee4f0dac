//! What serializes in another way than a derive would do it.

use core::time::Duration;
use std::vec::Vec;

use serde::{Serialize, Serializer};

use super::Times;

pub(super) fn millis<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    serializer.serialize_u64(millis)
}

/// Nothing where the text is empty.
pub(super) fn or_null<S: Serializer>(text: &&str, serializer: S) -> Result<S::Ok, S::Error> {
    Some(*text)
        .filter(|text| !text.is_empty())
        .serialize(serializer)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// In nanoseconds: most times of locks are too short for milliseconds.
impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown {
            count: u64,
            total_ns: u64,
            max_ns: u64,
            histogram: Vec<Bucket>,
        }

        #[derive(Serialize)]
        struct Bucket {
            at_most_ns: u64,
            count: u64,
        }

        let buckets = self.histogram().map(|(at_most, count)| Bucket {
            at_most_ns: nanos(at_most),
            count,
        });
        Shown {
            count: self.count,
            total_ns: nanos(self.total),
            max_ns: nanos(self.max),
            histogram: buckets.collect(),
        }
        .serialize(serializer)
    }
}
