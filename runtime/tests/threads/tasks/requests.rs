//! Requests, in every form.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_monitor::{OwnedRwLockUpgradableReadGuard, RwLockUpgradableReadGuard};

use super::held::{Guard, Held};
use super::world::{MONEY, PERMITS, Place, Purse, Token, World};
use crate::random::Random;
use crate::sections;

/// A request. Some of them are sections that hold their lock for so many polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Exclusive,
    Read,
    Write,
    Upgradable,
    Upgrade,
    Permits(usize),
    /// Waits until there is that much money, and takes it.
    Withdraw(usize, usize),
    /// Waits until there is that much money, and leaves it.
    Look(usize, usize),
    /// Pays in whatever is owed.
    Deposit(usize),
}

impl What {
    /// Something that can be asked of a primitive. A section holds its lock for less than
    /// `holds` polls.
    pub(crate) fn of(place: Place, holds: usize, random: &mut Random) -> Self {
        let section = |random: &mut Random| {
            let (amount, holds) = (1 + random.below(MONEY), random.below(holds.max(1)));
            match (place, random.below(4)) {
                (Place::RwLock, 0 | 1) => What::Look(amount, holds),
                (_, 3) => What::Deposit(holds),
                _ => What::Withdraw(amount, holds),
            }
        };
        match place {
            Place::Lock => What::Exclusive,
            Place::Mutex if random.one_in(3) => section(random),
            Place::Mutex => What::Exclusive,
            Place::RwLock if random.one_in(4) => section(random),
            Place::RwLock => random.of(&[What::Read, What::Read, What::Write, What::Upgradable]),
            Place::Semaphore | Place::Bounded => match random.below(3) {
                0 => What::Permits(1),
                _ => What::Permits(random.below(PERMITS + 1)),
            },
        }
    }

    /// The same without sections.
    pub(crate) fn plain_of(place: Place, random: &mut Random) -> Self {
        loop {
            let what = What::of(place, 0, random);
            if !what.is_section() {
                return what;
            }
        }
    }

    /// The requests that can be held at the same time.
    pub(crate) fn share_of(place: Place) -> Self {
        match place {
            Place::RwLock => What::Read,
            _ => What::Permits(1),
        }
    }

    /// The requests that block a share.
    pub(crate) fn more_than_share_of(place: Place, random: &mut Random) -> Self {
        match place {
            Place::RwLock => random.of(&[What::Write, What::Write, What::Upgradable]),
            _ => What::Permits(2 + random.below(PERMITS - 1)),
        }
    }

    pub(crate) fn is_section(self) -> bool {
        matches!(self, What::Withdraw(..) | What::Look(..) | What::Deposit(_))
    }
}

/// A future of any kind. A section leaves nothing.
pub(crate) type Asking<'w> = Pin<Box<dyn Future<Output = Option<Held<'w>>> + Send + 'w>>;

/// A request whose answer is awaited.
pub(crate) fn ask<'w>(
    world: &'w World,
    purse: &Arc<Purse>,
    place: Place,
    what: What,
    owned: bool,
) -> Asking<'w> {
    let purse = Arc::clone(purse);
    if what.is_section() {
        return Box::pin(async move {
            match (place, what) {
                (Place::Mutex, What::Withdraw(amount, holds)) => {
                    sections::withdraw(world, &purse, amount, holds).await;
                }
                (Place::Mutex, What::Deposit(holds)) => {
                    sections::deposit(world, &purse, holds).await;
                }
                (_, What::Withdraw(amount, holds)) => {
                    sections::withdraw_shared(world, &purse, amount, holds).await;
                }
                (_, What::Look(amount, holds)) => {
                    sections::look(world, &purse, amount, holds).await;
                }
                (_, What::Deposit(holds)) => {
                    sections::deposit_shared(world, &purse, holds).await;
                }
                _ => unreachable!("{what:?} is no section"),
            }
            world.served();
            None
        });
    }
    Box::pin(async move { Some(Held::new(world, acquire(world, place, what, owned).await)) })
}

