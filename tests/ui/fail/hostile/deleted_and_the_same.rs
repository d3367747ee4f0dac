//! Two derives for one type.
use async_monitor::{Guarded, Lock};

pub struct Real {
    pub a: Lock,
    pub b: Lock,
    pub x: Guarded<Option<Box<u64>>>,
}

mod one {
    use async_monitor::{Guarded, Lock};

    pub type Account = super::Real;

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

    pub type Account = super::Real;

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
