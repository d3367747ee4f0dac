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

/// What keeps a primitive alive that several own.
macro_rules! counted {
    ($primitive:ty) => { ::std::rc::Rc<$primitive> };
}

/// The line of an example that says where a primitive is found.
macro_rules! use_of {
    ($names:literal) => {
        concat!("use async_monitor::local::", $names, ";")
    };
}

/// One of two texts: for threads, and for one thread.
macro_rules! one_of {
    ($threads:literal, $local:literal) => {
        $local
    };
}

pub(crate) use {counted, local_only, one_of, threads_only, use_of};
