use async_monitor::{Guarded, Semaphore};

#[derive(Guarded)]
struct Account {
    permits: Semaphore,
    #[guarded_by(permits)]
    balance: Guarded<i64>,
}

fn main() {}