async fn acquire(world: &World, place: Place, what: What, owned: bool) -> Guard<'_> {
    match (place, what, owned) {
        (Place::Lock, _, false) => Guard::Lock(world.lock.acquire().await),
        (Place::Lock, _, true) => Guard::LockOwned(world.lock.acquire_owned().await),
        (Place::Mutex, _, false) => Guard::Mutex(world.mutex.lock().await),
        (Place::Mutex, _, true) => Guard::MutexOwned(world.mutex.lock_owned().await),
        (Place::RwLock, What::Read, false) => Guard::Read(world.rwlock.read().await),
        (Place::RwLock, What::Read, true) => Guard::ReadOwned(world.rwlock.read_owned().await),
        (Place::RwLock, What::Write, false) => Guard::Write(world.rwlock.write().await),
        (Place::RwLock, What::Write, true) => Guard::WriteOwned(world.rwlock.write_owned().await),
        (Place::RwLock, _, false) => Guard::Upgradable(world.rwlock.upgradable_read().await),
        (Place::RwLock, _, true) => {
            Guard::UpgradableOwned(world.rwlock.upgradable_read_owned().await)
        }
        (Place::Semaphore, What::Permits(1), false) => {
            Guard::Permit(world.semaphore.acquire().await)
        }
        (Place::Semaphore, What::Permits(1), true) => {
            Guard::PermitOwned(world.semaphore.acquire_owned().await)
        }
        (Place::Semaphore, what, false) => {
            Guard::Permit(world.semaphore.acquire_many(what.permits()).await)
        }
        (Place::Semaphore, what, true) => {
            Guard::PermitOwned(world.semaphore.acquire_many_owned(what.permits()).await)
        }
        (Place::Bounded, what, false) => {
            Guard::Bounded(world.bounded.acquire_many(what.permits()).await)
        }
        (Place::Bounded, what, true) => {
            Guard::BoundedOwned(world.bounded.acquire_many_owned(what.permits()).await)
        }
    }
}

/// Parks the thread until the request is granted.
pub(crate) fn acquire_blocking(world: &World, place: Place, what: What, owned: bool) -> Held<'_> {
    let guard = match (place, what, owned) {
        (Place::Lock, _, false) => Guard::Lock(world.lock.acquire_blocking()),
        (Place::Lock, _, true) => Guard::LockOwned(world.lock.acquire_owned_blocking()),
        (Place::Mutex, _, false) => Guard::Mutex(world.mutex.lock_blocking()),
        (Place::Mutex, _, true) => Guard::MutexOwned(world.mutex.lock_owned_blocking()),
        (Place::RwLock, What::Read, false) => Guard::Read(world.rwlock.read_blocking()),
        (Place::RwLock, What::Read, true) => Guard::ReadOwned(world.rwlock.read_owned_blocking()),
        (Place::RwLock, What::Write, false) => Guard::Write(world.rwlock.write_blocking()),
        (Place::RwLock, What::Write, true) => {
            Guard::WriteOwned(world.rwlock.write_owned_blocking())
        }
        (Place::RwLock, _, false) => Guard::Upgradable(world.rwlock.upgradable_read_blocking()),
        (Place::RwLock, _, true) => {
            Guard::UpgradableOwned(world.rwlock.upgradable_read_owned_blocking())
        }
        (Place::Semaphore, what, false) => {
            Guard::Permit(world.semaphore.acquire_many_blocking(what.permits()))
        }
        (Place::Semaphore, what, true) => {
            Guard::PermitOwned(world.semaphore.acquire_many_owned_blocking(what.permits()))
        }
        (Place::Bounded, what, false) => {
            Guard::Bounded(world.bounded.acquire_many_blocking(what.permits()))
        }
        (Place::Bounded, what, true) => {
            Guard::BoundedOwned(world.bounded.acquire_many_owned_blocking(what.permits()))
        }
    };
    Held::new(world, guard)
}

