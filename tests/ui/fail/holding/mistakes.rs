// What cannot be a method of a view.
use async_monitor::{Guarded, Lock, holding, monitor, synchronized};

#[derive(Guarded)]
struct Cache {
    state: Lock,
    #[guarded_by(state)]
    entries: Guarded<Vec<u64>>,
    other: Lock,
    #[guarded_by(other)]
    number: Guarded<u64>,
}

#[monitor]
impl Cache {
    #[holding]
    fn without_a_lock(&self) {}

    #[holding(state, other)]
    fn two_locks(&self) {}

    #[holding(state, no_await)]
    fn with_an_option(&self) {}

    #[holding(when = true, state)]
    fn with_a_condition(&self) {}

    #[holding(GLOBAL)]
    fn of_a_global(&self) {}

    #[holding(state)]
    fn without_a_receiver() {}

    #[holding(state)]
    fn mutable(&mut self) {}

    #[holding(state)]
    const fn constant(&self) {}

    #[holding(state)]
    #[synchronized(state)]
    async fn acquires_too(&self) {}

    #[holding(state)]
    #[holding(other)]
    fn twice(&self) {}

    #[holding(state)]
    fn clear(&self) {}

    #[synchronized(state)]
    async fn clear(&self) {}
}

fn main() {}
