//! The crowd of `runtime/tests/threads/tasks` once more, with its sections written with
//! the macros: `when` over an exclusive lock and over both sides of an `RwLock`, cancelled
//! anywhere, in tasks that have other requests at the same lock.
//!
//! ```text
//! ASYNC_MONITOR_SEED=1 ASYNC_MONITOR_STEPS=1000000 cargo test --release --test crowd
//! ```

#[path = "../runtime/tests/support/one_table.rs"]
mod one_table;
#[path = "../runtime/tests/support/random.rs"]
mod random;
#[path = "../runtime/tests/threads/tasks/mod.rs"]
mod tasks;

mod sections {
    use std::sync::Arc;

    use async_monitor::synchronized;

    use crate::tasks::bodies;
    use crate::tasks::world::{Place, Purse, World};

    #[synchronized(book = world.mutex, when = book.balance >= amount)]
    pub(crate) async fn withdraw(world: &World, purse: &Arc<Purse>, amount: usize, holds: usize) {
        bodies::withdraw(book, world, Place::Mutex, purse, amount, holds).await;
    }

    #[synchronized(book = world.mutex)]
    pub(crate) async fn deposit(world: &World, purse: &Arc<Purse>, holds: usize) {
        bodies::deposit(book, world, Place::Mutex, purse, holds).await;
    }

    #[synchronized(book = world.rwlock, when = book.balance >= amount)]
    pub(crate) async fn withdraw_shared(
        world: &World,
        purse: &Arc<Purse>,
        amount: usize,
        holds: usize,
    ) {
        bodies::withdraw(book, world, Place::RwLock, purse, amount, holds).await;
    }

    #[synchronized(book = read(world.rwlock), when = book.balance >= amount)]
    pub(crate) async fn look(world: &World, purse: &Arc<Purse>, amount: usize, holds: usize) {
        bodies::read(book, world, purse, amount, holds).await;
    }

    #[synchronized(book = world.rwlock)]
    pub(crate) async fn deposit_shared(world: &World, purse: &Arc<Purse>, holds: usize) {
        bodies::deposit(book, world, Place::RwLock, purse, holds).await;
    }
}
