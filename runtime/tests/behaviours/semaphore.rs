//! `Semaphore` and `BoundedSemaphore`: SEM, BSEM and N-12 in the list of behaviours
//! (README.md).
//!
//! Rows that are not here:
//!
//! | row | why |
//! |---|---|
//! | SEM-01, negative values | `usize` has none; too large a value is tested |
//! | SEM-19, SEM-20 for the bounded one | it cannot grow: BSEM-01 |
//! | SEM-31 | there is no `close` |
//! | SEM-32 | permits are taken away by `forget`, one has to hold them for it |

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::thread;

use crate::flavour::future::{
    BoundedSemaphoreAcquire, BoundedSemaphoreAcquireOwned, SemaphoreAcquire, SemaphoreAcquireOwned,
};
use crate::flavour::{
    BoundedSemaphore, BoundedSemaphorePermit, OverRelease, OwnedBoundedSemaphorePermit,
    OwnedSemaphorePermit, Semaphore, SemaphorePermit,
};

use crate::flavour::{Anywhere, Rc};
use crate::shown::waiters;
use crate::support::{Task, Waiter, impls, queued, race, taken, times, waiter};

/// The common interface of the permits of both semaphores.
trait AnyPermit: Debug + Sized {
    fn num_permits(&self) -> usize;
    fn release(self);
    fn forget(self);
    fn split(&mut self, permits: usize) -> Option<Self>;
    fn merge(&mut self, other: Self);
}

/// The common interface of both semaphores.
trait AnySemaphore: Debug + Default + Anywhere + 'static {
    const MAX_PERMITS: usize;

    type Permit<'a>: AnyPermit;
    type Acquire<'a>: Future<Output = Self::Permit<'a>>;
    type OwnedPermit: AnyPermit + Anywhere + 'static;
    type AcquireOwned: Future<Output = Self::OwnedPermit> + Anywhere;

    fn new(permits: usize) -> Self;
    fn acquire(&self) -> Self::Acquire<'_>;
    fn acquire_many(&self, permits: usize) -> Self::Acquire<'_>;
    fn try_acquire(&self) -> Option<Self::Permit<'_>>;
    fn try_acquire_many(&self, permits: usize) -> Option<Self::Permit<'_>>;
    fn acquire_owned(self: &Rc<Self>) -> Self::AcquireOwned;
    fn acquire_many_owned(self: &Rc<Self>, permits: usize) -> Self::AcquireOwned;
    fn try_acquire_owned(self: &Rc<Self>) -> Option<Self::OwnedPermit>;
    fn available_permits(&self) -> usize;
    fn is_locked(&self) -> bool;

    /// Releases permits by number, if that is allowed.
    fn give(&self, permits: usize) -> bool;

    /// A semaphore without permits, to which that many may be added.
    fn empty(permits: usize) -> Self {
        let semaphore = Self::new(permits);
        taken(semaphore.acquire_many(permits)).forget();
        semaphore
    }
}

