// Without a derive: what would deadlock is found, and there are no views.
use async_monitor::{Lock, Mutex, RwLock, holding, monitor, sync, synchronized, with_lock};

struct State {
    number: u64,
}

struct Store {
    state: Mutex<State>,
    short: sync::Mutex<State>,
    table: RwLock<State>,
    log: Lock,
}

#[monitor(plain)]
impl Store {
    #[synchronized(state)]
    async fn add(&self) {
        state.number += 1;
    }

    #[synchronized(state)]
    async fn again(&self) {
        self.add().await;
    }

    #[synchronized(short)]
    fn add_short(&self) {
        short.number += 1;
    }

    #[synchronized(short)]
    fn again_short(&self) {
        self.add_short();
    }

    #[synchronized(read(table))]
    async fn reads_and_writes(&self) -> u64 {
        self.table.write().await.number += 1;
        table.number
    }

    #[synchronized(log)]
    async fn one_order(&self) {
        with_lock!(self.state, { state.number += 1 });
    }

    #[synchronized(state)]
    async fn other_order(&self) {
        with_lock!(self.log, { state.number += 1 });
    }

    #[holding(state)]
    fn helper(&self) {}
}

fn main() {}
