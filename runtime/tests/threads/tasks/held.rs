//! A held guard, and its conversions.

use std::fmt;

use async_monitor::{
    BoundedSemaphorePermit, LockGuard, MutexGuard, OwnedBoundedSemaphorePermit, OwnedLockGuard,
    OwnedMutexGuard, OwnedRwLockReadGuard, OwnedRwLockUpgradableReadGuard, OwnedRwLockWriteGuard,
    OwnedSemaphorePermit, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard,
    SemaphorePermit,
};

use super::world::{Book, Mode, PERMITS, Place, Token, World};
use crate::random::Random;

/// A guard of any kind.
pub(crate) enum Guard<'w> {
    Lock(LockGuard<'w>),
    LockOwned(OwnedLockGuard),
    Mutex(MutexGuard<'w, Book>),
    MutexOwned(OwnedMutexGuard<Book>),
    Read(RwLockReadGuard<'w, Book>),
    ReadOwned(OwnedRwLockReadGuard<Book>),
    Upgradable(RwLockUpgradableReadGuard<'w, Book>),
    UpgradableOwned(OwnedRwLockUpgradableReadGuard<Book>),
    Write(RwLockWriteGuard<'w, Book>),
    WriteOwned(OwnedRwLockWriteGuard<Book>),
    Permit(SemaphorePermit<'w>),
    PermitOwned(OwnedSemaphorePermit),
    Bounded(BoundedSemaphorePermit<'w>),
    BoundedOwned(OwnedBoundedSemaphorePermit),
}

impl Guard<'_> {
    pub(crate) fn place(&self) -> Place {
        use Guard::*;
        match self {
            Lock(_) | LockOwned(_) => Place::Lock,
            Mutex(_) | MutexOwned(_) => Place::Mutex,
            Read(_) | ReadOwned(_) | Upgradable(_) | UpgradableOwned(_) | Write(_)
            | WriteOwned(_) => Place::RwLock,
            Permit(_) | PermitOwned(_) => Place::Semaphore,
            Bounded(_) | BoundedOwned(_) => Place::Bounded,
        }
    }

    pub(crate) fn mode(&self) -> Mode {
        use Guard::*;
        match self {
            Lock(_) | LockOwned(_) | Mutex(_) | MutexOwned(_) | Write(_) | WriteOwned(_) => {
                Mode::Write
            }
            Read(_) | ReadOwned(_) => Mode::Read,
            Upgradable(_) | UpgradableOwned(_) => Mode::Upgradable,
            Permit(permit) => Mode::Permits(permit.num_permits()),
            PermitOwned(permit) => Mode::Permits(permit.num_permits()),
            Bounded(permit) => Mode::Permits(permit.num_permits()),
            BoundedOwned(permit) => Mode::Permits(permit.num_permits()),
        }
    }

    fn release(self) {
        use Guard::*;
        match self {
            Lock(guard) => guard.release(),
            LockOwned(guard) => guard.release(),
            Mutex(guard) => MutexGuard::release(guard),
            MutexOwned(guard) => OwnedMutexGuard::release(guard),
            Read(guard) => RwLockReadGuard::release(guard),
            ReadOwned(guard) => OwnedRwLockReadGuard::release(guard),
            Upgradable(guard) => RwLockUpgradableReadGuard::release(guard),
            UpgradableOwned(guard) => OwnedRwLockUpgradableReadGuard::release(guard),
            Write(guard) => RwLockWriteGuard::release(guard),
            WriteOwned(guard) => OwnedRwLockWriteGuard::release(guard),
            Permit(permit) => permit.release(),
            PermitOwned(permit) => permit.release(),
            Bounded(permit) => permit.release(),
            BoundedOwned(permit) => permit.release(),
        }
    }

    /// Forgets permits, and adds as many.
    fn forget(self, world: &World) {
        use Guard::*;
        let (mode, place) = (self.mode(), self.place());
        match self {
            Permit(permit) => permit.forget(),
            PermitOwned(permit) => permit.forget(),
            Bounded(permit) => permit.forget(),
            BoundedOwned(permit) => permit.forget(),
            guard => guard.release(),
        }
        match (mode, place) {
            (Mode::Permits(permits), Place::Semaphore) => world.semaphore.add_permits(permits),
            (Mode::Permits(permits), _) => {
                world
                    .bounded
                    .release(permits)
                    .expect("as many are forgotten");
            }
            _ => {}
        }
    }

    /// Downgrades a writer, or an upgradable reader, to a reader.
    fn downgrade(self) -> Self {
        use Guard::*;
        match self {
            Write(guard) => Read(RwLockWriteGuard::downgrade(guard)),
            WriteOwned(guard) => ReadOwned(OwnedRwLockWriteGuard::downgrade(guard)),
            Upgradable(guard) => Read(RwLockUpgradableReadGuard::downgrade(guard)),
            UpgradableOwned(guard) => ReadOwned(OwnedRwLockUpgradableReadGuard::downgrade(guard)),
            guard => guard,
        }
    }

    fn try_upgrade(self) -> Self {
        use Guard::*;
        match self {
            Upgradable(guard) => match RwLockUpgradableReadGuard::try_upgrade(guard) {
                Ok(guard) => Write(guard),
                Err(guard) => Upgradable(guard),
            },
            UpgradableOwned(guard) => match OwnedRwLockUpgradableReadGuard::try_upgrade(guard) {
                Ok(guard) => WriteOwned(guard),
                Err(guard) => UpgradableOwned(guard),
            },
            guard => guard,
        }
    }

    fn split(&mut self, permits: usize) -> Option<Self> {
        use Guard::*;
        match self {
            Permit(permit) => permit.split(permits).map(Permit),
            PermitOwned(permit) => permit.split(permits).map(PermitOwned),
            Bounded(permit) => permit.split(permits).map(Bounded),
            BoundedOwned(permit) => permit.split(permits).map(BoundedOwned),
            _ => None,
        }
    }

    /// Adds the permits of another, if that is of the same kind.
    fn merge(&mut self, other: Self) -> Result<(), Self> {
        use Guard::*;
        match (self, other) {
            (Permit(permit), Permit(other)) => permit.merge(other),
            (PermitOwned(permit), PermitOwned(other)) => permit.merge(other),
            (Bounded(permit), Bounded(other)) => permit.merge(other),
            (BoundedOwned(permit), BoundedOwned(other)) => permit.merge(other),
            (_, other) => return Err(other),
        }
        Ok(())
    }
}

/// A guard, and its entry in the counters of holders.
pub(crate) struct Held<'w> {
    world: &'w World,
    /// Dropped before the guard.
    token: Token<'w>,
    guard: Guard<'w>,
    /// The contents of the book at the last read.
    seen: usize,
}

impl fmt::Debug for Held<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {:?}", self.token.mode(), self.guard.place())
    }
}

impl<'w> Held<'w> {
    pub(crate) fn new(world: &'w World, guard: Guard<'w>) -> Self {
        let token = Token::enter(world.inside(guard.place()), guard.mode());
        world.served();
        let mut held = Held {
            world,
            token,
            guard,
            seen: 0,
        };
        held.seen = held.read();
        held.look();
        held
    }

    pub(crate) fn mode(&self) -> Mode {
        self.token.mode()
    }

    fn read(&self) -> usize {
        use Guard::*;
        match &self.guard {
            Read(guard) => guard.read(),
            ReadOwned(guard) => guard.read(),
            Upgradable(guard) => guard.read(),
            UpgradableOwned(guard) => guard.read(),
            Mutex(guard) => guard.read(),
            MutexOwned(guard) => guard.read(),
            Write(guard) => guard.read(),
            WriteOwned(guard) => guard.read(),
            // Nothing is held.
            guard if guard.mode() == Mode::Permits(0) => self.seen,
            guard => self.world.beside(guard.place()).read(),
        }
    }

    /// Reads the guarded data, and changes it if that is allowed.
    pub(crate) fn look(&mut self) {
        let now = self.read();
        assert_eq!(now, self.seen, "somebody writes beside {self:?}");
        let place = self.guard.place();
        let inside = self.world.inside(place);
        use Guard::*;
        match &mut self.guard {
            Mutex(guard) => guard.write(inside),
            MutexOwned(guard) => guard.write(inside),
            Write(guard) => guard.write(inside),
            WriteOwned(guard) => guard.write(inside),
            guard if matches!(guard.mode(), Mode::Write | Mode::Permits(PERMITS)) => {
                self.world.beside(place).write(inside);
            }
            _ => return,
        }
        self.seen = self.read();
    }

    /// Releases it, in a random way.
    pub(crate) fn release(self, random: &mut Random) {
        let Held {
            world,
            token,
            guard,
            ..
        } = self;
        drop(token);
        match random.below(4) {
            0 => guard.release(),
            1 => guard.forget(world),
            _ => drop(guard),
        }
    }

    /// Becomes something else, without waiting.
    pub(crate) fn change(mut self, others: &mut Vec<Self>, random: &mut Random) -> Self {
        let world = self.world;
        match self.mode() {
            Mode::Permits(permits) if random.one_in(2) => {
                let part = random.below(permits + 1);
                self.token.change(Mode::Permits(0));
                let split = self.guard.split(part).expect("there are as many");
                self.token.change(self.guard.mode());
                let mut other = Held {
                    world,
                    token: Token::enter(world.inside(split.place()), split.mode()),
                    guard: split,
                    seen: self.seen,
                };
                other.look();
                others.push(other);
            }
            Mode::Permits(_) => {
                let Some(mut other) = others.pop() else {
                    return self;
                };
                match self.guard.merge(other.guard) {
                    Err(guard) => {
                        other.guard = guard;
                        others.push(other);
                    }
                    Ok(()) => {
                        drop(other.token);
                        if self.mode() == Mode::Permits(0) {
                            self.seen = other.seen;
                        }
                        self.token.change(self.guard.mode());
                    }
                }
            }
            Mode::Upgradable if random.one_in(2) => {
                self.guard = self.guard.try_upgrade();
                if self.guard.mode() == Mode::Write {
                    self.token.change(Mode::Write);
                }
            }
            Mode::Write | Mode::Upgradable if self.guard.place() == Place::RwLock => {
                // Not inside while nobody knows what it is.
                self.token.change(Mode::Permits(0));
                self.guard = self.guard.downgrade();
                self.token.change(Mode::Read);
            }
            _ => {}
        }
        self.look();
        self
    }

    /// Takes it apart, to be upgraded: the token has to go first where that is given up.
    pub(crate) fn into_parts(self) -> (Token<'w>, Guard<'w>) {
        (self.token, self.guard)
    }

    /// As upgraded: nobody has written in between.
    pub(crate) fn upgraded(
        world: &'w World,
        mut token: Token<'w>,
        guard: Guard<'w>,
        seen: usize,
    ) -> Self {
        token.change(Mode::Write);
        world.served();
        let mut held = Held {
            world,
            token,
            guard,
            seen,
        };
        held.look();
        held
    }

    pub(crate) fn seen(&self) -> usize {
        self.seen
    }
}