macro_rules! any_semaphore {
    ($semaphore:ident, $permit:ident, $acquire:ident, $owned_permit:ident, $acquire_owned:ident, $give:expr) => {
        any_semaphore!(permit $permit<'_>);
        any_semaphore!(permit $owned_permit);

        impl AnySemaphore for $semaphore {
            const MAX_PERMITS: usize = $semaphore::MAX_PERMITS;

            type Permit<'a> = $permit<'a>;
            type Acquire<'a> = $acquire<'a>;
            type OwnedPermit = $owned_permit;
            type AcquireOwned = $acquire_owned;

            fn new(permits: usize) -> Self {
                $semaphore::new(permits)
            }
            fn acquire(&self) -> $acquire<'_> {
                $semaphore::acquire(self)
            }
            fn acquire_many(&self, permits: usize) -> $acquire<'_> {
                $semaphore::acquire_many(self, permits)
            }
            fn try_acquire(&self) -> Option<$permit<'_>> {
                $semaphore::try_acquire(self)
            }
            fn try_acquire_many(&self, permits: usize) -> Option<$permit<'_>> {
                $semaphore::try_acquire_many(self, permits)
            }
            fn acquire_owned(self: &Rc<Self>) -> $acquire_owned {
                $semaphore::acquire_owned(self)
            }
            fn acquire_many_owned(self: &Rc<Self>, permits: usize) -> $acquire_owned {
                $semaphore::acquire_many_owned(self, permits)
            }
            fn try_acquire_owned(self: &Rc<Self>) -> Option<$owned_permit> {
                $semaphore::try_acquire_owned(self)
            }
            fn available_permits(&self) -> usize {
                $semaphore::available_permits(self)
            }
            fn is_locked(&self) -> bool {
                $semaphore::is_locked(self)
            }
            fn give(&self, permits: usize) -> bool {
                let give: fn(&$semaphore, usize) -> bool = $give;
                give(self, permits)
            }
        }
    };
    (permit $permit:ty) => {
        impl AnyPermit for $permit {
            fn num_permits(&self) -> usize {
                <$permit>::num_permits(self)
            }
            fn release(self) {
                <$permit>::release(self)
            }
            fn forget(self) {
                <$permit>::forget(self)
            }
            fn split(&mut self, permits: usize) -> Option<Self> {
                <$permit>::split(self, permits)
            }
            fn merge(&mut self, other: Self) {
                <$permit>::merge(self, other)
            }
        }
    };
}

any_semaphore!(
    Semaphore,
    SemaphorePermit,
    SemaphoreAcquire,
    OwnedSemaphorePermit,
    SemaphoreAcquireOwned,
    |semaphore, permits| {
        semaphore.add_permits(permits);
        true
    }
);
any_semaphore!(
    BoundedSemaphore,
    BoundedSemaphorePermit,
    BoundedSemaphoreAcquire,
    OwnedBoundedSemaphorePermit,
    BoundedSemaphoreAcquireOwned,
    |semaphore, permits| semaphore.release(permits).is_ok()
);

