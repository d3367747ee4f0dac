//! The crowd of `runtime/tests/threads/tasks` once more, with its sections written in the
//! notation: `when` over an exclusive lock and over both sides of an `RwLock`, cancelled
//! anywhere, in tasks that have other requests at the same lock.
//!
//! ```text
//! ASYNC_MONITOR_SEED=1 ASYNC_MONITOR_STEPS=1000000 cargo test --release --test crowd
//! ```

#[path = "../runtime/tests/support/random.rs"]
mod random;
#[path = "../runtime/tests/threads/tasks/mod.rs"]
mod tasks;

mod sections {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use async_monitor::synchronized;

    use crate::tasks::requests::one_more_poll;
    use crate::tasks::world::{InSection, Mode, Place, Purse, World};

    #[synchronized(book = world.mutex, when = book.balance >= amount)]
    pub(crate) async fn withdraw(world: &World, purse: &Arc<Purse>, amount: usize, holds: usize) {
        let inside = world.inside(Place::Mutex);
        let _here = InSection::begin(inside, Mode::Write, purse);
        book.balance -= amount;
        purse.of_mutex.fetch_add(amount, Ordering::Relaxed);
        for _ in 0..holds {
            book.write(inside);
            one_more_poll().await;
        }
    }

    #[synchronized(book = world.mutex)]
    pub(crate) async fn deposit(world: &World, purse: &Arc<Purse>, holds: usize) {
        let inside = world.inside(Place::Mutex);
        let _here = InSection::begin(inside, Mode::Write, purse);
        book.balance += purse.of_mutex.swap(0, Ordering::Relaxed);
        for _ in 0..holds {
            book.write(inside);
            one_more_poll().await;
        }
    }

    #[synchronized(book = world.rwlock, when = book.balance >= amount)]
    pub(crate) async fn withdraw_shared(
        world: &World,
        purse: &Arc<Purse>,
        amount: usize,
        holds: usize,
    ) {
        let inside = world.inside(Place::RwLock);
        let _here = InSection::begin(inside, Mode::Write, purse);
        book.balance -= amount;
        purse.of_rwlock.fetch_add(amount, Ordering::Relaxed);
        for _ in 0..holds {
            book.write(inside);
            one_more_poll().await;
        }
    }

    #[synchronized(book = read(world.rwlock), when = book.balance >= amount)]
    pub(crate) async fn look(world: &World, purse: &Arc<Purse>, amount: usize, holds: usize) {
        let _here = InSection::begin(world.inside(Place::RwLock), Mode::Read, purse);
        let seen = book.read();
        for _ in 0..holds {
            assert_eq!((book.read(), book.balance >= amount), (seen, true));
            one_more_poll().await;
        }
    }

    #[synchronized(book = world.rwlock)]
    pub(crate) async fn deposit_shared(world: &World, purse: &Arc<Purse>, holds: usize) {
        let inside = world.inside(Place::RwLock);
        let _here = InSection::begin(inside, Mode::Write, purse);
        book.balance += purse.of_rwlock.swap(0, Ordering::Relaxed);
        for _ in 0..holds {
            book.write(inside);
            one_more_poll().await;
        }
    }

    /// The notation has no sections that park.
    pub(crate) fn deposit_blocking(world: &World, purse: &Arc<Purse>) {
        let mut book = world.mutex.lock_blocking();
        let _here = InSection::begin(world.inside(Place::Mutex), Mode::Write, purse);
        book.balance += purse.of_mutex.swap(0, Ordering::Relaxed);
    }

    pub(crate) fn deposit_shared_blocking(world: &World, purse: &Arc<Purse>) {
        let mut book = world.rwlock.write_blocking();
        let _here = InSection::begin(world.inside(Place::RwLock), Mode::Write, purse);
        book.balance += purse.of_rwlock.swap(0, Ordering::Relaxed);
    }
}