/// Acquires at once, or not at all.
pub(crate) fn try_acquire(
    world: &World,
    place: Place,
    what: What,
    owned: bool,
) -> Option<Held<'_>> {
    let guard = match (place, what, owned) {
        (Place::Lock, _, false) => world.lock.try_acquire().map(Guard::Lock),
        (Place::Lock, _, true) => world.lock.try_acquire_owned().map(Guard::LockOwned),
        (Place::Mutex, _, false) => world.mutex.try_lock().map(Guard::Mutex),
        (Place::Mutex, _, true) => world.mutex.try_lock_owned().map(Guard::MutexOwned),
        (Place::RwLock, What::Read, false) => world.rwlock.try_read().map(Guard::Read),
        (Place::RwLock, What::Read, true) => world.rwlock.try_read_owned().map(Guard::ReadOwned),
        (Place::RwLock, What::Write, false) => world.rwlock.try_write().map(Guard::Write),
        (Place::RwLock, What::Write, true) => world.rwlock.try_write_owned().map(Guard::WriteOwned),
        (Place::RwLock, _, false) => world.rwlock.try_upgradable_read().map(Guard::Upgradable),
        (Place::RwLock, _, true) => {
            let guard = world.rwlock.try_upgradable_read_owned();
            guard.map(Guard::UpgradableOwned)
        }
        (Place::Semaphore, what, false) => {
            let permit = world.semaphore.try_acquire_many(what.permits());
            permit.map(Guard::Permit)
        }
        (Place::Semaphore, what, true) => {
            let permit = world.semaphore.try_acquire_many_owned(what.permits());
            permit.map(Guard::PermitOwned)
        }
        (Place::Bounded, what, false) => {
            let permit = world.bounded.try_acquire_many(what.permits());
            permit.map(Guard::Bounded)
        }
        (Place::Bounded, what, true) => {
            let permit = world.bounded.try_acquire_many_owned(what.permits());
            permit.map(Guard::BoundedOwned)
        }
    };
    Some(Held::new(world, guard?))
}

impl What {
    fn permits(self) -> usize {
        match self {
            What::Permits(permits) => permits,
            other => unreachable!("{other:?} asks for no permits"),
        }
    }
}

/// A reader upgrades to the writer. If that is given up, the reader leaves the counters
/// before its guard is dropped.
struct Upgrading<'w> {
    world: &'w World,
    token: Option<Token<'w>>,
    seen: usize,
    guard: Pin<Box<dyn Future<Output = Guard<'w>> + Send + 'w>>,
}

impl<'w> Future for Upgrading<'w> {
    type Output = Option<Held<'w>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let guard = std::task::ready!(this.guard.as_mut().poll(cx));
        let token = this.token.take().expect("it is ready once");
        Poll::Ready(Some(Held::upgraded(this.world, token, guard, this.seen)))
    }
}

/// Upgrades what can be upgraded.
pub(crate) fn upgrade<'w>(world: &'w World, held: Held<'w>) -> Asking<'w> {
    let seen = held.seen();
    let (token, guard) = held.into_parts();
    let guard: Pin<Box<dyn Future<Output = _> + Send + 'w>> = match guard {
        Guard::Upgradable(guard) => {
            let upgrade = RwLockUpgradableReadGuard::upgrade(guard);
            Box::pin(async { Guard::Write(upgrade.await) })
        }
        Guard::UpgradableOwned(guard) => {
            let upgrade = OwnedRwLockUpgradableReadGuard::upgrade(guard);
            Box::pin(async { Guard::WriteOwned(upgrade.await) })
        }
        guard => unreachable!("{:?} cannot be upgraded", guard.mode()),
    };
    Box::pin(Upgrading {
        world,
        token: Some(token),
        seen,
        guard,
    })
}

/// Waits for another poll.
pub(crate) async fn one_more_poll() {
    let mut polled = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