/// Runs the rows for both semaphores.
macro_rules! both {
    ($($row:ident,)*) => {
        mod unbounded {
            $(#[test] fn $row() { super::$row::<super::Semaphore>() })*
        }

        mod bounded {
            $(#[test] fn $row() { super::$row::<super::BoundedSemaphore>() })*
        }
    };
}

both! {
    sem_01_initial_value,
    sem_01_too_many_permits,
    sem_02_as_many_as_there_are_permits,
    sem_03_a_permit_on_its_way_is_not_available,
    sem_04_n12_two_releases_choose_two_waiters,
    sem_06_rounds_in_order,
    sem_07_releaser_goes_behind_those_in_line,
    sem_08_first_cancelled_then_two_releases,
    sem_09_newcomers_take_what_is_left_over,
    sem_12_chosen_waiter_cancelled,
    sem_13_chosen_sole_waiter_cancelled,
    sem_14_first_two_of_four_cancelled,
    sem_15_cancelled_in_line,
    sem_16_cancelled_by_the_one_who_woke_it,
    sem_18_dropped_or_forgotten,
    sem_21_scope_ends_in_any_way,
    sem_22_as_many_woken_as_added,
    sem_26_more_than_there_are,
    sem_27_none_at_all,
    sem_28_woken_when_complete,
    sem_29_cancelled_before_the_releases,
    sem_30_split_and_merge,
    sem_30_merge_of_two_semaphores,
    sem_34_owned_acquire_keeps_it_alive,
}

fn sem_01_initial_value<S: AnySemaphore>() {
    for (semaphore, permits) in [(S::default(), 1), (S::new(0), 0), (S::new(3), 3)] {
        assert_eq!(semaphore.available_permits(), permits);
        assert_eq!(semaphore.is_locked(), permits == 0);
        assert_eq!(semaphore.try_acquire().is_some(), permits > 0);
    }
}

fn sem_01_too_many_permits<S: AnySemaphore>() {
    let most = S::new(S::MAX_PERMITS);
    assert_eq!(most.available_permits(), S::MAX_PERMITS);

    let beyond = catch_unwind(|| S::new(S::MAX_PERMITS + 1));
    assert!(beyond.is_err());
}

threads_only! {
    #[test]
    fn sem_01_in_a_static() {
        static SEMAPHORE: Semaphore = Semaphore::new(1);
        static BOUNDED: BoundedSemaphore = BoundedSemaphore::new(1);

        assert_eq!(taken(SEMAPHORE.acquire()).num_permits(), 1);
        assert_eq!(taken(BOUNDED.acquire()).num_permits(), 1);
    }
}

fn sem_02_as_many_as_there_are_permits<S: AnySemaphore>() {
    let semaphore = S::new(3);
    let mut permits = Vec::new();
    for left in (0..3).rev() {
        permits.push(taken(semaphore.acquire()));
        assert_eq!(semaphore.available_permits(), left);
    }
    drop(queued(semaphore.acquire()));

    assert!(semaphore.try_acquire().is_none());
    assert_eq!(semaphore.available_permits(), 0);
    drop(permits.pop());
    assert_eq!(semaphore.available_permits(), 1);
    assert!(semaphore.try_acquire().is_some());
}

fn sem_03_a_permit_on_its_way_is_not_available<S: AnySemaphore>() {
    let semaphore = S::new(1);
    let holder = taken(semaphore.acquire());
    let mut waiting = queued(semaphore.acquire());
    assert_eq!(waiting.wakes(), 0);

    holder.release();
    assert_eq!(waiting.wakes(), 1);
    assert_eq!(semaphore.available_permits(), 0);
    assert!(semaphore.is_locked());
    assert!(semaphore.try_acquire().is_none());

    let permit = waiting.ready();
    assert_eq!(waiting.wakes(), 1);
    assert_eq!(semaphore.available_permits(), 0);

    permit.release();
    assert_eq!(semaphore.available_permits(), 1);
}

fn sem_04_n12_two_releases_choose_two_waiters<S: AnySemaphore>() {
    let semaphore = S::empty(3);
    let mut b = queued(semaphore.acquire());
    let mut c = queued(semaphore.acquire());
    let mut d = queued(semaphore.acquire());

    semaphore.give(1);
    semaphore.give(1);
    assert_eq!([b.wakes(), c.wakes(), d.wakes()], [1, 1, 0]);
    assert_eq!(semaphore.available_permits(), 0);

    let of_c = c.ready();
    d.pending();
    let of_b = b.ready();
    assert_eq!(semaphore.available_permits(), 0);
    assert_eq!(d.wakes(), 0);

    of_b.forget();
    of_c.forget();
    assert_eq!(d.wakes(), 0);
    semaphore.give(1);
    assert_eq!(d.wakes(), 1);
    d.ready().forget();
}

fn sem_06_rounds_in_order<S: AnySemaphore>() {
    let semaphore = S::new(1);
    let trace = Mutex::new(Vec::new());
    let record = |who| trace.lock().expect("not poisoned").push(who);
    let worker = async |who: u8| {
        for _round in 0..2 {
            let permit = semaphore.acquire().await;
            record(who);
            futures::pending!();
            permit.release();
        }
    };
    let mut workers = [1, 2, 3].map(|who| Some(waiter(worker(who))));

    while workers.iter().any(Option::is_some) {
        for worker in &mut workers {
            if worker.as_mut().is_some_and(|it| it.poll().is_ready()) {
                *worker = None;
            }
        }
    }
    drop(workers);
    assert_eq!(*trace.lock().expect("not poisoned"), [1, 2, 3, 1, 2, 3]);
}

fn sem_07_releaser_goes_behind_those_in_line<S: AnySemaphore>() {
    let twice = async |semaphore: &S| {
        semaphore.acquire().await.release();
        semaphore.acquire().await.forget();
    };

    // Both releases come before anybody runs.
    let semaphore = S::empty(2);
    let mut b = queued(twice(&semaphore));
    let mut c = queued(semaphore.acquire());
    semaphore.give(1);
    semaphore.give(1);
    assert_eq!([b.wakes(), c.wakes()], [1, 1]);
    b.ready();
    let of_c = c.ready();
    assert_eq!(semaphore.available_permits(), 0);
    of_c.release();

    // The second comes after the first one has run.
    let semaphore = S::empty(2);
    let mut b = queued(twice(&semaphore));
    let mut c = queued(semaphore.acquire());
    semaphore.give(1);
    assert_eq!([b.wakes(), c.wakes()], [1, 0]);
    b.pending();
    assert_eq!([b.wakes(), c.wakes()], [1, 1]);
    let _of_c = c.ready();
    semaphore.give(1);
    assert_eq!(b.wakes(), 2);
    b.ready();
}

fn sem_08_first_cancelled_then_two_releases<S: AnySemaphore>() {
    let semaphore = S::empty(2);
    let a = queued(semaphore.acquire());
    let mut b = queued(semaphore.acquire());
    let mut c = queued(semaphore.acquire());

    drop(a);
    assert_eq!([b.wakes(), c.wakes()], [0, 0]);
    semaphore.give(1);
    assert_eq!([b.wakes(), c.wakes()], [1, 0]);
    semaphore.give(1);
    assert_eq!([b.wakes(), c.wakes()], [1, 1]);
    let _permits = (b.ready(), c.ready());
    assert_eq!(semaphore.available_permits(), 0);
}

fn sem_09_newcomers_take_what_is_left_over<S: AnySemaphore>() {
    let semaphore = S::empty(3);
    let mut b = queued(semaphore.acquire());
    semaphore.give(1);
    assert_eq!(b.wakes(), 1);

    // Nobody is queued without a grant: two newcomers need not wait for B.
    semaphore.give(2);
    assert_eq!(semaphore.available_permits(), 2);
    assert!(!semaphore.is_locked());
    let _n1 = taken(semaphore.acquire());
    let _n2 = taken(semaphore.acquire());
    let n3 = queued(semaphore.acquire());

    assert_eq!(semaphore.available_permits(), 0);
    let _of_b = b.ready();
    assert_eq!((b.wakes(), n3.wakes()), (1, 0));
}

fn sem_12_chosen_waiter_cancelled<S: AnySemaphore>() {
    let semaphore = S::empty(1);
    let b = queued(semaphore.acquire());
    let mut c = queued(semaphore.acquire());
    semaphore.give(1);
    assert_eq!([b.wakes(), c.wakes()], [1, 0]);

    drop(b);
    assert_eq!(c.wakes(), 1);
    assert_eq!(semaphore.available_permits(), 0);
    c.ready().release();
    assert_eq!(semaphore.available_permits(), 1);
}

fn sem_13_chosen_sole_waiter_cancelled<S: AnySemaphore>() {
    let semaphore = S::empty(1);
    let b = queued(semaphore.acquire());
    semaphore.give(1);
    assert_eq!(b.wakes(), 1);
    assert!(semaphore.is_locked());

    drop(b);
    assert_eq!(semaphore.available_permits(), 1);
    assert!(!semaphore.is_locked());
}

fn sem_14_first_two_of_four_cancelled<S: AnySemaphore>() {
    let semaphore = S::empty(1);
    let mut line: Vec<_> = (0..4).map(|_| queued(semaphore.acquire())).collect();
    drop(line.drain(..2));

    semaphore.give(1);
    assert_eq!([line[0].wakes(), line[1].wakes()], [1, 0]);
    let _permit = line[0].ready();
    line[1].pending();
}

fn sem_15_cancelled_in_line<S: AnySemaphore>() {
    let semaphore = S::new(1);
    let holder = taken(semaphore.acquire());
    let b = queued(semaphore.acquire());
    let mut c = queued(semaphore.acquire());

    drop(b);
    assert_eq!(semaphore.available_permits(), 0);
    assert_eq!(c.wakes(), 0);
    c.pending();

    drop(c);
    assert_eq!(semaphore.available_permits(), 0);
    holder.release();
    assert_eq!(semaphore.available_permits(), 1);
}

fn sem_16_cancelled_by_the_one_who_woke_it<S: AnySemaphore>() {
    let semaphore = S::new(1);
    let entered = Mutex::new(false);
    let holder = taken(semaphore.acquire());
    let b = queued(async {
        let _permit = semaphore.acquire().await;
        *entered.lock().expect("not poisoned") = true;
    });

    holder.release();
    assert_eq!(b.wakes(), 1);
    drop(b);

    assert!(!*entered.lock().expect("not poisoned"));
    let _permit = taken(semaphore.acquire());
}

fn sem_18_dropped_or_forgotten<S: AnySemaphore>() {
    let semaphore = S::new(2);
    drop(taken(semaphore.acquire()));
    assert_eq!(semaphore.available_permits(), 2);

    taken(semaphore.acquire_many(2)).forget();
    assert_eq!(semaphore.available_permits(), 0);
    assert!(semaphore.give(2));
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn sem_19_more_than_at_first() {
    let semaphore = Semaphore::new(1);
    semaphore.add_permits(2);
    assert_eq!(semaphore.available_permits(), 3);
    assert_eq!(taken(semaphore.acquire_many(3)).num_permits(), 3);
}

#[test]
fn sem_20_no_more_than_can_be_counted() {
    let semaphore = Semaphore::new(Semaphore::MAX_PERMITS - 1);
    semaphore.add_permits(1);

    for more in [1, Semaphore::MAX_PERMITS, usize::MAX] {
        let added = catch_unwind(AssertUnwindSafe(|| semaphore.add_permits(more)));
        assert!(added.is_err());
        assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS);
    }

    taken(semaphore.acquire_many(Semaphore::MAX_PERMITS)).release();
    assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS);
}

#[test]
fn sem_20_permits_beyond_the_count_are_neither_granted_nor_wrapped() {
    let capacity = usize::MAX >> 2;
    let semaphore = Semaphore::new(Semaphore::MAX_PERMITS);
    for beyond in [capacity + 1, 1 << (usize::BITS - 2), usize::MAX] {
        assert!(semaphore.try_acquire_many(beyond).is_none());
        assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS);
    }

    let mut permit = taken(semaphore.acquire_many(Semaphore::MAX_PERMITS));
    for _ in 0..8 {
        semaphore.add_permits(Semaphore::MAX_PERMITS);
        permit.merge(taken(semaphore.acquire_many(Semaphore::MAX_PERMITS)));
    }
    assert!(permit.num_permits() > capacity);
    semaphore.add_permits(1);
    permit.release();
    assert_eq!(semaphore.available_permits(), capacity);
    // They are still there for others.
    taken(semaphore.acquire_many(capacity)).release();
    assert_eq!(semaphore.available_permits(), capacity);
}

