use async_monitor::{Guarded, Lock};

#[derive(Guarded)]
struct Empty {
    id: u64,
}

#[derive(Guarded)]
struct Unmarked {
    ledger: Lock,
}

fn main() {}
