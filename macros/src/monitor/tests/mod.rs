//! Unit tests of `#[monitor]`.

mod expansion;
mod findings;
