//! How the fields of a report serialize whose type does not say it.

use core::time::Duration;
use serde::{Serialize, Serializer};

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
