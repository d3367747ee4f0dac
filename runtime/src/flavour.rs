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

/// What keeps a primitive alive that several own. (An alias would hide from the
/// docs what it is.)
macro_rules! counted {
    ($primitive:ty) => { ::std::sync::Arc<$primitive> };
}

/// The line of an example that says where a primitive is found.
macro_rules! use_of {
    ($names:literal) => {
        concat!("use async_monitor::", $names, ";")
    };
}

/// One of two texts: for threads, and for one thread.
macro_rules! one_of {
    ($threads:literal, $local:literal) => {
        $threads
    };
}

pub(crate) use {counted, local_only, one_of, threads_only, use_of};
