//! `Lock`, in both forms.

use crate::flavour::Rc;
use crate::flavour::{Lock, LockGuard, OwnedLockGuard};
use futures::FutureExt;

use crate::driver::check;
use crate::gate::{Entering, Gated, Kind, World};
use crate::random::Random;
use crate::reference::Rules;

/// One at a time.
#[derive(Default)]
pub(crate) struct OneAtATime {
    pub(crate) taken: bool,
}

impl Rules for OneAtATime {
    type Request = ();

    fn admits(&self, (): ()) -> bool {
        !self.taken
    }

    fn acquire(&mut self, (): ()) {
        assert!(!self.taken, "the model lets two in");
        self.taken = true;
    }

    fn release(&mut self, (): ()) {
        self.taken = false;
    }
}

pub(crate) enum Guard<'a> {
    Borrowed(LockGuard<'a>),
    Owned(OwnedLockGuard),
}

struct Locks;

impl Kind for Locks {
    type Rules = OneAtATime;
    type Primitive = Lock;
    type Guard<'a> = Guard<'a>;
    /// An explicit release of a guard.
    type Extra = ();

    fn new(_size: usize) -> (Lock, OneAtATime) {
        (Lock::new(), OneAtATime::default())
    }

    fn request(_random: &mut Random) {}

    fn extra(_random: &mut Random) {}

    fn enter<'a>(lock: &'a Rc<Lock>, (): (), owned: bool) -> Entering<'a, Self> {
        if owned {
            Box::pin(lock.acquire_owned().map(Guard::Owned))
        } else {
            Box::pin(lock.acquire().map(Guard::Borrowed))
        }
    }

    fn try_acquire<'a>(lock: &'a Rc<Lock>, (): (), owned: bool) -> Option<Guard<'a>> {
        if owned {
            lock.try_acquire_owned().map(Guard::Owned)
        } else {
            lock.try_acquire().map(Guard::Borrowed)
        }
    }

    fn claim(_guard: &Guard<'_>) {}

    fn step(world: &mut World<'_, Self>, (): ()) {
        if let Some(guard) = world.guards.pop() {
            world.reference.release(());
            world.act(|| match guard {
                Guard::Borrowed(guard) => guard.release(),
                Guard::Owned(guard) => guard.release(),
            });
        }
    }

    fn check(world: &World<'_, Self>) {
        assert_eq!(world.primitive.is_locked(), world.reference.inside.taken);
        assert!(world.guards.len() <= 1, "two guards");
    }
}

#[test]
fn lock() {
    check::<Gated<Locks>>();
}
