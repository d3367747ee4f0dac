//! What the locks are called in etcd.
//!
//! The place of an acquisition in the queue of a lock is a key: the prefix of the store, the
//! key of the lock, `!`, the session, `/` and the ticket. In the key of a lock, `!` and `%` are
//! written as `%21` and `%25`, so that all places of a lock, and those of no other, begin with
//! its key and `!`.

/// What all places of a lock begin with.
pub(super) fn queue(prefix: &str, key: &str) -> String {
    let key = key.replace('%', "%25").replace('!', "%21");
    format!("{prefix}{key}!")
}

/// The place of a ticket.
pub(super) fn place(prefix: &str, session: &str, key: &str, ticket: u64) -> String {
    format!("{}{session}/{ticket}", queue(prefix, key))
}

/// What all places of the same lock begin with.
pub(super) fn queue_of(place: &str) -> &str {
    place.rfind('!').map_or(place, |end| &place[..=end])
}

/// The key of the lock, the session and the ticket of a place, if it is one.
pub(super) fn parse<'p>(prefix: &str, place: &'p [u8]) -> Option<(String, &'p str, u64)> {
    let place = std::str::from_utf8(place).ok()?.strip_prefix(prefix)?;
    let (key, owner) = place.rsplit_once('!')?;
    let (session, ticket) = owner.split_once('/')?;
    let key = key.replace("%21", "!").replace("%25", "%");
    Some((key, session, ticket.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_tells_its_lock() {
        for key in [
            "billing/42",
            "",
            "a!b",
            "100%",
            "%21",
            "%2521!",
            "Größe €\0",
        ] {
            let place = place("locks/", "s", key, 7);
            assert_eq!(
                parse("locks/", place.as_bytes()),
                Some((key.to_owned(), "s", 7))
            );
            assert_eq!(queue_of(&place), queue("locks/", key));
        }
        for nothing in ["locks/a", "locks/a!s", "locks/a!s/x", "a!s/7"] {
            assert_eq!(parse("locks/", nothing.as_bytes()), None);
        }
    }

    #[test]
    fn no_queue_has_places_of_another() {
        for (key, other) in [("a", "a!b"), ("a", "a/b"), ("", "!"), ("a!", "a%21")] {
            let place = place("", "s", other, 1);
            assert!(!place.starts_with(&queue("", key)), "{key:?} {other:?}");
        }
    }
}
