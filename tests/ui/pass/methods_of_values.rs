//! A method of the value, or of a trait, that has the name of one that a guard or a lock has for
//! its message alone, is found.

#![deny(warnings)]

use async_monitor::{Mutex, RwLock, SyncLock, sync};
use futures::executor::block_on;

struct Text(&'static str);

impl Text {
    fn expect(&self, text: &str) -> bool {
        self.0 == text
    }
}

async fn awaited(mutex: &Mutex<Option<u8>>, rw: &RwLock<Option<u8>>) -> [u8; 3] {
    let first = mutex.lock().await.unwrap();
    let second = rw.read().await.expect("some");
    [first, second, rw.write().await.unwrap()]
}

fn main() {
    let (mutex, rw) = (Mutex::new(Some(1)), RwLock::new(Some(2)));
    assert_eq!(block_on(awaited(&mutex, &rw)), [1, 2, 2]);

    let (mutex, rw) = (sync::Mutex::new(Some(1)), sync::RwLock::new(Some(2)));
    assert_eq!(mutex.lock().unwrap(), 1);
    assert_eq!(rw.read().unwrap(), 2);
    assert_eq!(rw.write().expect("some"), 2);
    // By the trait.
    assert_eq!(mutex.acquire().unwrap() + rw.acquire().unwrap(), 3);
    assert!(mutex.try_acquire().is_some());

    assert!(sync::Mutex::new(Text("a")).lock().expect("a"));
}
