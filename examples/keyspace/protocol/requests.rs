//! Requests from bytes, as they come in: `*2`, `$3`, `GET`, `$1`, `k`, each with a
//! CRLF; or a line of text.
//!
//! What has been read of a request is not read again when more of it arrives, and
//! memory is used for what has arrived, never for what was announced.

use std::io;
use std::mem;
use std::ops::Range;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::{ProtocolError, inline};
use crate::state::parse_integer;

/// The longest request, in bytes.
pub const MAX_REQUEST: usize = 64 << 20;

/// The most arguments of a request.
const MAX_ARGUMENTS: i64 = 1 << 20;

/// The longest line of text.
const MAX_LINE: usize = 64 << 10;

/// The longest line with a length.
const MAX_HEADER: usize = 32;

/// How much is read at a time, and how much memory is kept for the next request.
const READ: usize = 16 << 10;

/// Splits what a client sends into requests.
///
/// Positions are relative to where the current request begins.
#[derive(Debug, Default)]
pub struct Requests {
    buffer: Vec<u8>,
    /// Where the current request begins.
    begin: usize,
    /// How much of it has been parsed.
    parsed: usize,
    /// How much of what follows has no end of a line in it.
    searched: usize,
    /// How many of its arguments are still to come.
    missing: usize,
    /// The length of the next argument, once that is known.
    length: Option<usize>,
    arguments: Vec<Range<usize>>,
}

impl Requests {
    /// Waits for more, and returns how many bytes have come: none at the end. May be
    /// cancelled without losing any.
    pub async fn read_from(&mut self, client: &mut (impl AsyncRead + Unpin)) -> io::Result<usize> {
        self.buffer.drain(..self.begin);
        self.begin = 0;
        if self.buffer.is_empty() {
            self.buffer.shrink_to(READ);
        }
        self.buffer.reserve(READ);
        client.read_buf(&mut self.buffer).await
    }

    /// The name and the arguments of the next request, if it is here as a whole.
    pub fn next(&mut self) -> Result<Option<Vec<&[u8]>>, ProtocolError> {
        if self.missing == 0 {
            self.arguments.clear();
        }
        loop {
            if self.missing == 0 && !self.start()? {
                return Ok(None);
            }
            while self.missing > 0 {
                let Some(argument) = self.argument()? else {
                    return Ok(None);
                };
                self.arguments.push(argument);
                self.missing -= 1;
            }
            let begin = self.begin;
            self.begin += mem::take(&mut self.parsed);
            if !self.arguments.is_empty() {
                let request = &self.buffer[begin..];
                let arguments = self.arguments.iter();
                return Ok(Some(arguments.map(|at| &request[at.clone()]).collect()));
            }
            // An empty request asks for nothing.
        }
    }

    /// Parses the header of an array, or a whole line of text. Returns whether
    /// there was one.
    fn start(&mut self) -> Result<bool, ProtocolError> {
        match self.buffer.get(self.begin) {
            None => Ok(false),
            Some(b'*') => {
                let Some(header) = self.line(MAX_HEADER, ProtocolError::TooBigHeader)? else {
                    return Ok(false);
                };
                self.missing = match parse_integer(&self.request()[header][1..]) {
                    Some(len @ ..=MAX_ARGUMENTS) => len.max(0) as usize,
                    _ => return Err(ProtocolError::InvalidArrayLength),
                };
                Ok(true)
            }
            Some(_) => {
                let Some(line) = self.line(MAX_LINE, ProtocolError::TooBigInline)? else {
                    return Ok(false);
                };
                let line = &mut self.buffer[self.begin..][line];
                inline::split(line, &mut self.arguments)?;
                Ok(true)
            }
        }
    }

    /// Parses an argument, if it is here as a whole.
    fn argument(&mut self) -> Result<Option<Range<usize>>, ProtocolError> {
        let length = match self.length {
            Some(length) => length,
            None => {
                let Some(header) = self.line(MAX_HEADER, ProtocolError::TooBigHeader)? else {
                    return Ok(None);
                };
                let length = match &self.request()[header] {
                    [b'$', length @ ..] => parse_integer(length),
                    other => {
                        let found = *other.first().unwrap_or(&b'\n');
                        return Err(ProtocolError::ExpectedString { found });
                    }
                };
                let length = length.and_then(|length| usize::try_from(length).ok());
                let fits = |length: &usize| *length <= MAX_REQUEST - self.parsed.min(MAX_REQUEST);
                let length = length.filter(fits);
                *self
                    .length
                    .insert(length.ok_or(ProtocolError::InvalidStringLength)?)
            }
        };
        let end = self.parsed + length;
        match self.request().get(end..end + 2) {
            None => Ok(None),
            Some(b"\r\n") => {
                self.length = None;
                Ok(Some(mem::replace(&mut self.parsed, end + 2)..end))
            }
            Some(_) => Err(ProtocolError::ExpectedLineEnd),
        }
    }

