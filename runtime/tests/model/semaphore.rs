//! `Semaphore` and `BoundedSemaphore`: any number of permits at a time.

use crate::flavour::Rc;
use crate::flavour::{
    BoundedSemaphore, BoundedSemaphorePermit, OwnedBoundedSemaphorePermit, OwnedSemaphorePermit,
    Semaphore, SemaphorePermit,
};
use futures::FutureExt;

use crate::driver::{check, slots};
use crate::gate::{Entering, Gated, Kind, World};
use crate::random::Random;
use crate::reference::Rules;

/// The permits that are available, those that were forgotten, and the bound.
struct Permits {
    available: usize,
    forgotten: usize,
    bound: usize,
}

impl Rules for Permits {
    type Request = usize;

    fn admits(&self, permits: usize) -> bool {
        permits <= self.available
    }

    fn acquire(&mut self, permits: usize) {
        self.available -= permits;
    }

    fn release(&mut self, permits: usize) {
        self.available += permits;
    }

    fn covers(granted: usize, permits: usize) -> bool {
        granted >= permits
    }

    /// A request for zero permits need not wait.
    fn has_priority(permits: usize) -> bool {
        permits == 0
    }

    fn may_mutate(_permits: usize) -> bool {
        false
    }
}

/// An operation by number, or on a permit.
#[derive(Clone, Copy, Debug)]
enum Extra {
    /// `add_permits` or, with a bound, `release`.
    Add(usize),
    Forget(usize),
    Split(usize, usize),
    Merge,
}

fn extra(random: &mut Random) -> Extra {
    match random.below(4) {
        0 => Extra::Add(random.of(&[0, 1, 1, 2, 3, 40])),
        1 => Extra::Forget(random.below(8)),
        2 => Extra::Split(random.below(8), random.below(3)),
        _ => Extra::Merge,
    }
}

macro_rules! semaphore {
    ($test:ident, $kind:ident, $guard:ident, $semaphore:ident, $permit:ident, $owned:ident, $add:expr) => {
        enum $guard<'a> {
            Borrowed($permit<'a>),
            Owned($owned),
        }

        impl $guard<'_> {
            fn permits(&self) -> usize {
                match self {
                    $guard::Borrowed(permit) => permit.num_permits(),
                    $guard::Owned(permit) => permit.num_permits(),
                }
            }
        }

        struct $kind;

        impl Kind for $kind {
            type Rules = Permits;
            type Primitive = $semaphore;
            type Guard<'a> = $guard<'a>;
            type Extra = Extra;

            fn new(size: usize) -> ($semaphore, Permits) {
                let available = if slots(size) > 40 { 40 } else { size % 4 };
                let permits = Permits {
                    available,
                    forgotten: 0,
                    bound: available,
                };
                ($semaphore::new(available), permits)
            }

            fn request(random: &mut Random) -> usize {
                random.of(&[0, 1, 1, 1, 1, 2, 2, 3])
            }

            fn extra(random: &mut Random) -> Extra {
                extra(random)
            }

            fn enter<'a>(
                semaphore: &'a Rc<$semaphore>,
                permits: usize,
                owned: bool,
            ) -> Entering<'a, Self> {
                if owned {
                    Box::pin(semaphore.acquire_many_owned(permits).map($guard::Owned))
                } else if permits == 1 {
                    Box::pin(semaphore.acquire().map($guard::Borrowed))
                } else {
                    Box::pin(semaphore.acquire_many(permits).map($guard::Borrowed))
                }
            }

            fn try_acquire<'a>(
                semaphore: &'a Rc<$semaphore>,
                permits: usize,
                owned: bool,
            ) -> Option<$guard<'a>> {
                if owned {
                    let permit = semaphore.try_acquire_many_owned(permits);
                    permit.map($guard::Owned)
                } else {
                    semaphore.try_acquire_many(permits).map($guard::Borrowed)
                }
            }

            fn claim(guard: &$guard<'_>) -> usize {
                guard.permits()
            }

            fn step(world: &mut World<'_, Self>, extra: Extra) {
                match extra {
                    Extra::Add(permits) => ($add)(world, permits),
                    Extra::Forget(number) => {
                        let Some(at) = world.guard(number) else {
                            return;
                        };
                        let guard = world.guards.swap_remove(at);
                        world.reference.inside.forgotten += guard.permits();
                        match guard {
                            $guard::Borrowed(permit) => permit.forget(),
                            $guard::Owned(permit) => permit.forget(),
                        }
                    }
                    Extra::Split(number, permits) => {
                        let Some(at) = world.guard(number) else {
                            return;
                        };
                        let guard = &mut world.guards[at];
                        let before = guard.permits();
                        let part = match guard {
                            $guard::Borrowed(permit) => permit.split(permits).map($guard::Borrowed),
                            $guard::Owned(permit) => permit.split(permits).map($guard::Owned),
                        };
                        let taken = part.as_ref().map_or(0, $guard::permits);
                        assert_eq!(part.is_some(), permits <= before);
                        assert_eq!(guard.permits() + taken, before);
                        world.guards.extend(part);
                    }
                    Extra::Merge => {
                        if world.guards.len() < 2 {
                            return;
                        }
                        let one = world.guards.swap_remove(0);
                        let other = world.guards.swap_remove(0);
                        match (one, other) {
                            ($guard::Borrowed(mut one), $guard::Borrowed(other)) => {
                                one.merge(other);
                                world.guards.push($guard::Borrowed(one));
                            }
                            ($guard::Owned(mut one), $guard::Owned(other)) => {
                                one.merge(other);
                                world.guards.push($guard::Owned(one));
                            }
                            (one, other) => world.guards.extend([one, other]),
                        }
                    }
                }
            }

            fn check(world: &World<'_, Self>) {
                let Permits { available, .. } = world.reference.inside;
                assert_eq!(world.primitive.available_permits(), available, "permits");
                let locked = available == 0 || world.reference.is_queued();
                assert_eq!(world.primitive.is_locked(), locked);
            }
        }

        #[test]
        fn $test() {
            check::<Gated<$kind>>();
        }
    };
}

semaphore!(
    semaphore,
    Plain,
    PlainPermit,
    Semaphore,
    SemaphorePermit,
    OwnedSemaphorePermit,
    |world: &mut World<'_, Plain>, permits: usize| {
        let total = world.reference.inside.available + permits;
        if total <= 60 {
            world
                .reference
                .change(false, |inside| inside.available += permits);
            let semaphore = world.primitive;
            world.act(|| semaphore.add_permits(permits));
        }
    }
);

semaphore!(
    bounded_semaphore,
    Bounded,
    BoundedPermit,
    BoundedSemaphore,
    BoundedSemaphorePermit,
    OwnedBoundedSemaphorePermit,
    |world: &mut World<'_, Bounded>, permits: usize| {
        let inside = &mut world.reference.inside;
        assert_eq!(world.primitive.bound(), inside.bound);
        let left = inside.forgotten.checked_sub(permits);
        if let Some(left) = left {
            inside.forgotten = left;
            world
                .reference
                .change(false, |inside| inside.available += permits);
        }
        let semaphore = world.primitive;
        if let Some(released) = world.act(|| semaphore.release(permits)) {
            assert_eq!(released.is_ok(), left.is_some(), "released");
        }
    }
);
