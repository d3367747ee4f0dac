//! Replies, as the bytes that are to be sent.

use std::io::Write;

use crate::subscriber::Message;

/// The replies that wait to be sent, so that those to many requests go out at once.
#[derive(Debug, Default)]
pub struct Replies {
    bytes: Vec<u8>,
}

/// How much memory is kept for the next replies.
const KEPT: usize = 64 << 10;

impl Replies {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
    }

    pub fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// An error. What would end its line becomes a space.
    pub fn error(&mut self, text: impl AsRef<[u8]>) {
        let mut text = text.as_ref().to_vec();
        for byte in &mut text {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        self.line(b'-', &text);
    }

    pub fn integer(&mut self, number: i64) {
        self.number(b':', number);
    }

    /// A number of things.
    pub fn count(&mut self, count: usize) {
        self.integer(count.try_into().expect("memory is finite"));
    }

    pub fn bulk(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.number(b'$', bytes.len().try_into().expect("memory is finite"));
        self.bytes.extend_from_slice(bytes);
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// A string, or none.
    pub fn bulk_or_nil(&mut self, bytes: Option<impl AsRef<[u8]>>) {
        match bytes {
            Some(bytes) => self.bulk(bytes),
            None => self.nil(),
        }
    }

    pub fn nil(&mut self) {
        self.number(b'$', -1);
    }

    /// The beginning of an array; its elements follow.
    pub fn array(&mut self, len: usize) {
        self.number(b'*', len.try_into().expect("memory is finite"));
    }

    /// A message, which answers no request.
    pub fn message(&mut self, message: &Message) {
        self.array(3);
        self.bulk(b"message");
        self.bulk(&message.channel);
        self.bulk(&message.payload);
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(text);
        self.bytes.extend_from_slice(b"\r\n");
    }

    fn number(&mut self, kind: u8, number: i64) {
        self.bytes.push(kind);
        write!(self.bytes, "{number}\r\n").expect("a Vec takes everything");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        let mut replies = Replies::default();
        replies.array(5);
        replies.simple("OK");
        replies.error("ERR no\r\n+OK");
        replies.integer(-7);
        replies.bulk(b"a\r\n\0");
        replies.bulk_or_nil(None::<&[u8]>);
        let expected = b"*5\r\n+OK\r\n-ERR no  +OK\r\n:-7\r\n$4\r\na\r\n\0\r\n$-1\r\n";
        assert_eq!(replies.bytes(), expected);
    }
}
