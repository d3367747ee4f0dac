//! The protocol: requests from bytes, and replies to bytes (RESP2).
//!
//! | file | what |
//! |---|---|
//! | `requests.rs` | requests as arrays of strings, and the limits of all requests |
//! | `inline.rs` | requests as lines of text |
//! | `replies.rs` | replies |

mod inline;
mod replies;
mod requests;

use std::fmt;

pub use self::replies::Replies;
pub use self::requests::Requests;

/// What a client has sent is no request. Where the next one would begin is not
/// known, so the connection cannot go on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ProtocolError {
    TooBigInline,
    TooBigHeader,
    InvalidArrayLength,
    InvalidStringLength,
    ExpectedString { found: u8 },
    ExpectedLineEnd,
    UnbalancedQuotes,
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Protocol error: ")?;
        match self {
            ProtocolError::TooBigInline => f.write_str("too big inline request"),
            ProtocolError::TooBigHeader => f.write_str("too big count string"),
            ProtocolError::InvalidArrayLength => f.write_str("invalid multibulk length"),
            ProtocolError::InvalidStringLength => f.write_str("invalid bulk length"),
            ProtocolError::ExpectedString { found } => {
                write!(f, "expected '$', got '{}'", found.escape_ascii())
            }
            ProtocolError::ExpectedLineEnd => f.write_str("expected CRLF after a bulk string"),
            ProtocolError::UnbalancedQuotes => f.write_str("unbalanced quotes in request"),
        }
    }
}