    /// The next line, without its end, if it is here as a whole.
    fn line(
        &mut self,
        max: usize,
        too_long: ProtocolError,
    ) -> Result<Option<Range<usize>>, ProtocolError> {
        let rest = &self.buffer[self.begin + self.parsed..];
        let mut unsearched = rest.iter().take(max + 2).skip(self.searched);
        let Some(end) = unsearched.position(|&byte| byte == b'\n') else {
            self.searched = rest.len();
            return if rest.len() < max + 2 {
                Ok(None)
            } else {
                Err(too_long)
            };
        };
        let end = mem::take(&mut self.searched) + end;
        let len = end - usize::from(rest[..end].ends_with(b"\r"));
        let begin = self.parsed;
        self.parsed += end + 1;
        Ok(Some(begin..begin + len))
    }

    /// What is here of the current request, and all that follows it.
    fn request(&self) -> &[u8] {
        &self.buffer[self.begin..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All requests of these bytes, read `step` bytes at a time.
    async fn parse(mut bytes: &[u8], step: usize) -> Result<Vec<Vec<Vec<u8>>>, ProtocolError> {
        let mut requests = Requests::default();
        let mut all = Vec::new();
        while !bytes.is_empty() {
            let (mut now, later) = bytes.split_at(step.min(bytes.len()));
            while requests.read_from(&mut now).await.unwrap() > 0 {}
            while let Some(request) = requests.next()? {
                all.push(request.into_iter().map(<[u8]>::to_vec).collect());
            }
            bytes = later;
        }
        Ok(all)
    }

    #[tokio::test]
    async fn requests_however_they_are_cut() {
        let bytes =
            b"*2\r\n$3\r\nGET\r\n$5\r\na\r\n\0\xff\r\n*0\r\n\r\nPING\r\n*-1\r\n  set k  v \n\
            *1\r\n$0\r\n\r\n*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$3\r\nhal";
        let expected: [&[&[u8]]; 5] = [
            &[b"GET", b"a\r\n\0\xff"],
            &[b"PING"],
            &[b"set", b"k", b"v"],
            &[b""],
            &[b"PING"],
        ];
        for step in 1..=bytes.len() {
            assert_eq!(parse(bytes, step).await.unwrap(), expected, "{step}");
        }
    }

    #[tokio::test]
    async fn what_is_no_request() {
        let long = [b'x'; MAX_LINE + 2];
        let cases: [(&[u8], ProtocolError); 14] = [
            (b"*1048577\r\n", ProtocolError::InvalidArrayLength),
            (b"*x\r\n", ProtocolError::InvalidArrayLength),
            (b"*\r\n", ProtocolError::InvalidArrayLength),
            (
                b"*99999999999999999999\r\n",
                ProtocolError::InvalidArrayLength,
            ),
            (&[b'*'; MAX_HEADER + 2], ProtocolError::TooBigHeader),
            (b"*1\r\n$-1\r\n", ProtocolError::InvalidStringLength),
            (b"*1\r\n$+1\r\n", ProtocolError::InvalidStringLength),
            (b"*1\r\n$67108865\r\n", ProtocolError::InvalidStringLength),
            (
                b"*1\r\n$9223372036854775807\r\n",
                ProtocolError::InvalidStringLength,
            ),
            (
                b"*1\r\n:1\r\n",
                ProtocolError::ExpectedString { found: b':' },
            ),
            (
                b"*1\r\n\r\n",
                ProtocolError::ExpectedString { found: b'\n' },
            ),
            (b"*1\r\n$1\r\nabc", ProtocolError::ExpectedLineEnd),
            (b"get \"k\r\n", ProtocolError::UnbalancedQuotes),
            (&long, ProtocolError::TooBigInline),
        ];
        for (bytes, error) in cases {
            for step in [1, bytes.len()] {
                assert_eq!(
                    parse(bytes, step).await,
                    Err(error),
                    "{}",
                    bytes.escape_ascii()
                );
            }
        }
    }

    #[tokio::test]
    async fn all_arguments_together_have_a_limit() {
        let half = MAX_REQUEST / 2;
        let mut bytes = format!("*2\r\n${half}\r\n").into_bytes();
        bytes.resize(bytes.len() + half, b'x');
        bytes.extend_from_slice(format!("\r\n${half}\r\n").as_bytes());
        let error = parse(&bytes, READ).await;
        assert_eq!(error, Err(ProtocolError::InvalidStringLength));
    }

    #[tokio::test]
    async fn memory_follows_what_has_arrived() {
        let mut requests = Requests::default();
        let announced = b"*1048576\r\n$60000000\r\n";
        requests.read_from(&mut &announced[..]).await.unwrap();
        assert_eq!(requests.next(), Ok(None));
        assert!(requests.buffer.capacity() <= 2 * READ);
        assert_eq!(requests.arguments.capacity(), 0);
    }
}
