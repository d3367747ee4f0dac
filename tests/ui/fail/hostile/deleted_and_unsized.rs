//! The structs are deleted, and aliases aim the derives at two types of which one becomes
//! the other: `x` would be behind two locks.
use async_monitor::{Guarded, Lock};

pub struct Real<T: ?Sized> {
    pub a: Lock,
    pub b: Lock,
    pub x: Guarded<Option<Box<u64>>>,
    pub tail: T,
}

mod one {
    use async_monitor::{Guarded, Lock};

    pub type Account = super::Real<[u8; 1]>;

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

    pub type Account = super::Real<[u8]>;

    #[derive(Guarded)]
    #[deleting::delete]
    pub struct Account {
        #[lock]
        pub b: Lock,
        #[guarded_by(b)]
        pub x: Guarded<Option<Box<u64>>>,
    }
}

fn main() {}
