//! A lock that is called `Mutex` is taken for one with data.

use std::convert::Infallible;

use async_monitor::{AsyncLock, ExclusiveLock, Guarded, Lock, LockGuard};

struct Mutex<T>(Lock, T);

impl<T> AsyncLock for Mutex<T> {
    type Guard<'a>
        = LockGuard<'a>
    where
        T: 'a;
    type Error = Infallible;

    async fn acquire(&self) -> Result<LockGuard<'_>, Infallible> {
        Ok(self.0.acquire().await)
    }

    fn try_acquire(&self) -> Option<LockGuard<'_>> {
        self.0.try_acquire()
    }
}

unsafe impl<T> ExclusiveLock for Mutex<T> {}

#[derive(Guarded)]
struct Account {
    #[lock]
    ledger: Mutex<u8>,
}

fn main() {}
