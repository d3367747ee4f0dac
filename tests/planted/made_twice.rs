//! A value is made where a reader has not found it, and nobody looks again under the write lock.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Guarded, RwLock, synchronized};

use crate::support::{block_on, task};

#[derive(Guarded, Default)]
struct Registry {
    #[lock(rw)]
    state: RwLock<()>,
    #[guarded_by(state)]
    value: Guarded<Option<u32>>,
    #[guarded_by(state)]
    made: Guarded<u32>,
}

impl Registry {
    #[synchronized(read(state))]
    async fn find(&self) -> Option<u32> {
        *state.value
    }

    #[synchronized(state)]
    async fn make(&self) {
        *state.made += 1;
        *state.value = Some(*state.made);
    }

    #[synchronized(state)]
    async fn make_mended(&self) {
        if state.value.is_none() {
            *state.made += 1;
            *state.value = Some(*state.made);
        }
    }

    #[synchronized(read(state))]
    async fn made(&self) -> u32 {
        *state.made
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let registry = Arc::new(Registry::default());
    for name in ["ada", "bob"] {
        task(run, name, &registry, move |registry| async move {
            if registry.find().await.is_some() {
                return;
            }
            if is_mended {
                registry.make_mended().await;
            } else {
                registry.make().await;
            }
        });
    }
    run.finally(move || assert!(block_on(registry.made()) <= 1, "it was made twice"));
}
