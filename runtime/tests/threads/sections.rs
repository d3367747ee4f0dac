//! Sections that wait for a condition, as the notation expands to them. (The crowd of the
//! root package has the same in the notation itself, in `tests/crowd.rs`.)

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_monitor::__private::{ConditionalLock, ConditionalRwLock, when};
use async_monitor::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

use crate::tasks::requests::one_more_poll;
use crate::tasks::world::{Book, InSection, Mode, Place, Purse, World};

pub(crate) async fn withdraw(world: &World, purse: &Arc<Purse>, amount: usize, holds: usize) {
    let mutex = &*world.mutex;
    // SAFETY: the guard is of the mutex, and holds nothing but it.
    let enough = unsafe {
        when(
            mutex.place(),
            || mutex.granted(),
            |book: &mut MutexGuard<'_, Book>| book.balance >= amount,
        )
    };
    let mut book = enough.await;
    let inside = world.inside(Place::Mutex);
    let _here = InSection::begin(inside, Mode::Write, purse);
    book.balance -= amount;
    purse.of_mutex.fetch_add(amount, Ordering::Relaxed);
    for _ in 0..holds {
        book.write(inside);
        one_more_poll().await;
    }
}

pub(crate) async fn deposit(world: &World, purse: &Arc<Purse>, holds: usize) {
    let mut book = world.mutex.lock().await;
    let inside = world.inside(Place::Mutex);
    let _here = InSection::begin(inside, Mode::Write, purse);
    book.balance += purse.of_mutex.swap(0, Ordering::Relaxed);
    for _ in 0..holds {
        book.write(inside);
        one_more_poll().await;
    }
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
            rwlock.place(),
            || rwlock.granted(),
            |book: &mut RwLockWriteGuard<'_, Book>| book.balance >= amount,
        )
    };
    let mut book = enough.await;
    let inside = world.inside(Place::RwLock);
    let _here = InSection::begin(inside, Mode::Write, purse);
    book.balance -= amount;
    purse.of_rwlock.fetch_add(amount, Ordering::Relaxed);
    for _ in 0..holds {
        book.write(inside);
        one_more_poll().await;
    }
}

pub(crate) async fn look(world: &World, purse: &Arc<Purse>, amount: usize, holds: usize) {
    let rwlock = &*world.rwlock;
    // SAFETY: as above.
    let enough = unsafe {
        when(
            rwlock.read_place(),
            || rwlock.read_granted(),
            |book: &mut RwLockReadGuard<'_, Book>| book.balance >= amount,
        )
    };
    let book = enough.await;
    let _here = InSection::begin(world.inside(Place::RwLock), Mode::Read, purse);
    let seen = book.read();
    for _ in 0..holds {
        assert_eq!((book.read(), book.balance >= amount), (seen, true));
        one_more_poll().await;
    }
}

pub(crate) async fn deposit_shared(world: &World, purse: &Arc<Purse>, holds: usize) {
    let mut book = world.rwlock.write().await;
    let inside = world.inside(Place::RwLock);
    let _here = InSection::begin(inside, Mode::Write, purse);
    book.balance += purse.of_rwlock.swap(0, Ordering::Relaxed);
    for _ in 0..holds {
        book.write(inside);
        one_more_poll().await;
    }
}

/// The same on a thread that may park.
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
