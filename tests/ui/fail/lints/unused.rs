//! Unused fns are reported as they would be without the attribute, and so are their
//! neighbours.
#![deny(dead_code)]

use async_monitor::{Mutex, synchronized};

pub struct Cache {
    entries: Mutex<Vec<u8>>,
}

impl Cache {
    #[synchronized(entries)]
    pub async fn len(&self) -> usize {
        entries.len()
    }

    #[synchronized(entries)]
    async fn clear(&self) {
        entries.clear();
    }

    fn plain(&self) -> u8 {
        1
    }
}

#[synchronized(mutex)]
async fn free(mutex: &Mutex<u8>) -> u8 {
    *mutex
}

fn main() {
    let cache = Cache { entries: Mutex::new(vec![]) };
    futures::executor::block_on(cache.len());
}
