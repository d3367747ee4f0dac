use async_monitor::{Guarded, Lock};

#[derive(Guarded)]
struct Account(Lock, #[guarded_by(0)] Guarded<i64>);

#[derive(Guarded)]
struct Unit;

fn main() {}