fn sem_21_scope_ends_in_any_way<S: AnySemaphore>() {
    enum End {
        Return,
        Failure,
        Panic,
    }
    let scope = async |semaphore: &S, end| {
        let _permit = semaphore.acquire().await;
        assert_eq!(semaphore.available_permits(), 0);
        match end {
            End::Return => return Ok(()),
            End::Failure => Err(())?,
            End::Panic => panic!("as the row says"),
        }
        unreachable!()
    };

    let semaphore = S::new(1);
    assert_eq!(taken(scope(&semaphore, End::Return)), Ok(()));
    assert_eq!(semaphore.available_permits(), 1);
    assert_eq!(taken(scope(&semaphore, End::Failure)), Err(()));
    assert_eq!(semaphore.available_permits(), 1);
    let panicked = catch_unwind(AssertUnwindSafe(|| taken(scope(&semaphore, End::Panic))));
    assert!(panicked.is_err());
    assert_eq!(semaphore.available_permits(), 1);
}

fn sem_22_as_many_woken_as_added<S: AnySemaphore>() {
    let semaphore = S::empty(50);
    let mut line: Vec<_> = (0..50).map(|_| queued(semaphore.acquire())).collect();
    let woken = |line: &[Waiter<_>]| line.iter().filter(|it| it.wakes() == 1).count();

    semaphore.give(7);
    assert_eq!(woken(&line), 7);
    assert_eq!(woken(&line[..7]), 7);
    semaphore.give(43);
    assert_eq!(woken(&line), 50);
    assert_eq!(semaphore.available_permits(), 0);

    let permits: Vec<_> = line.iter_mut().map(Waiter::ready).collect();
    assert_eq!(woken(&line), 50);
    drop(permits);
    assert_eq!(semaphore.available_permits(), 50);
}

