//! Watching sees the locks of other crates.

#![cfg(any(debug_assertions, feature = "watch"))]
