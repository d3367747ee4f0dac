#![forbid(
    dead_code,
    missing_debug_implementations,
    single_use_lifetimes,
    unreachable_code,
    unused_imports,
    unused_mut,
    unused_variables
)]
//! Sections in a crate that forbids lints: no expansion may allow them again.

use std::time::Duration;

use async_monitor::{Elapsed, Lock, Mutex, RwLock, synchronized, with_lock};

#[derive(Debug)]
struct Shared {
    lock: Lock,
    state: Mutex<Vec<u8>>,
    cfg: RwLock<u8>,
}

impl Shared {
    #[synchronized(lock)]
    async fn nothing_but_the_exclusion(&self) {}

    #[synchronized(state, cfg, atomic)]
    async fn one_of_two(&self) -> usize {
        state.len()
    }

    #[synchronized(read(cfg), no_await)]
    async fn reads(&self) -> u8 {
        *cfg
    }

    #[synchronized(state, when = state.is_empty(), timeout = Duration::from_secs(1))]
    async fn waits(&self, item: u8) -> Result<(), Elapsed> {
        state.push(item);
        Ok(())
    }
}

async fn blocks(shared: &Shared) -> Result<usize, String> {
    with_lock!(shared.state, atomic, {
        state.push(1);
        check(state)?;
    });
    let len = with_lock!(shared.lock, shared.state, timeout = Duration::ZERO, {
        let _ = lock;
        state.len()
    });
    Ok(len.unwrap_or_default())
}

fn check(state: &[u8]) -> Result<(), String> {
    if state.is_empty() { Err("empty".to_owned()) } else { Ok(()) }
}

fn main() {
    let shared = Shared {
        lock: Lock::new(),
        state: Mutex::new(Vec::new()),
        cfg: RwLock::new(3),
    };
    futures::executor::block_on(async {
        shared.nothing_but_the_exclusion().await;
        assert_eq!(shared.one_of_two().await, 0);
        assert_eq!(shared.reads().await, 3);
        assert_eq!(shared.waits(1).await, Ok(()));
        assert_eq!(blocks(&shared).await, Ok(2));
    });
}
