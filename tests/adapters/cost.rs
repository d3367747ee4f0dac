//! The cost of sections over a lock of another crate.

#![cfg(not(any(debug_assertions, feature = "watch")))]

use std::mem::size_of_val;

use async_monitor::{AsyncLock, AsyncRwLock, synchronized};

#[test]
fn futures_and_guards_are_those_of_the_lock() {
    let lock = tokio::sync::Mutex::new(0_u32);
    assert_eq!(
        size_of_val(&AsyncLock::acquire(&lock)),
        size_of_val(&lock.lock())
    );
    let lock = tokio::sync::RwLock::new(0_u32);
    assert_eq!(
        size_of_val(&AsyncLock::acquire(&lock)),
        size_of_val(&lock.write())
    );
    assert_eq!(
        size_of_val(&AsyncRwLock::read(&lock)),
        size_of_val(&lock.read())
    );
    let lock = tokio::sync::Semaphore::new(1);
    assert_eq!(
        size_of_val(&AsyncLock::acquire(&lock)),
        size_of_val(&lock.acquire())
    );
    let lock = async_lock::Mutex::new(0_u32);
    assert_eq!(
        size_of_val(&AsyncLock::acquire(&lock)),
        size_of_val(&lock.lock())
    );
    let lock = async_lock::RwLock::new(0_u32);
    assert_eq!(
        size_of_val(&AsyncLock::acquire(&lock)),
        size_of_val(&lock.write())
    );
    assert_eq!(
        size_of_val(&AsyncRwLock::read(&lock)),
        size_of_val(&lock.read())
    );
    let lock = async_lock::Semaphore::new(1);
    assert_eq!(
        size_of_val(&AsyncLock::acquire(&lock)),
        size_of_val(&lock.acquire())
    );
    let lock = futures::lock::Mutex::new(0_u32);
    assert_eq!(
        size_of_val(&AsyncLock::acquire(&lock)),
        size_of_val(&lock.lock())
    );
}

#[test]
fn a_section_is_as_large_as_one_by_hand() {
    macro_rules! check {
        ($($mutex:ident::$($path:ident)::+),*) => {$({
            struct Counter($mutex::$($path)::+<u32>);

            impl Counter {
                #[synchronized(count = self.0)]
                async fn section(&self) -> u32 {
                    *count += 1;
                    *count
                }

                async fn by_hand(&self) -> u32 {
                    let mut count = self.0.lock().await;
                    *count += 1;
                    *count
                }
            }
            let counter = Counter($mutex::$($path)::+::new(0));
            assert_eq!(size_of_val(&counter.section()), size_of_val(&counter.by_hand()));
        })*};
    }
    check!(tokio::sync::Mutex, async_lock::Mutex, futures::lock::Mutex);
}