/// More waiters than are woken each time the internal lock is held.
#[test]
fn sem_22_all_at_once() {
    for added in [31, 32, 33, 64, 65, 99] {
        let semaphore = Semaphore::new(0);
        let line: Vec<_> = (0..100).map(|_| queued(semaphore.acquire())).collect();
        semaphore.add_permits(added);
        let wakes: Vec<_> = line.iter().map(Waiter::wakes).collect();
        assert_eq!(wakes[..added], vec![1; added]);
        assert_eq!(wakes[added..], vec![0; 100 - added]);
        assert_eq!(semaphore.available_permits(), 0);
    }
}

fn sem_26_more_than_there_are<S: AnySemaphore>() {
    let semaphore = S::new(2);
    let holder = taken(semaphore.acquire_many(2));
    let mut batch = queued(semaphore.acquire_many(3));
    let mut small = queued(semaphore.acquire());
    let mut smaller = queued(semaphore.acquire());

    holder.release();
    assert_eq!([batch.wakes(), small.wakes(), smaller.wakes()], [0, 0, 0]);
    assert_eq!(semaphore.available_permits(), 2);
    assert!(semaphore.is_locked());
    assert!(semaphore.try_acquire().is_none());
    batch.pending();

    drop(batch);
    assert_eq!([small.wakes(), smaller.wakes()], [1, 1]);
    let _permits = (small.ready(), smaller.ready());
}

