//! Instances, copies and views in the hands of hostile code.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use async_monitor::{Guarded, Lock, Mutex, monitor, synchronized, with_lock};
use futures::FutureExt;
use futures::executor::block_on;

/// Two names for one lock.
#[derive(Guarded)]
struct Twice {
    a: Arc<Lock>,
    #[guarded_by(a)]
    x: Guarded<Vec<u8>>,
    b: Arc<Lock>,
    #[guarded_by(b)]
    y: Guarded<Vec<u8>>,
}

fn twice() -> Twice {
    let lock = Arc::new(Lock::new());
    Twice {
        a: Arc::clone(&lock),
        x: vec![1].into(),
        b: lock,
        y: vec![2].into(),
    }
}

#[monitor(allow(nested))]
impl Twice {
    #[synchronized(a, b)]
    async fn both(&self) -> usize {
        a.x.len() + b.y.len()
    }
}

#[test]
fn one_lock_under_two_names_excludes_and_is_not_taken_twice() {
    let twice = twice();
    let guard = twice.try_acquire_a().unwrap();
    assert!(twice.try_acquire_b().is_none());
    drop(guard);
    let panicked = catch_unwind(AssertUnwindSafe(|| block_on(twice.both())));
    let message = *panicked.unwrap_err().downcast::<String>().unwrap();
    assert!(
        message.contains("`a` and `b` are the same lock"),
        "{message}"
    );
    assert!(!twice.a.is_locked(), "nothing is held after the panic");
}

/// Clones and drops that panic on demand, and count.
#[derive(Debug)]
struct Trap<'c> {
    value: u8,
    clones_left: &'c Cell<u32>,
    alive: &'c Cell<i32>,
}

impl<'c> Trap<'c> {
    fn new(value: u8, clones_left: &'c Cell<u32>, alive: &'c Cell<i32>) -> Self {
        alive.set(alive.get() + 1);
        Trap {
            value,
            clones_left,
            alive,
        }
    }
}

impl Clone for Trap<'_> {
    fn clone(&self) -> Self {
        let left = self.clones_left.get();
        assert!(left > 0, "no clone any more");
        self.clones_left.set(left - 1);
        Trap::new(self.value, self.clones_left, self.alive)
    }
}

impl Drop for Trap<'_> {
    fn drop(&mut self) {
        self.alive.set(self.alive.get() - 1);
    }
}

#[derive(Guarded)]
struct Holder<'c> {
    lock: Lock,
    #[guarded_by(lock)]
    first: Guarded<Trap<'c>>,
    #[guarded_by(lock)]
    second: Guarded<Trap<'c>>,
}

#[test]
fn a_copy_that_panics_at_entry_leaves_all_as_it_was() {
    for clones in 0..4 {
        let (clones_left, alive) = (Cell::new(clones), Cell::new(0));
        let holder = |value| Holder {
            lock: Lock::new(),
            first: Trap::new(value, &clones_left, &alive).into(),
            second: Trap::new(value + 1, &clones_left, &alive).into(),
        };
        let (one, two) = (holder(1), holder(5));
        let section = async {
            with_lock!(a = one.lock, b = two.lock, atomic, {
                a.first.value = 90;
                b.second.value = 91;
            });
        };
        let result = catch_unwind(AssertUnwindSafe(|| block_on(section)));
        assert!(result.is_err(), "four copies are made");
        assert!(!one.lock.is_locked() && !two.lock.is_locked());
        assert_eq!(alive.get(), 4, "no copy is left, none is dropped twice");
        assert_eq!(one.try_acquire_lock().unwrap().fields().first.value, 1);
        assert_eq!(two.try_acquire_lock().unwrap().fields().second.value, 6);
    }
}

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[guarded_by(ledger)]
    name: Guarded<String>,
}

#[monitor]
impl Account {
    #[synchronized(ledger, atomic)]
    async fn add(&self, amount: i64, fails: bool) -> Result<(), ()> {
        *ledger.balance += amount;
        futures::future::ready(()).await;
        if fails { Err(()) } else { Ok(()) }
    }

    #[synchronized(ledger, atomic)]
    async fn nested(&self, inner: bool, outer: bool) -> Result<(), ()> {
        *ledger.balance += 1;
        let _ = ledger.add(10, inner).await;
        if outer { Err(()) } else { Ok(()) }
    }

    #[synchronized(ledger, when = { probe.set(self.ledger.try_acquire().is_none()); true })]
    async fn looks(&self, probe: &Cell<bool>) {}
}

fn balance(account: &Account) -> i64 {
    *account.try_acquire_ledger().unwrap().fields().balance
}

#[test]
fn sections_within_sections_are_undone_by_themselves() {
    for (inner, outer, expected) in [
        (false, false, 11),
        (true, false, 1),
        (false, true, 0),
        (true, true, 0),
    ] {
        let account = Account::default();
        let _ = block_on(account.nested(inner, outer));
        assert_eq!(balance(&account), expected);
    }
}

