//! What sections of the crowd do while they hold a book. How they acquire it stands with
//! each crowd: with the macros, or as that expands.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::requests::one_more_poll;
use super::world::{Book, InSection, Mode, Place, Purse, World};

/// The money of a purse that is of one place.
fn money(purse: &Purse, place: Place) -> &AtomicUsize {
    match place {
        Place::RwLock => &purse.of_rwlock,
        _ => &purse.of_mutex,
    }
}

/// Takes money, and writes a while.
pub(crate) async fn withdraw(
    book: &mut Book,
    world: &World,
    place: Place,
    purse: &Arc<Purse>,
    amount: usize,
    holds: usize,
) {
    let _here = InSection::begin(world.inside(place), Mode::Write, purse);
    book.balance -= amount;
    money(purse, place).fetch_add(amount, Ordering::Relaxed);
    write(book, world, place, holds).await;
}

/// Puts all money of the purse back, and writes a while.
pub(crate) async fn deposit(
    book: &mut Book,
    world: &World,
    place: Place,
    purse: &Arc<Purse>,
    holds: usize,
) {
    let _here = InSection::begin(world.inside(place), Mode::Write, purse);
    book.balance += money(purse, place).swap(0, Ordering::Relaxed);
    write(book, world, place, holds).await;
}

async fn write(book: &mut Book, world: &World, place: Place, holds: usize) {
    for _ in 0..holds {
        book.write(world.inside(place));
        one_more_poll().await;
    }
}

/// Reads a while, in which nothing changes.
pub(crate) async fn read(
    book: &Book,
    world: &World,
    purse: &Arc<Purse>,
    amount: usize,
    holds: usize,
) {
    let _here = InSection::begin(world.inside(Place::RwLock), Mode::Read, purse);
    let seen = book.read();
    for _ in 0..holds {
        assert_eq!((book.read(), book.balance >= amount), (seen, true));
        one_more_poll().await;
    }
}

/// [`deposit`] on a thread that may park.
pub(crate) fn deposit_blocking(world: &World, place: Place, purse: &Arc<Purse>) {
    let put_back = |book: &mut Book| {
        let _here = InSection::begin(world.inside(place), Mode::Write, purse);
        book.balance += money(purse, place).swap(0, Ordering::Relaxed);
    };
    match place {
        Place::RwLock => put_back(&mut world.rwlock.write_blocking()),
        _ => put_back(&mut world.mutex.lock_blocking()),
    }
}