fn sem_27_none_at_all<S: AnySemaphore>() {
    let semaphore = S::empty(1);
    let waiting = queued(semaphore.acquire());

    let none = taken(semaphore.acquire_many(0));
    assert_eq!(none.num_permits(), 0);
    assert!(semaphore.try_acquire_many(0).is_some());
    none.release();
    assert!(semaphore.give(0));

    assert_eq!(waiting.wakes(), 0);
    assert_eq!(semaphore.available_permits(), 0);
}

fn sem_28_woken_when_complete<S: AnySemaphore>() {
    let semaphore = S::empty(3);
    let mut batch = queued(semaphore.acquire_many(3));

    semaphore.give(1);
    semaphore.give(1);
    assert_eq!(batch.wakes(), 0);
    semaphore.give(1);
    assert_eq!(batch.wakes(), 1);
    assert_eq!(semaphore.available_permits(), 0);
    assert_eq!(batch.ready().num_permits(), 3);
    assert_eq!(batch.wakes(), 1);
}

fn sem_29_cancelled_before_the_releases<S: AnySemaphore>() {
    let semaphore = S::empty(3);
    let batch = queued(semaphore.acquire_many(3));
    let task = batch.task.clone();
    semaphore.give(1);

    drop(batch);
    semaphore.give(1);
    semaphore.give(1);
    assert_eq!(task.wakes(), 0);
    assert_eq!(semaphore.available_permits(), 3);
    assert!(!semaphore.is_locked());
}

fn sem_30_split_and_merge<S: AnySemaphore>() {
    let semaphore = S::new(5);
    let mut many = taken(semaphore.acquire_many(5));

    assert!(many.split(6).is_none());
    assert_eq!(many.num_permits(), 5);
    let mut two = many.split(2).expect("five are more than two");
    assert_eq!((many.num_permits(), two.num_permits()), (3, 2));
    let all_of_two = two.split(2).expect("two are as many as two");
    assert_eq!((two.num_permits(), all_of_two.num_permits()), (0, 2));
    assert_eq!(semaphore.available_permits(), 0);

    two.release();
    assert_eq!(semaphore.available_permits(), 0);
    let one = many.split(1).expect("three are more than one");
    many.release();
    assert_eq!(semaphore.available_permits(), 2);

    let mut merged = all_of_two;
    merged.merge(one);
    assert_eq!(merged.num_permits(), 3);
    assert_eq!(semaphore.available_permits(), 2);
    merged.release();
    assert_eq!(semaphore.available_permits(), 5);
}

