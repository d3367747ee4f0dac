// A field that is not a lock of the derive.
use async_monitor::{Guarded, Lock, holding, monitor};

#[derive(Guarded)]
struct Cache {
    capacity: usize,
    state: Lock,
    #[guarded_by(state)]
    entries: Guarded<Vec<u64>>,
}

#[monitor]
impl Cache {
    #[holding(stat)]
    fn trim(&self) {}

    #[holding(capacity)]
    fn grow(&self) {}
}

fn main() {}
