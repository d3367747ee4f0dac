//! The flavour of the primitives in [`local`](crate::local): what the tasks of one
//! thread share.

pub(crate) use std::rc::Rc;

pub(crate) use crate::sync::Local as Own;

/// What there is for threads only: not here.
macro_rules! threads_only {
    ($($item:tt)*) => {};
}

/// What takes the place of it for one thread.
macro_rules! local_only {
    ($($item:tt)*) => { $($item)* };
}

pub(crate) use {local_only, threads_only};
