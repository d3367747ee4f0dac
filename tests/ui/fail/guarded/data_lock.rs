use async_monitor::{Guarded, Mutex};

#[derive(Guarded)]
struct Account {
    state: Mutex<u8>,
    #[guarded_by(state)]
    balance: Guarded<i64>,
}

#[derive(Guarded)]
struct Marked {
    #[lock]
    state: Mutex<u8>,
    balance: Guarded<i64>,
}

fn main() {}
