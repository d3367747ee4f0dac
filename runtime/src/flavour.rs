//! The flavour of the primitives at the root of the crate: what the tasks of any
//! thread share.
//!
//! The files of the primitives are compiled twice, here and in
//! [`local`](crate::local), and take from `super::flavour` all in which the two
//! differ.

pub(crate) use std::sync::Arc as Rc;

pub(crate) use crate::sync::Threads as Own;

/// What there is for threads only.
macro_rules! threads_only {
    ($($item:tt)*) => { $($item)* };
}

/// What takes the place of it for one thread.
macro_rules! local_only {
    ($($item:tt)*) => {};
}

pub(crate) use {local_only, threads_only};
