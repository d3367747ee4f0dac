//! Requests as lines of text, for people with `telnet` or `nc`: words with spaces
//! between them. In double quotes, `\n`, `\r`, `\t`, `\a`, `\b` and `\xHH` are bytes,
//! and a backslash makes any other byte itself; in single quotes, only `\'` is
//! special.

use std::ops::Range;

use super::ProtocolError;

/// Splits a line into words. What quotes and backslashes stand for is written into
/// the line itself: it is never longer than they are.
pub fn split(line: &mut [u8], words: &mut Vec<Range<usize>>) -> Result<(), ProtocolError> {
    let mut at = 0;
    let mut end = 0;
    loop {
        while at < line.len() && is_space(line[at]) {
            at += 1;
        }
        if at == line.len() {
            return Ok(());
        }
        let begin = end;
        while at < line.len() && !is_space(line[at]) {
            let quote = line[at];
            if !matches!(quote, b'"' | b'\'') {
                line[end] = line[at];
                (at, end) = (at + 1, end + 1);
                continue;
            }
            at += 1;
            loop {
                let (byte, len) = match &line[at..] {
                    [] => return Err(ProtocolError::UnbalancedQuotes),
                    [byte, ..] if *byte == quote => break,
                    rest => unescape(quote, rest),
                };
                line[end] = byte;
                (at, end) = (at + len, end + 1);
            }
            at += 1;
            if line.get(at).is_some_and(|&byte| !is_space(byte)) {
                return Err(ProtocolError::UnbalancedQuotes);
            }
        }
        words.push(begin..end);
    }
}

/// The first byte of what is written in quotes, and how long it is written.
fn unescape(quote: u8, text: &[u8]) -> (u8, usize) {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    match *text {
        [b'\\', b'\'', ..] if quote == b'\'' => (b'\'', 2),
        [b'\\', b'x', high, low, ..] if quote == b'"' => match (digit(high), digit(low)) {
            (Some(high), Some(low)) => ((high * 16 + low) as u8, 4),
            _ => (b'x', 2),
        },
        [b'\\', byte, ..] if quote == b'"' => match byte {
            b'n' => (b'\n', 2),
            b'r' => (b'\r', 2),
            b't' => (b'\t', 2),
            b'a' => (7, 2),
            b'b' => (8, 2),
            other => (other, 2),
        },
        _ => (text[0], 1),
    }
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Option<Vec<Vec<u8>>> {
        let mut line = line.as_bytes().to_vec();
        let mut words = Vec::new();
        split(&mut line, &mut words).ok()?;
        Some(words.into_iter().map(|at| line[at].to_vec()).collect())
    }

    #[test]
    fn quotes() {
        let line = r#"  a "b c"	"\x41\xzz\n\"" 'd "\' \n' "" e"f" "#;
        let expected: [&[u8]; 6] = [b"a", b"b c", b"Axzz\n\"", b"d \"' \\n", b"", b"ef"];
        assert_eq!(words(line).unwrap(), expected);
        assert_eq!(words(""), Some(vec![]));
        for line in ["\"", "'a", "\"a\\\"", "\"a\"b", "'a''b'"] {
            assert_eq!(words(line), None, "{line}");
        }
    }
}
