// A sync lock is acquired by a plain call: again, or in another order.
use async_monitor::{Guarded, Lock, monitor, sync, synchronized};

#[derive(Guarded)]
struct Store {
    state: sync::Lock,
    #[guarded_by(state)]
    number: Guarded<u64>,
    log: sync::Lock,
    #[guarded_by(log)]
    lines: Guarded<Vec<String>>,
    slow: Lock,
    #[guarded_by(slow)]
    later: Guarded<u64>,
}

#[monitor]
impl Store {
    #[synchronized(state)]
    fn again(&self) -> u64 {
        *self.acquire_state().fields().number
    }

    #[synchronized(state)]
    fn by_the_field(&self) {
        drop(self.state.acquire());
    }

    #[synchronized(state)]
    async fn in_async_code(&self) -> u64 {
        *self.acquire_state().fields().number
    }

    #[synchronized(state)]
    fn one_order(&self) {
        self.acquire_log().fields().lines.clear();
    }

    #[synchronized(log)]
    fn other_order(&self) {
        *self.acquire_state().fields().number = 0;
    }

    // A future that is not awaited acquires nothing.
    #[synchronized(slow)]
    async fn nothing(&self) {
        drop(self.acquire_slow());
    }
}

fn main() {}
