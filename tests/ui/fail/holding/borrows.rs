// What a body borrows, against the rules: the view's lifetime has the name of its lock, which the
// user can write.
use async_monitor::{Guarded, Lock, RwLock, holding, monitor};

#[derive(Guarded)]
struct Cache {
    capacity: Vec<usize>,
    state: Lock,
    #[guarded_by(state)]
    entries: Guarded<Vec<u64>>,
    #[guarded_by(state)]
    index: Guarded<Vec<u64>>,
    #[lock(rw)]
    config: RwLock<()>,
    #[guarded_by(config)]
    name: Guarded<String>,
}

async fn pause() {}

#[monitor]
impl Cache {
    #[holding(state)]
    fn twice(&self) -> &mut u64 {
        let first = &mut state.entries[0];
        let second = &mut state.entries[1];
        *second += 1;
        first
    }

    #[holding(state)]
    fn local(&self) -> &u64 {
        let sum: u64 = state.entries.iter().sum();
        &sum
    }

    #[holding(state)]
    fn of_argument(&self, key: &u64) -> &u64 {
        let _ = key;
        key
    }

    #[holding(state)]
    fn whole(&self) -> &mut u64 {
        let first = &mut state.entries[0];
        state.entries.push(1);
        first
    }

    #[holding(state)]
    fn immutable(&self) -> &mut usize {
        &mut self.capacity[0]
    }

    #[holding(state)]
    async fn kept(&self) -> &mut u64 {
        let first = &mut state.entries[0];
        pause().await;
        state.entries.clear();
        first
    }

    #[holding(read(config))]
    fn read(&self) -> &str {
        let copy = config.name.clone();
        &copy
    }

    #[holding(state)]
    fn iterator(&self) -> impl Iterator<Item = &u64> {
        let n = 1;
        state.entries.iter().filter(|x| **x > n)
    }

    #[holding(state)]
    fn stored(&self, all: &mut Vec<&u64>) {
        all.push(&state.entries[0]);
    }

}

fn main() {}
