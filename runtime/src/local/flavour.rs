//! The flavour of the primitives in [`local`](crate::local): what the tasks of one
//! thread share.

pub(crate) use std::rc::Rc;

pub(crate) use crate::platform::Local as ThisFlavour;

/// Items that are compiled for the flavour of threads only: not here.
macro_rules! threads_only {
    ($($item:tt)*) => {};
}

/// Items that are compiled for the flavour of one thread only.
macro_rules! local_only {
    ($($item:tt)*) => { $($item)* };
}

/// The type of the pointer by which several owners share a primitive.
macro_rules! rc {
    ($primitive:ty) => { ::std::rc::Rc<$primitive> };
}

/// The line of an example that says where a primitive is found.
macro_rules! use_of {
    ($names:literal) => {
        concat!("use async_monitor::local::", $names, ";")
    };
}

/// One of two texts: for threads, and for one thread.
macro_rules! per_flavour {
    ($threads:literal, $local:literal) => {
        $local
    };
}

pub(crate) use {local_only, per_flavour, rc, threads_only, use_of};
