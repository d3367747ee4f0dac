//! What a primitive shows of itself.

use std::fmt::{Debug, Write};

/// The number of waiters that a primitive shows.
pub(crate) fn waiters(primitive: &impl Debug) -> usize {
    let mut text = String::with_capacity(128);
    write!(text, "{primitive:?}").expect("a string takes everything");
    let (_, rest) = text.split_once("waiters: ").expect("it tells the waiters");
    let digits = rest.find(|c: char| !c.is_ascii_digit());
    rest[..digits.unwrap_or(rest.len())]
        .parse()
        .expect("a number")
}
