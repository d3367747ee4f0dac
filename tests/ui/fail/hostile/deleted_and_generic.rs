//! As with types that have no size, where the size depends on a parameter. A bound that is
//! generic is believed where it is written, so none may say that the last field has a size.
use async_monitor::{Guarded, Lock};

pub struct Real<T: ?Sized> {
    pub a: Lock,
    pub b: Lock,
    pub x: Guarded<Option<Box<u64>>>,
    pub tail: T,
}

mod slice {
    use async_monitor::{Guarded, Lock};

    pub type Account<T> = super::Real<[T]>;

    #[derive(Guarded)]
    #[deleting::delete]
    pub struct Account<T> {
        #[lock]
        pub a: Lock,
        #[guarded_by(a)]
        pub x: Guarded<Option<Box<u64>>>,
        pub tail: [T],
    }
}

mod object {
    use async_monitor::{Guarded, Lock};

    pub trait Of<T: ?Sized> {}
    pub type Account<T> = super::Real<dyn Of<T>>;

    #[derive(Guarded)]
    #[deleting::delete]
    pub struct Account<T: ?Sized> {
        #[lock]
        pub b: Lock,
        #[guarded_by(b)]
        pub x: Guarded<Option<Box<u64>>>,
        pub tail: dyn Of<T>,
    }
}

fn main() {}