fn sem_30_merge_of_two_semaphores<S: AnySemaphore>() {
    let (here, there) = (Rc::new(S::new(3)), Rc::new(S::new(3)));
    let mut ours = taken(here.acquire_many(2));
    let theirs = taken(there.acquire_many(1));
    let mut ours_owned = taken(here.acquire_many_owned(1));
    let theirs_owned = taken(there.acquire_many_owned(2));

    let merged = catch_unwind(AssertUnwindSafe(|| ours.merge(theirs)));
    assert!(merged.is_err());
    assert_eq!(there.available_permits(), 1);
    let merged = catch_unwind(AssertUnwindSafe(|| ours_owned.merge(theirs_owned)));
    assert!(merged.is_err());
    assert_eq!(there.available_permits(), 3);

    assert_eq!((ours.num_permits(), ours_owned.num_permits()), (2, 1));
    drop((ours, ours_owned));
    assert_eq!(here.available_permits(), 3);
    assert_eq!((Rc::strong_count(&here), Rc::strong_count(&there)), (1, 1));
}

threads_only! {
    #[test]
    fn sem_34_send_and_sync() {
        macro_rules! send_and_sync {
            ($($type:ty)*) => {
                $(assert_eq!((impls!($type: Send), impls!($type: Sync)), (true, true));)*
            };
        }
        send_and_sync! {
            Semaphore SemaphorePermit<'static> SemaphoreAcquire<'static>
            OwnedSemaphorePermit SemaphoreAcquireOwned
            BoundedSemaphore BoundedSemaphorePermit<'static> BoundedSemaphoreAcquire<'static>
            OwnedBoundedSemaphorePermit BoundedSemaphoreAcquireOwned
        }
    }
}

fn sem_34_owned_acquire_keeps_it_alive<S: AnySemaphore>() {
    // Unpolled.
    let semaphore = Rc::new(S::new(1));
    let weak = Rc::downgrade(&semaphore);
    let mut unpolled = waiter(semaphore.acquire_owned());
    drop(semaphore);
    let permit = unpolled.ready();

    // Held: the future has passed the reference on.
    drop(unpolled);
    assert_eq!(weak.strong_count(), 1);
    let semaphore = weak.upgrade().expect("the permit keeps it");
    assert!(semaphore.try_acquire_owned().is_none());

    // Queued, then granted, then holding.
    let mut b = queued(semaphore.acquire_owned());
    let c = queued(semaphore.acquire_owned());
    drop(semaphore);
    drop(permit);
    assert_eq!([b.wakes(), c.wakes()], [1, 0]);
    assert_eq!(weak.strong_count(), 2);
    drop(c);
    assert_eq!(weak.strong_count(), 1);
    let mut permit = b.ready();
    drop(b);
    assert_eq!(weak.strong_count(), 1);

    // In parts, merged, forgotten.
    let none = permit.split(0).expect("none are always there");
    assert_eq!(weak.strong_count(), 2);
    permit.merge(none);
    assert_eq!(weak.strong_count(), 1);
    permit.forget();
    assert_eq!(weak.strong_count(), 0);
}

/// The error of a release that was refused.
#[track_caller]
fn refused(released: Result<(), OverRelease>) -> (usize, usize) {
    let error = released.expect_err("there would be too many");
    (error.requested, error.releasable)
}

#[test]
fn bsem_01_release_at_the_bound() {
    let semaphore = BoundedSemaphore::new(1);
    assert_eq!(refused(semaphore.release(1)), (1, 0));
    assert_eq!(semaphore.available_permits(), 1);

    taken(semaphore.acquire()).forget();
    assert_eq!(semaphore.release(1), Ok(()));
    assert_eq!(refused(semaphore.release(1)), (1, 0));
    assert_eq!(semaphore.available_permits(), 1);
}

