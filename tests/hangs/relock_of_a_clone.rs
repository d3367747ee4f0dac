//! A block is in a block over the same lock, by another handle.

use std::sync::Arc;

use async_monitor::{Mutex, with_lock};
use futures::executor::block_on;

struct Directory {
    names: Arc<Mutex<Vec<String>>>,
}

impl Directory {
    async fn insert(&self, name: &str) {
        let search = Directory {
            names: Arc::clone(&self.names),
        };
        with_lock!(self.names, {
            if !search.contains(name).await {
                names.push(name.to_owned());
            }
        })
    }

    async fn contains(&self, name: &str) -> bool {
        with_lock!(self.names, { names.iter().any(|known| known == name) })
    }
}

pub fn run() {
    let directory = Directory {
        names: Arc::default(),
    };
    block_on(directory.insert("Ada"));
}
