//! `RwLock`, with downgrades and upgrades, and with waiters for a value
//! that is large enough.

use crate::flavour::Rc;
use crate::flavour::{
    OwnedRwLockReadGuard, OwnedRwLockUpgradableReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard,
};
use async_monitor::__private::{ConditionalLock, ConditionalRwLock, when};
use futures::FutureExt;

use crate::driver::check;
use crate::gate::{Entering, Gated, Kind, World};
use crate::random::Random;
use crate::reference::{Reference, Rules};
use crate::tasks::{look_panics, panic_on_demand};

/// The kinds of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Upgradable,
    Write,
    /// Only the holder of an upgradable guard requests this.
    Upgrade,
    /// Waits for the value to be that large.
    ReadWhen(u32),
    WriteWhen(u32),
}

/// The holders, and the value.
#[derive(Default)]
struct Inside {
    readers: usize,
    upgradable: bool,
    writer: bool,
    value: u32,
}

impl Rules for Inside {
    type Request = Access;

    fn admits(&self, access: Access) -> bool {
        match access {
            Access::Read | Access::ReadWhen(_) => !self.writer,
            Access::Upgradable => !self.writer && !self.upgradable,
            Access::Write | Access::WriteWhen(_) => {
                !self.writer && !self.upgradable && self.readers == 0
            }
            Access::Upgrade => self.readers == 0,
        }
    }

    fn acquire(&mut self, access: Access) {
        match access {
            Access::Read | Access::ReadWhen(_) => self.readers += 1,
            Access::Upgradable => self.upgradable = true,
            Access::Write | Access::WriteWhen(_) => self.writer = true,
            Access::Upgrade => (self.upgradable, self.writer) = (false, true),
        }
    }

    fn release(&mut self, access: Access) {
        match access {
            Access::Read | Access::ReadWhen(_) => self.readers -= 1,
            Access::Upgradable => self.upgradable = false,
            Access::Write | Access::WriteWhen(_) => self.writer = false,
            Access::Upgrade => (self.upgradable, self.writer) = (true, false),
        }
    }

    fn covers(granted: Access, access: Access) -> bool {
        use Access::{Read, ReadWhen, Upgradable, Upgrade, Write, WriteWhen};
        match granted {
            Read | ReadWhen(_) | Upgrade => matches!(access, Read | ReadWhen(_)),
            Upgradable => matches!(access, Read | ReadWhen(_) | Upgradable),
            Write | WriteWhen(_) => true,
        }
    }

    fn has_priority(access: Access) -> bool {
        access == Access::Upgrade
    }

    fn may_mutate(access: Access) -> bool {
        matches!(
            access,
            Access::Write | Access::WriteWhen(_) | Access::Upgrade
        )
    }
}

