// Without `#[monitor]`, and what it holds is acquired again.
use async_monitor::{Guarded, Lock, holding, monitor};

#[derive(Guarded)]
struct Cache {
    state: Lock,
    #[guarded_by(state)]
    entries: Guarded<Vec<u64>>,
}

impl Cache {
    #[holding(state)]
    fn trim(&self) {}
}

#[monitor]
impl Cache {
    #[holding(state)]
    async fn again(&self) {
        self.acquire_state().await;
    }

    #[holding(state)]
    fn blocks(&self) {
        self.acquire_state_blocking();
    }
}

fn main() {}
