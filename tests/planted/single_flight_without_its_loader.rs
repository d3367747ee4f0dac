//! Many wait for what one loads, and that one is cancelled.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Guarded, sync, synchronized};

use crate::support::{a_moment, task};

#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Empty,
    Loading,
    Loaded(u32),
}

#[derive(Guarded, Default)]
struct Cache {
    entry: sync::Lock,
    #[guarded_by(entry)]
    state: Guarded<State>,
}

/// Empties the entry, if it is still loading: somebody else loads it then.
struct Loading<'c>(&'c Cache);

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        self.0.stop_loading();
    }
}

impl Cache {
    /// The value, or `None` for who is to load it.
    #[synchronized(entry, when = *entry.state != State::Loading)]
    async fn begin(&self) -> Option<u32> {
        match *entry.state {
            State::Loaded(value) => Some(value),
            State::Empty | State::Loading => {
                *entry.state = State::Loading;
                None
            }
        }
    }

    #[synchronized(entry)]
    fn loaded(&self, value: u32) {
        *entry.state = State::Loaded(value);
    }

    #[synchronized(entry)]
    fn stop_loading(&self) {
        if *entry.state == State::Loading {
            *entry.state = State::Empty;
        }
    }

    async fn get(&self, is_mended: bool) -> u32 {
        if let Some(value) = self.begin().await {
            return value;
        }
        let _loading = is_mended.then(|| Loading(self));
        a_moment().await;
        self.loaded(7);
        7
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let cache = Arc::new(Cache::default());
    for name in ["ada", "bob"] {
        task(run, name, &cache, move |cache| async move {
            assert_eq!(cache.get(is_mended).await, 7);
        });
    }
}