enum Guard<'a> {
    Read(RwLockReadGuard<'a, u32>),
    Upgradable(RwLockUpgradableReadGuard<'a, u32>),
    Write(RwLockWriteGuard<'a, u32>),
    OwnedRead(OwnedRwLockReadGuard<u32>),
    OwnedUpgradable(OwnedRwLockUpgradableReadGuard<u32>),
    OwnedWrite(OwnedRwLockWriteGuard<u32>),
}

/// An operation on a guard.
#[derive(Clone, Copy, Debug)]
enum Extra {
    Write(u32),
    Downgrade(usize),
    Upgrade(usize),
    TryUpgrade(usize),
}

/// With or without conditional waiters.
struct RwLocks<const WHEN: bool>;

impl<const WHEN: bool> Kind for RwLocks<WHEN> {
    type Rules = Inside;
    type Primitive = RwLock<u32>;
    type Guard<'a> = Guard<'a>;
    type Extra = Extra;

    fn new(_size: usize) -> (RwLock<u32>, Inside) {
        (RwLock::new(0), Inside::default())
    }

    fn request(random: &mut Random) -> Access {
        use Access::{Read, ReadWhen, Upgradable, Write, WriteWhen};
        let value = random.below(4) as u32;
        if WHEN && random.one_in(2) {
            return random.of(&[ReadWhen(value), WriteWhen(value)]);
        }
        random.of(&[Read, Read, Read, Upgradable, Write])
    }

    fn extra(random: &mut Random) -> Extra {
        let guard = random.below(8);
        match random.below(6) {
            0 => Extra::Write(random.below(4) as u32),
            1 => Extra::Downgrade(guard),
            2..=4 => Extra::Upgrade(guard),
            _ => Extra::TryUpgrade(guard),
        }
    }

    fn enter<'a>(lock: &'a Rc<RwLock<u32>>, access: Access, owned: bool) -> Entering<'a, Self> {
        match (access, owned) {
            (Access::Read, false) => Box::pin(lock.read().map(Guard::Read)),
            (Access::Read, true) => Box::pin(lock.read_owned().map(Guard::OwnedRead)),
            (Access::Write, false) => Box::pin(lock.write().map(Guard::Write)),
            (Access::Write, true) => Box::pin(lock.write_owned().map(Guard::OwnedWrite)),
            (Access::ReadWhen(at_least), _) => {
                let is_enough = move |guard: &mut RwLockReadGuard<'a, u32>| look(guard, at_least);
                // SAFETY: the guard is of the lock, and holds nothing but it.
                let entering =
                    unsafe { when(lock.read_waiter(), || lock.granted_read_guard(), is_enough) };
                Box::pin(entering.map(Guard::Read))
            }
            (Access::WriteWhen(at_least), _) => {
                let is_enough = move |guard: &mut RwLockWriteGuard<'a, u32>| look(guard, at_least);
                // SAFETY: as above.
                let entering = unsafe { when(lock.waiter(), || lock.granted_guard(), is_enough) };
                Box::pin(entering.map(Guard::Write))
            }
            (_, false) => Box::pin(lock.upgradable_read().map(Guard::Upgradable)),
            (_, true) => {
                let future = lock.upgradable_read_owned();
                Box::pin(future.map(Guard::OwnedUpgradable))
            }
        }
    }

    fn try_acquire<'a>(
        lock: &'a Rc<RwLock<u32>>,
        access: Access,
        owned: bool,
    ) -> Option<Guard<'a>> {
        match (access, owned) {
            (Access::Read | Access::ReadWhen(_), false) => lock.try_read().map(Guard::Read),
            (Access::Read | Access::ReadWhen(_), true) => {
                lock.try_read_owned().map(Guard::OwnedRead)
            }
            (Access::Write | Access::WriteWhen(_), false) => lock.try_write().map(Guard::Write),
            (Access::Write | Access::WriteWhen(_), true) => {
                lock.try_write_owned().map(Guard::OwnedWrite)
            }
            (_, false) => lock.try_upgradable_read().map(Guard::Upgradable),
            (_, true) => {
                let guard = lock.try_upgradable_read_owned();
                guard.map(Guard::OwnedUpgradable)
            }
        }
    }

    fn claim(guard: &Guard<'_>) -> Access {
        match guard {
            Guard::Read(_) | Guard::OwnedRead(_) => Access::Read,
            Guard::Upgradable(_) | Guard::OwnedUpgradable(_) => Access::Upgradable,
            Guard::Write(_) | Guard::OwnedWrite(_) => Access::Write,
        }
    }

    fn condition(inside: &Inside, access: Access) -> Option<bool> {
        match access {
            Access::ReadWhen(at_least) | Access::WriteWhen(at_least) => {
                Some(inside.value >= at_least)
            }
            _ => None,
        }
    }

    fn dropped(reference: &mut Reference<Inside>, access: Access) {
        // The guard that was to be upgraded is dropped with the future.
        if access == Access::Upgrade {
            reference.release(Access::Upgradable);
        }
    }

    fn step(world: &mut World<'_, Self>, extra: Extra) {
        let number = match extra {
            Extra::Downgrade(number) | Extra::Upgrade(number) | Extra::TryUpgrade(number) => number,
            Extra::Write(value) => {
                for guard in &mut world.guards {
                    match guard {
                        Guard::Write(guard) => **guard = value,
                        Guard::OwnedWrite(guard) => **guard = value,
                        _ => continue,
                    }
                    world.reference.inside.value = value;
                }
                return;
            }
        };
        let Some(at) = world.guard(number) else {
            return;
        };
        let guard = world.guards.swap_remove(at);
        match (extra, guard) {
            (Extra::Downgrade(_), Guard::Write(guard)) => {
                downgrade(world, Access::Write, || {
                    Guard::Read(RwLockWriteGuard::downgrade(guard))
                });
            }
            (Extra::Downgrade(_), Guard::OwnedWrite(guard)) => {
                downgrade(world, Access::Write, || {
                    Guard::OwnedRead(OwnedRwLockWriteGuard::downgrade(guard))
                });
            }
            (Extra::Downgrade(_), Guard::Upgradable(guard)) => {
                downgrade(world, Access::Upgradable, || {
                    Guard::Read(RwLockUpgradableReadGuard::downgrade(guard))
                });
            }
            (Extra::Downgrade(_), Guard::OwnedUpgradable(guard)) => {
                downgrade(world, Access::Upgradable, || {
                    Guard::OwnedRead(OwnedRwLockUpgradableReadGuard::downgrade(guard))
                });
            }
            (Extra::Upgrade(_), Guard::Upgradable(guard)) => {
                let upgrade = RwLockUpgradableReadGuard::upgrade(guard);
                world.create(Access::Upgrade, Box::pin(upgrade.map(Guard::Write)));
            }
            (Extra::Upgrade(_), Guard::OwnedUpgradable(guard)) => {
                let upgrade = OwnedRwLockUpgradableReadGuard::upgrade(guard);
                world.create(Access::Upgrade, Box::pin(upgrade.map(Guard::OwnedWrite)));
            }
            (Extra::TryUpgrade(_), Guard::Upgradable(guard)) => {
                let upgraded = RwLockUpgradableReadGuard::try_upgrade(guard);
                let expected = world.reference.try_acquire(Access::Upgrade);
                assert_eq!(upgraded.is_ok(), expected, "upgraded");
                let guard = upgraded.map_or_else(Guard::Upgradable, Guard::Write);
                world.guards.push(guard);
            }
            (Extra::TryUpgrade(_), Guard::OwnedUpgradable(guard)) => {
                let upgraded = OwnedRwLockUpgradableReadGuard::try_upgrade(guard);
                let expected = world.reference.try_acquire(Access::Upgrade);
                assert_eq!(upgraded.is_ok(), expected, "upgraded");
                let guard = upgraded.map_or_else(Guard::OwnedUpgradable, Guard::OwnedWrite);
                world.guards.push(guard);
            }
            (_, guard) => world.guards.push(guard),
        }
    }

    fn check(world: &World<'_, Self>) {
        let inside = &world.reference.inside;
        let locked = inside.readers > 0 || inside.upgradable || inside.writer;
        assert_eq!(world.primitive.is_locked(), locked);
        let state = format!(
            "writer: {}, upgradable: {}, readers: {}, waiters: ",
            inside.writer, inside.upgradable, inside.readers
        );
        let shown = format!("{:?}", world.primitive);
        assert!(shown.contains(&state), "{shown}, but {state}");
        for guard in &world.guards {
            let value = match guard {
                Guard::Read(guard) => **guard,
                Guard::Upgradable(guard) => **guard,
                Guard::Write(guard) => **guard,
                Guard::OwnedRead(guard) => **guard,
                Guard::OwnedUpgradable(guard) => **guard,
                Guard::OwnedWrite(guard) => **guard,
            };
            assert_eq!(value, inside.value);
        }
    }
}

fn look(value: &u32, at_least: u32) -> bool {
    if look_panics() {
        panic_on_demand()
    }
    *value >= at_least
}

/// Makes a reader of one with another access.
fn downgrade<'a, const WHEN: bool>(
    world: &mut World<'a, RwLocks<WHEN>>,
    from: Access,
    downgrade: impl FnOnce() -> Guard<'a>,
) {
    world.reference.change(Inside::may_mutate(from), |inside| {
        inside.release(from);
        inside.acquire(Access::Read);
    });
    let guard = world.act(downgrade);
    if guard.is_none() {
        // A waker has panicked, and the new guard is gone.
        world.reference.release(Access::Read);
    }
    world.guards.extend(guard);
}

#[test]
fn rwlock() {
    check::<Gated<RwLocks<false>>>();
}

#[test]
fn rwlock_when() {
    check::<Gated<RwLocks<true>>>();
}