#[test]
fn views_that_change_places_within_a_section_stay_with_their_objects() {
    let (from, to) = (Account::default(), Account::default());
    let result = block_on(async {
        with_lock!(a = from.ledger, b = to.ledger, atomic, {
            std::mem::swap(a, b);
            // `a` is the view of `to` now: what its form undoes is what it sees.
            assert_eq!(a.add(5, true).await, Err(()));
            assert_eq!(a.add(7, false).await, Ok(()));
            std::mem::swap(&mut a.name, &mut b.name);
            a.name.push_str("swapped");
            Ok::<_, ()>(())
        })
    });
    assert_eq!(result, Ok(()));
    assert_eq!((balance(&from), balance(&to)), (0, 7));
    assert_eq!(from.try_acquire_ledger().unwrap().fields().name, "swapped");
}

#[test]
fn a_condition_is_looked_at_with_the_lock_held() {
    let (account, was_held) = (Account::default(), Cell::new(false));
    block_on(account.looks(&was_held));
    assert!(was_held.get());
    assert!(!account.ledger.is_locked());
}

#[test]
fn a_guard_that_is_leaked_keeps_the_lock_and_nothing_else() {
    let account = Account::default();
    std::mem::forget(account.try_acquire_ledger());
    let mut waits = pin!(account.add(1, false));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(waits.as_mut().poll_unpin(&mut cx).is_pending());
}

#[test]
fn a_section_that_is_leaked_half_way_keeps_its_locks() {
    let account = Arc::new(Account::default());
    let section = {
        let account = Arc::clone(&account);
        async move {
            with_lock!(account.ledger, atomic, {
                *ledger.balance = 5;
                std::future::pending::<()>().await;
            });
        }
    };
    let mut section = Box::pin(section);
    assert!(
        section
            .poll_unpin(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    std::mem::forget(section);
    assert!(account.ledger.is_locked());
    assert!(account.try_acquire_ledger().is_none());
}

#[test]
fn expressions_are_evaluated_once_and_temporaries_live_long_enough() {
    let count = Cell::new(0);
    let lock = Arc::new(Mutex::new(1));
    let pick = || {
        count.set(count.get() + 1);
        Arc::clone(&lock)
    };
    block_on(async {
        let value = with_lock!(m = pick(), when = *m > 0, atomic, {
            *m += 1;
            *m
        });
        assert_eq!((value, count.get()), (2, 1));
        with_lock!(
            m = *pick(),
            timeout = {
                count.set(count.get() + 10);
                std::time::Duration::ZERO
            },
            {
                *m += 1;
            }
        )
        .unwrap();
        assert_eq!(count.get(), 12);
    });
    assert_eq!(Arc::strong_count(&lock), 1);
}

/// A destructor of data that uses the lock it was guarded by.
#[test]
fn destructors_of_what_was_put_back_may_use_the_lock() {
    #[derive(Clone)]
    struct Reenters<'l>(&'l Lock, &'l Cell<u32>);
    impl Drop for Reenters<'_> {
        fn drop(&mut self) {
            let is_free = self.0.try_acquire().is_some();
            self.1.set(self.1.get() + u32::from(is_free));
        }
    }

    #[derive(Guarded)]
    struct Object<'l> {
        lock: &'l Lock,
        #[guarded_by(lock)]
        value: Guarded<Option<Reenters<'l>>>,
    }

    let (lock, free) = (Lock::new(), Cell::new(0));
    let object = Object {
        lock: &lock,
        value: Some(Reenters(&lock, &free)).into(),
    };
    let result: Result<(), ()> = block_on(async { with_lock!(object.lock, atomic, { Err(()) }) });
    assert!(result.is_err());
    assert_eq!(free.get(), 1, "the copy was dropped with no lock held");
}

/// The same of a section within a section, which has not released the lock yet.
mod nested {
    use std::sync::{Arc, Mutex as StdMutex};

    use async_monitor::{Guarded, Lock, monitor, synchronized};
    use futures::executor::block_on;

    /// Notes whether the lock is held when it is dropped.
    #[derive(Clone)]
    struct Notes(Arc<Lock>, Arc<StdMutex<Vec<bool>>>);

    impl Drop for Notes {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(self.0.is_locked());
        }
    }

    #[derive(Guarded)]
    struct Object {
        lock: Arc<Lock>,
        #[guarded_by(lock)]
        notes: Guarded<Option<Notes>>,
    }

    #[monitor]
    impl Object {
        #[synchronized(lock, atomic)]
        async fn fail(&self) -> Result<(), ()> {
            futures::future::ready(()).await;
            Err(())
        }

        #[synchronized(lock)]
        async fn outer(&self) {
            assert_eq!(lock.fail().await, Err(()));
        }
    }

    #[test]
    fn what_was_put_back_is_dropped_where_the_section_ends() {
        let (lock, held) = (Arc::new(Lock::new()), Arc::default());
        let object = Object {
            lock: lock.clone(),
            notes: Some(Notes(lock.clone(), Arc::clone(&held))).into(),
        };
        block_on(async {
            assert_eq!(object.fail().await, Err(()));
            object.outer().await;
        });
        assert_eq!(*held.lock().unwrap(), [false, true]);
        assert!(!lock.is_locked());
    }
}
