//! Threads beside those of the executor, which may wait for anything.

use std::sync::Arc;

use futures::executor::block_on;
use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt};

use super::bin::Bin;
use super::bodies;
use super::requests::{What, acquire_blocking, ask, try_acquire, upgrade};
use super::world::{MONEY, Mode, Place, Purse, World};
use crate::random::Random;

/// A thread asks for one thing after the other.
pub(crate) fn outsider<'w>(world: &'w World, bin: &Bin<'w>, mut random: Random) {
    let random = &mut random;
    let purse = Arc::<Purse>::default();
    for _ in 0..world.rules.turns {
        let place = world.rules.place(random);
        if matches!(place, Place::Mutex | Place::RwLock) && random.one_in(4) {
            pay(world, &purse, place, random);
            continue;
        }
        if random.one_in(8) {
            several(world, &purse, random);
            continue;
        }
        let (what, owned) = (What::plain_of(place, random), random.one_in(3));
        let held = match random.below(8) {
            0 => try_acquire(world, place, what, owned),
            1 => world.waiting(&(what, place), || {
                block_on(ask(world, &purse, place, what, owned))
            }),
            _ => Some(world.waiting(&(what, place), || {
                acquire_blocking(world, place, what, owned)
            })),
        };
        let Some(mut held) = held else { continue };
        if random.one_in(2) {
            held = held.change(&mut Vec::new(), random);
        }
        if held.mode() == Mode::Upgradable && world.rules.upgrades && random.one_in(2) {
            let upgrade = upgrade(world, held);
            let upgraded = world.waiting(&(What::Upgrade, place), || block_on(upgrade));
            held = upgraded.expect("it is a guard");
        }
        held.look();
        if random.one_in(3) && bin.takes_guards() {
            bin.drop_held(held);
        } else {
            held.release(random);
        }
    }
}

/// Waits for money, and pays it in again.
fn pay(world: &World, purse: &Arc<Purse>, place: Place, random: &mut Random) {
    let what = match random.below(3) {
        0 if place == Place::RwLock => What::Look(1 + random.below(MONEY), 1),
        _ => What::Withdraw(1 + random.below(MONEY), 0),
    };
    world.waiting(&(what, place), || {
        block_on(ask(world, purse, place, what, false));
    });
    if purse.owed(place) > 0 {
        world.waiting(&("Deposit", place), || {
            bodies::deposit_blocking(world, place, purse)
        });
    }
}

/// Waits for several requests at once, in one of the usual ways.
fn several(world: &World, purse: &Arc<Purse>, random: &mut Random) {
    let mut asked = Vec::new();
    let mut some = |random: &mut Random| {
        let place = world.rules.place(random);
        let what = What::plain_of(place, random);
        asked.push((what, place));
        ask(world, purse, place, what, random.one_in(3))
    };
    if random.one_in(2) {
        let (one, other) = (some(random), some(random));
        let first = world.waiting(&("the first of", asked), || block_on(select(one, other)));
        // What is left may have been granted, too.
        let (Either::Left((held, other)) | Either::Right((held, other))) = first;
        drop(other);
        held.expect("it is a guard").release(random);
    } else {
        let all = 2 + random.below(3);
        let mut waiting: FuturesUnordered<_> = (0..all).map(|_| some(random)).collect();
        world.waiting(&("all of", asked), || {
            block_on(async {
                while let Some(held) = waiting.next().await {
                    held.expect("it is a guard").release(random);
                }
            });
        });
    }
}
