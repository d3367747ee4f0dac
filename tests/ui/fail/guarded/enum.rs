use async_monitor::{Guarded, Lock};

#[derive(Guarded)]
enum Account {
    Open(Lock, Guarded<i64>),
}

fn main() {}
