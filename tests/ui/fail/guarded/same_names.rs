use async_monitor::{Guarded, Lock};

#[derive(Guarded)]
struct Account {
    #[lock]
    a_b: Lock,
    #[lock]
    a__b: Lock,
}

fn main() {}
