//! What was computed of old data is kept, as the flag that says so is as it was before.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Guarded, Lock, synchronized};

use crate::support::{block_on, task};

#[derive(Guarded, Default)]
struct Index {
    state: Lock,
    #[guarded_by(state)]
    words: Guarded<u32>,
    #[guarded_by(state)]
    is_changing: Guarded<bool>,
    #[guarded_by(state)]
    version: Guarded<u64>,
    /// How many words were counted.
    #[guarded_by(state)]
    count: Guarded<Option<u32>>,
}

impl Index {
    #[synchronized(state)]
    async fn begin_change(&self) {
        *state.is_changing = true;
        *state.version += 1;
        *state.count = None;
    }

    #[synchronized(state)]
    async fn end_change(&self) {
        *state.words += 1;
        *state.is_changing = false;
        *state.version += 1;
    }

    #[synchronized(state)]
    async fn look(&self) -> (bool, u64, u32) {
        (*state.is_changing, *state.version, *state.words)
    }

    /// Keeps the count, unless the data is changing.
    #[synchronized(state)]
    async fn keep(&self, count: u32) {
        if !*state.is_changing {
            *state.count = Some(count);
        }
    }

    /// Keeps the count, unless the data has changed.
    #[synchronized(state)]
    async fn keep_of(&self, version: u64, count: u32) {
        if *state.version == version {
            *state.count = Some(count);
        }
    }

    #[synchronized(state)]
    async fn is_right(&self) -> bool {
        state.count.is_none_or(|count| count == *state.words)
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let index = Arc::new(Index::default());
    task(run, "counter", &index, move |index| async move {
        let (is_changing, version, words) = index.look().await;
        if is_changing {
            return;
        }
        if is_mended {
            index.keep_of(version, words).await;
        } else {
            index.keep(words).await;
        }
    });
    task(run, "writer", &index, |index| async move {
        index.begin_change().await;
        index.end_change().await;
    });
    run.finally(move || assert!(block_on(index.is_right()), "the count is that of old data"));
}
