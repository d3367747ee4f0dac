use async_monitor::{Guarded, Lock};

#[derive(Guarded)]
union Account {
    ledger: std::mem::ManuallyDrop<Lock>,
}

fn main() {}
