//! `Mutex`, in both forms, with mapped guards, and with waiters for a
//! value that is large enough.

use crate::flavour::Rc;
use crate::flavour::{MappedMutexGuard, Mutex, MutexGuard, OwnedMutexGuard};
use async_monitor::__private::{ConditionalLock, when};
use futures::FutureExt;

use crate::driver::check;
use crate::gate::{Entering, Gated, Kind, World};
use crate::random::Random;
use crate::reference::Rules;
use crate::tasks::{look_panics, panic_on_demand};

/// One at a time, and the value inside.
#[derive(Default)]
struct Inside {
    taken: bool,
    value: u32,
}

impl Rules for Inside {
    /// How large the value must be, for a conditional waiter.
    type Request = Option<u32>;

    fn admits(&self, _at_least: Option<u32>) -> bool {
        !self.taken
    }

    fn acquire(&mut self, _at_least: Option<u32>) {
        self.taken = true;
    }

    fn release(&mut self, _at_least: Option<u32>) {
        self.taken = false;
    }
}

enum Guard<'a> {
    Borrowed(MutexGuard<'a, (u32, u32)>),
    Owned(OwnedMutexGuard<(u32, u32)>),
    Mapped(MappedMutexGuard<'a, u32>),
}

/// With or without conditional waiters.
struct Mutexes<const WHEN: bool>;

impl<const WHEN: bool> Kind for Mutexes<WHEN> {
    type Rules = Inside;
    type Primitive = Mutex<(u32, u32)>;
    type Guard<'a> = Guard<'a>;
    /// Writes, or maps the guard.
    type Extra = Option<u32>;

    fn new(_size: usize) -> (Self::Primitive, Inside) {
        (Mutex::new((0, 0)), Inside::default())
    }

    fn request(random: &mut Random) -> Option<u32> {
        let at_least = random.below(6) as u32;
        Some(at_least).filter(|&at_least| WHEN && at_least < 4)
    }

    fn extra(random: &mut Random) -> Option<u32> {
        let value = random.below(5) as u32;
        value.checked_sub(1)
    }

    fn enter<'a>(
        mutex: &'a Rc<Self::Primitive>,
        at_least: Option<u32>,
        owned: bool,
    ) -> Entering<'a, Self> {
        if let Some(at_least) = at_least {
            let is_enough = move |guard: &mut MutexGuard<'a, (u32, u32)>| {
                if look_panics() {
                    panic_on_demand()
                }
                guard.0 >= at_least
            };
            // SAFETY: the guard is of the mutex, and holds nothing but it.
            let entering = unsafe { when(mutex.waiter(), || mutex.granted_guard(), is_enough) };
            Box::pin(entering.map(Guard::Borrowed))
        } else if owned {
            Box::pin(mutex.lock_owned().map(Guard::Owned))
        } else {
            Box::pin(mutex.lock().map(Guard::Borrowed))
        }
    }

    fn try_acquire<'a>(
        mutex: &'a Rc<Self::Primitive>,
        _at_least: Option<u32>,
        owned: bool,
    ) -> Option<Guard<'a>> {
        if owned {
            mutex.try_lock_owned().map(Guard::Owned)
        } else {
            mutex.try_lock().map(Guard::Borrowed)
        }
    }

    fn claim(_guard: &Guard<'_>) -> Option<u32> {
        None
    }

    fn condition(inside: &Inside, at_least: Option<u32>) -> Option<bool> {
        at_least.map(|at_least| inside.value >= at_least)
    }

    fn step(world: &mut World<'_, Self>, write: Option<u32>) {
        let Some(guard) = world.guards.pop() else {
            return;
        };
        world.guards.push(match (write, guard) {
            (None, Guard::Borrowed(guard)) => {
                Guard::Mapped(MutexGuard::map(guard, |value| &mut value.0))
            }
            (None, guard) => guard,
            (Some(new), mut guard) => {
                let value = match &mut guard {
                    Guard::Borrowed(guard) => &mut guard.0,
                    Guard::Owned(guard) => &mut guard.0,
                    Guard::Mapped(guard) => &mut **guard,
                };
                *value = new;
                world.reference.inside.value = new;
                guard
            }
        });
    }

    fn check(world: &World<'_, Self>) {
        assert_eq!(world.primitive.is_locked(), world.reference.inside.taken);
        for guard in &world.guards {
            let value = match guard {
                Guard::Borrowed(guard) => guard.0,
                Guard::Owned(guard) => guard.0,
                Guard::Mapped(guard) => **guard,
            };
            assert_eq!(value, world.reference.inside.value);
        }
    }
}

#[test]
fn mutex() {
    check::<Gated<Mutexes<false>>>();
}

#[test]
fn mutex_when() {
    check::<Gated<Mutexes<true>>>();
}
