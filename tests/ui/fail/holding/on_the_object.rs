// A method of the view, called where the lock is not held.
use async_monitor::{Guarded, Lock, holding, monitor, synchronized};

#[derive(Guarded)]
struct Cache {
    capacity: usize,
    state: Lock,
    #[guarded_by(state)]
    entries: Guarded<Vec<u64>>,
}

#[monitor]
impl Cache {
    #[holding(state)]
    fn trim(&self) -> usize {
        state.entries.truncate(self.capacity);
        state.entries.len()
    }

    #[holding(read(state))]
    fn find<T: PartialEq<u64>>(&self, key: T) -> Option<&u64> {
        state.entries.iter().find(|entry| key == **entry)
    }

    fn plain(&self) -> usize {
        self.trim()
    }

    #[synchronized(state)]
    async fn section(&self) -> usize {
        self.trim()
    }

    #[synchronized(read(state))]
    async fn reading(&self) -> usize {
        state.trim()
    }
}

fn elsewhere(cache: &Cache) {
    cache.find(7);
}

fn main() {}
