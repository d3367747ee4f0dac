//! As with types that have no size, by a type and its subtype.
// As all lints of a dependency are.
#![allow(coherence_leak_check)]
use async_monitor::{Guarded, Lock};
use std::marker::PhantomData;

pub struct Real<T> {
    pub a: Lock,
    pub b: Lock,
    pub x: Guarded<Option<Box<u64>>>,
    pub marker: PhantomData<T>,
}

mod one {
    use async_monitor::{Guarded, Lock};

    pub type Account = super::Real<for<'a> fn(&'a u8)>;

    #[derive(Guarded)]
    #[deleting::delete]
    pub struct Account {
        #[lock]
        pub a: Lock,
        #[guarded_by(a)]
        pub x: Guarded<Option<Box<u64>>>,
    }
}

mod two {
    use async_monitor::{Guarded, Lock};

    pub type Account = super::Real<fn(&'static u8)>;

    #[derive(Guarded)]
    #[deleting::delete]
    pub struct Account {
        #[lock]
        pub b: Lock,
        #[guarded_by(b)]
        pub x: Guarded<Option<Box<u64>>>,
    }
}

fn use_it(real: &one::Account) -> &two::Account {
    real
}

fn main() {}
