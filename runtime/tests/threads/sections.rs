//! Sections that wait for a condition, as the macros expand to them. (The crowd of the
//! root package has the same with the macros themselves, in `tests/crowd.rs`.)

use std::sync::Arc;

use async_monitor::__private::{ConditionalLock, ConditionalRwLock, when};
use async_monitor::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

use crate::tasks::bodies;
use crate::tasks::world::{Book, Place, Purse, World};

pub(crate) async fn withdraw(world: &World, purse: &Arc<Purse>, amount: usize, holds: usize) {
    let mutex = &*world.mutex;
    // SAFETY: the guard is of the mutex, and holds nothing but it.
    let enough = unsafe {
        when(
            mutex.waiter(),
            || mutex.granted_guard(),
            |book: &mut MutexGuard<'_, Book>| book.balance >= amount,
        )
    };
    let mut book = enough.await;
    bodies::withdraw(&mut book, world, Place::Mutex, purse, amount, holds).await;
}

pub(crate) async fn deposit(world: &World, purse: &Arc<Purse>, holds: usize) {
    let mut book = world.mutex.lock().await;
    bodies::deposit(&mut book, world, Place::Mutex, purse, holds).await;
}

pub(crate) async fn withdraw_shared(
    world: &World,
    purse: &Arc<Purse>,
    amount: usize,
    holds: usize,
) {
    let rwlock = &*world.rwlock;
    // SAFETY: as above.
    let enough = unsafe {
        when(
            rwlock.waiter(),
            || rwlock.granted_guard(),
            |book: &mut RwLockWriteGuard<'_, Book>| book.balance >= amount,
        )
    };
    let mut book = enough.await;
    bodies::withdraw(&mut book, world, Place::RwLock, purse, amount, holds).await;
}

pub(crate) async fn look(world: &World, purse: &Arc<Purse>, amount: usize, holds: usize) {
    let rwlock = &*world.rwlock;
    // SAFETY: as above.
    let enough = unsafe {
        when(
            rwlock.read_waiter(),
            || rwlock.granted_read_guard(),
            |book: &mut RwLockReadGuard<'_, Book>| book.balance >= amount,
        )
    };
    let book = enough.await;
    bodies::read(&book, world, purse, amount, holds).await;
}

pub(crate) async fn deposit_shared(world: &World, purse: &Arc<Purse>, holds: usize) {
    let mut book = world.rwlock.write().await;
    bodies::deposit(&mut book, world, Place::RwLock, purse, holds).await;
}
