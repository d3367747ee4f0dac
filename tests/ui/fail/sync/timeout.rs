use std::time::Duration;

use async_monitor::{Elapsed, Lock, sync, synchronized, with_lock};

const LONG: Duration = Duration::from_secs(1);

pub struct Store {
    state: sync::Mutex<Vec<u8>>,
    slow: Lock,
}

impl Store {
    #[synchronized(state, timeout = LONG)]
    async fn one(&self) -> Result<usize, Elapsed> {
        Ok(state.len())
    }

    #[synchronized(slow, read(state), timeout = LONG)]
    async fn mixed(&self) -> Result<usize, Elapsed> {
        Ok(state.len())
    }

    #[synchronized(state, timeout = LONG)]
    fn plain(&self) -> Result<usize, Elapsed> {
        Ok(state.len())
    }

    fn block(&self) -> Result<usize, Elapsed> {
        with_lock!(self.state, blocking, timeout = LONG, { state.len() })
    }
}

fn main() {}
