//! Under lints that are denied, with attributes, and where names are awkward.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

/// A module.
pub mod cache {
    use async_monitor::{Guarded, Lock, holding, monitor, synchronized};

    /// A cache.
    #[derive(Guarded, Default)]
    pub struct Cache {
        /// Unguarded.
        pub capacity: usize,
        state: Lock,
        #[guarded_by(state)]
        entries: Guarded<Vec<u64>>,
    }

    #[monitor]
    impl Cache {
        /// Adds an entry.
        #[synchronized(state)]
        pub async fn add(&self, entry: u64) -> usize {
            state.entries.push(entry);
            state.trim();
            state.next();
            state.len()
        }

        /// Docs of it.
        #[holding(state)]
        #[inline]
        pub fn trim(&self) {
            state.entries.truncate(self.capacity);
        }

        #[holding(read(state))]
        #[must_use]
        fn len(&self) -> usize {
            state.entries.len()
        }

        #[holding(s = state)]
        fn next(&self) {
            s.entries.sort_unstable();
        }

        #[cfg(any())]
        #[holding(state)]
        fn never(&self) {
            no_such_thing();
        }
    }

    impl Iterator for Cache {
        type Item = u64;

        fn next(&mut self) -> Option<u64> {
            self.state_mut().entries.pop()
        }
    }
}

fn main() {
    let mut cache = cache::Cache::default();
    cache.capacity = 2;
    assert_eq!(futures::executor::block_on(cache.add(7)), 1);
    assert_eq!(cache.next(), Some(7));
}
