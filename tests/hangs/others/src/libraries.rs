//! The locks of others, by the same names.

pub mod tokio {
    pub type Mutex = ::tokio::sync::Mutex<u64>;
    pub type RwLock = ::tokio::sync::RwLock<u64>;
    pub type Semaphore = ::tokio::sync::Semaphore;

    pub fn mutex() -> Mutex {
        Mutex::new(0)
    }

    pub fn rwlock() -> RwLock {
        RwLock::new(0)
    }

    pub fn semaphore(permits: usize) -> Semaphore {
        Semaphore::new(permits)
    }

    pub async fn lock(mutex: &Mutex) -> impl Drop {
        mutex.lock().await
    }

    pub async fn read(lock: &RwLock) -> impl Drop {
        lock.read().await
    }

    pub async fn write(lock: &RwLock) -> impl Drop {
        lock.write().await
    }

    pub async fn acquire(semaphore: &Semaphore, permits: u32) -> impl Drop {
        semaphore.acquire_many(permits).await.unwrap()
    }

    pub use crate::tasks::plain as task;
}

pub mod async_lock {
    pub type Mutex = ::async_lock::Mutex<u64>;
    pub type RwLock = ::async_lock::RwLock<u64>;
    pub type Semaphore = ::async_lock::Semaphore;

    pub fn mutex() -> Mutex {
        Mutex::new(0)
    }

    pub fn rwlock() -> RwLock {
        RwLock::new(0)
    }

    pub fn semaphore(permits: usize) -> Semaphore {
        Semaphore::new(permits)
    }

    pub async fn lock(mutex: &Mutex) -> impl Drop {
        mutex.lock().await
    }

    pub async fn read(lock: &RwLock) -> ::async_lock::RwLockReadGuard<'_, u64> {
        lock.read().await
    }

    pub async fn write(lock: &RwLock) -> ::async_lock::RwLockWriteGuard<'_, u64> {
        lock.write().await
    }

    /// One permit at a time is all there is.
    pub async fn acquire(semaphore: &Semaphore, permits: u32) -> Vec<impl Drop> {
        let mut all = Vec::new();
        for _ in 0..permits {
            all.push(semaphore.acquire().await);
        }
        all
    }

    pub use crate::tasks::plain as task;
}

pub mod asyncband {
    pub type Mutex = ::asyncband::mutex::Mutex<u64>;
    pub type RwLock = ::asyncband::rwlock::RwLock<u64>;
    pub type Semaphore = ::asyncband::semaphore::Semaphore;

    pub fn mutex() -> Mutex {
        Mutex::new(0)
    }

    pub fn rwlock() -> RwLock {
        RwLock::new(0)
    }

    pub fn semaphore(permits: usize) -> Semaphore {
        Semaphore::new(permits)
    }

    pub async fn lock(mutex: &Mutex) -> impl Drop {
        mutex.lock().await
    }

    pub async fn read(lock: &RwLock) -> ::asyncband::rwlock::RwLockReadGuard<'_, u64> {
        lock.read().await
    }

    pub async fn write(lock: &RwLock) -> ::asyncband::rwlock::RwLockWriteGuard<'_, u64> {
        lock.write().await
    }

    pub async fn acquire(semaphore: &Semaphore, permits: u32) -> impl Drop {
        semaphore.acquire(permits as usize).await
    }

    pub use crate::tasks::plain as task;
}

/// Over tokio's, with its tasks told apart and its detector asked all the time.
pub mod async_inspect {
    use ::async_inspect::inspector::Inspector;
    use ::async_inspect::runtime::tokio::TrackedFuture;

    pub type Mutex = ::async_inspect::sync::Mutex<u64>;
    pub type RwLock = ::async_inspect::sync::RwLock<u64>;
    pub type Semaphore = ::async_inspect::sync::Semaphore;

    pub fn mutex() -> Mutex {
        Mutex::new(0, "a mutex")
    }

    pub fn rwlock() -> RwLock {
        RwLock::new(0, "a lock to read and write")
    }

    pub fn semaphore(permits: usize) -> Semaphore {
        Semaphore::new(permits, "a semaphore")
    }

    pub async fn lock(mutex: &Mutex) -> impl Drop {
        mutex.lock().await
    }

    pub async fn read(lock: &RwLock) -> impl Drop {
        lock.read().await
    }

    pub async fn write(lock: &RwLock) -> impl Drop {
        lock.write().await
    }

    pub async fn acquire(semaphore: &Semaphore, permits: u32) -> impl Drop {
        semaphore.acquire_many(permits).await.ok().unwrap()
    }

    pub fn task(task: impl Future<Output = ()> + 'static) -> crate::tasks::Task {
        Box::pin(TrackedFuture::new(Box::pin(task), "a task".into()))
    }

    pub fn detect() -> Option<String> {
        let found = Inspector::global().deadlock_detector().detect_deadlocks();
        found.first().map(|cycle| cycle.describe())
    }
}