/// A guard gives its permit back: nobody can do so in its place.
#[test]
fn bsem_01_release_of_a_permit_that_is_out() {
    let semaphore = BoundedSemaphore::new(1);
    let permit = taken(semaphore.acquire());
    assert_eq!(refused(semaphore.release(1)), (1, 0));
    assert_eq!(semaphore.available_permits(), 0);
    permit.release();
    assert_eq!(refused(semaphore.release(1)), (1, 0));
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn bsem_02_chosen_waiter_cancelled() {
    let semaphore = BoundedSemaphore::empty(1);
    let b = queued(semaphore.acquire());
    assert_eq!(semaphore.release(1), Ok(()));
    assert_eq!(b.wakes(), 1);

    drop(b);
    assert_eq!(semaphore.available_permits(), 1);
    assert_eq!(refused(semaphore.release(1)), (1, 0));
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn bsem_03_granted_permit_counts() {
    let semaphore = BoundedSemaphore::empty(1);
    let mut b = queued(semaphore.acquire());
    let c = queued(semaphore.acquire());
    assert_eq!(semaphore.release(1), Ok(()));
    assert_eq!([b.wakes(), c.wakes()], [1, 0]);

    assert_eq!(refused(semaphore.release(1)), (1, 0));
    assert_eq!([b.wakes(), c.wakes()], [1, 0]);
    let _permit = b.ready();
    assert_eq!(semaphore.available_permits(), 0);
}

#[test]
fn bsem_04_as_many_as_were_used() {
    let semaphore = BoundedSemaphore::new(5);
    taken(semaphore.acquire_many(3)).forget();
    assert_eq!((semaphore.available_permits(), semaphore.bound()), (2, 5));

    assert_eq!(refused(semaphore.release(4)), (4, 3));
    assert_eq!(refused(semaphore.release(usize::MAX)), (usize::MAX, 3));
    assert_eq!(semaphore.available_permits(), 2);
    assert_eq!(semaphore.release(1), Ok(()));
    assert_eq!(refused(semaphore.release(3)), (3, 2));
    assert_eq!(semaphore.release(2), Ok(()));
    assert_eq!(refused(semaphore.release(1)), (1, 0));
    assert_eq!(semaphore.available_permits(), 5);
}

threads_only! {
    mod on_threads {
        use super::*;

        both! {
            sem_17_release_against_cancel,
            sem_33_acquire_release_and_cancel_on_threads,
            sem_35_permit_in_a_waker,
        }

        fn sem_17_release_against_cancel<S: AnySemaphore>() {
            let semaphore = Rc::new(S::new(1));
            race(
                500,
                || {
                    let holder = taken(semaphore.acquire_owned());
                    (holder, queued(semaphore.acquire_owned()))
                },
                |holder| holder.release(),
                drop,
                || {
                    assert_eq!(semaphore.available_permits(), 1);
                    assert_eq!(waiters(&semaphore), 0);
                },
            );
        }

        fn sem_33_acquire_release_and_cancel_on_threads<S: AnySemaphore>() {
            let semaphore = S::new(102);
            taken(semaphore.acquire_many(100)).forget();
            thread::scope(|scope| {
                for permits in [1, 1, 2] {
                    let semaphore = &semaphore;
                    scope.spawn(move || {
                        for _ in 0..times(200) {
                            futures::executor::block_on(semaphore.acquire_many(permits)).release();
                            let _ = waiter(semaphore.acquire()).poll();
                        }
                    });
                }
                for _ in 0..100 {
                    assert!(semaphore.give(1));
                }
            });
            assert_eq!(semaphore.available_permits(), 102);
            assert_eq!(waiters(&semaphore), 0);
        }

        fn sem_35_permit_in_a_waker<S: AnySemaphore>() {
            /// A waker that keeps something until it is dropped.
            struct Keeping<T>(#[allow(dead_code)] T);

            impl<T: Send + Sync + 'static> Wake for Keeping<T> {
                fn wake(self: Arc<Self>) {}
            }

            let semaphore = Rc::new(S::new(1));
            let mut waiting = {
                let permit = taken(semaphore.acquire_owned());
                let waker = Waker::from(Rc::new(Keeping(permit)));
                let mut future = Box::pin(semaphore.acquire());
                let polled = future
                    .as_mut()
                    .poll(&mut std::task::Context::from_waker(&waker));
                assert!(polled.is_pending());
                let task = Task::new();
                Waiter { task, future }
            };
            assert_eq!(semaphore.available_permits(), 0);

            // The waker that is replaced here gives its permit back, to this future.
            waiting.pending();
            assert_eq!(waiting.wakes(), 1);
            let _permit = waiting.ready();
            assert_eq!(semaphore.available_permits(), 0);
        }
    }
}
