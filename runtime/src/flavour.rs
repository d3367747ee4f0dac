//! The flavour of the primitives at the root of the crate: shared by tasks on any
//! thread.
//!
//! `primitives` is compiled twice, at the root and in [`local`](crate::local), and takes
//! all differences between the two from `super::flavour`.

#[cfg(not(feature = "alloc"))]
pub(crate) use crate::forms::NoPointer as Rc;
pub(crate) use crate::platform::Threads as ThisFlavour;
#[cfg(feature = "alloc")]
pub(crate) use alloc::sync::Arc as Rc;

/// Items that are compiled for the flavour of threads only.
macro_rules! threads_only {
    ($($item:tt)*) => { $($item)* };
}

/// Items that are compiled for the flavour of one thread only.
macro_rules! local_only {
    ($($item:tt)*) => {};
}

/// The pointer type by which several owners share a primitive. (With an alias, the docs
/// would not show which one it is.)
#[cfg(feature = "alloc")]
macro_rules! rc {
    ($primitive:ty) => { ::alloc::sync::Arc<$primitive> };
}

/// Without `alloc`, there is no such pointer.
#[cfg(not(feature = "alloc"))]
macro_rules! rc {
    ($primitive:ty) => { $crate::forms::NoPointer<$primitive> };
}

/// The line of an example that says where a primitive is found.
macro_rules! use_of {
    ($names:literal) => {
        concat!("use async_monitor::", $names, ";")
    };
}

/// The line of an example that imports the pointer by which several owners share a primitive.
macro_rules! use_rc {
    () => {
        "use std::sync::Arc;"
    };
}

/// The line of an example that makes a shared primitive.
macro_rules! let_rc {
    ($variable:literal, $($value:literal),+) => {
        concat!("let ", $variable, " = Arc::new(", $($value,)+ ");")
    };
}

/// One of two texts: for threads, and for one thread.
macro_rules! per_flavour {
    ($threads:literal, $local:literal) => {
        $threads
    };
}

pub(crate) use {let_rc, local_only, per_flavour, rc, threads_only, use_of, use_rc};
