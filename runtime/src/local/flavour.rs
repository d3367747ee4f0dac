//! The flavour of the primitives in [`local`](crate::local): shared by the tasks of one
//! thread.

#[cfg(not(feature = "alloc"))]
pub(crate) use crate::forms::NoPointer as Rc;
pub(crate) use crate::platform::Local as ThisFlavour;
#[cfg(feature = "alloc")]
pub(crate) use alloc::rc::Rc;

/// Items that are compiled for the flavour of threads only: not here.
macro_rules! threads_only {
    ($($item:tt)*) => {};
}

/// Items that are compiled for the flavour of one thread only.
macro_rules! local_only {
    ($($item:tt)*) => { $($item)* };
}

/// The pointer type by which several owners share a primitive.
#[cfg(feature = "alloc")]
macro_rules! rc {
    ($primitive:ty) => { ::alloc::rc::Rc<$primitive> };
}

/// Without `alloc`, there is no such pointer.
#[cfg(not(feature = "alloc"))]
macro_rules! rc {
    ($primitive:ty) => { $crate::forms::NoPointer<$primitive> };
}

/// The line of an example that says where a primitive is found.
macro_rules! use_of {
    ($names:literal) => {
        concat!("use async_monitor::local::", $names, ";")
    };
}

/// The line of an example that imports the pointer by which several owners share a primitive.
macro_rules! use_rc {
    () => {
        "use std::rc::Rc;"
    };
}

/// The line of an example that makes a shared primitive.
macro_rules! let_rc {
    ($variable:literal, $($value:literal),+) => {
        concat!("let ", $variable, " = Rc::new(", $($value,)+ ");")
    };
}

/// One of two texts: for threads, and for one thread.
macro_rules! per_flavour {
    ($threads:literal, $local:literal) => {
        $local
    };
}

pub(crate) use {let_rc, local_only, per_flavour, rc, threads_only, use_of, use_rc};
