//! Primitives with a gate: `Lock`, `Mutex`, `RwLock`, the semaphores, and `when`.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

use async_monitor::__private::{ConditionalLock, when};
use async_monitor::{
    BoundedSemaphore, Lock, Mutex, MutexGuard, RwLock, RwLockUpgradableReadGuard, RwLockWriteGuard,
    Semaphore,
};

use crate::crowd::Member;
use crate::{Random, Stamp, Stamps, crowd, patiently};

/// The holders: a number of readers, or a writer, as -1.
#[derive(Default)]
struct Inside(AtomicIsize);

impl Inside {
    fn write(&self, visit: impl FnOnce()) {
        assert_eq!(self.0.swap(-1, Ordering::SeqCst), 0, "somebody is inside");
        visit();
        assert_eq!(self.0.swap(0, Ordering::SeqCst), -1, "somebody came in");
    }

    fn read(&self, visit: impl FnOnce()) {
        let others = self.0.fetch_add(1, Ordering::SeqCst);
        assert!(others >= 0, "somebody writes");
        visit();
        let now = self.0.fetch_sub(1, Ordering::SeqCst);
        assert!(now >= 1, "somebody came in to write");
    }
}

/// Waits patiently, and records when it came and was queued.
fn stamped<F: Future>(
    stamps: &Stamps,
    random: &mut Random,
    future: F,
) -> Option<(Stamp, F::Output)> {
    let mut stamp = Stamp::default();
    stamp.came = stamps.now();
    let output = patiently(random, future, || stamp.stood = stamps.now())?;
    Some((stamp, output))
}

#[derive(Default)]
struct Locked {
    lock: Arc<Lock>,
    inside: Inside,
    stamps: Stamps,
    visits: AtomicUsize,
}

#[test]
fn lock() {
    crowd(
        3,
        Locked::default,
        |shared: &Locked, member: Member<'_>| {
            let Member { turns, random, .. } = member;
            let Locked {
                lock,
                inside,
                stamps,
                visits,
            } = shared;
            let visit = || {
                inside.write(|| ());
                visits.fetch_add(1, Ordering::Relaxed);
            };
            for _ in 0..turns {
                match random.below(8) {
                    0 => {
                        if let Some(_guard) = lock.try_acquire() {
                            visit();
                        }
                    }
                    1 => {
                        let _guard = lock.acquire_owned_blocking();
                        visit();
                    }
                    2 => {
                        let entered = stamped(stamps, random, lock.acquire_owned());
                        if let Some((stamp, guard)) = entered {
                            stamps.entered(stamp, false);
                            visit();
                            guard.release();
                        }
                    }
                    _ => {
                        let entered = stamped(stamps, random, lock.acquire());
                        if let Some((stamp, _guard)) = entered {
                            stamps.entered(stamp, false);
                            visit();
                        }
                    }
                }
            }
        },
        |shared| {
            assert!(!shared.lock.is_locked());
            assert!(shared.lock.try_acquire().is_some());
            shared.stamps.check();
            assert_eq!(Arc::strong_count(&shared.lock), 1);
        },
    );
}

#[test]
fn mutex() {
    crowd(
        3,
        || (Mutex::new(0), AtomicUsize::new(0)),
        |(mutex, added): &(Mutex<usize>, AtomicUsize), Member { turns, random, .. }| {
            for _ in 0..turns {
                if let Some(mut guard) = patiently(random, mutex.lock(), || ()) {
                    *guard += 1;
                    added.fetch_add(1, Ordering::Relaxed);
                }
            }
        },
        |(mutex, added)| {
            let guard = mutex.try_lock().expect("nobody has it");
            assert_eq!(*guard, added.load(Ordering::Relaxed));
        },
    );
}

#[derive(Default)]
struct Shared {
    lock: RwLock<usize>,
    inside: Inside,
    stamps: Stamps,
    written: AtomicUsize,
}

#[test]
fn rwlock() {
    crowd(
        4,
        Shared::default,
        |shared: &Shared, Member { turns, random, .. }| {
            let Shared {
                lock,
                inside,
                stamps,
                written,
            } = shared;
            let write = |value: &mut usize| {
                inside.write(|| *value += 1);
                written.fetch_add(1, Ordering::Relaxed);
            };
            let read = |value: &usize| {
                inside.read(|| assert!(*value <= written.load(Ordering::Relaxed) + 1));
            };
            for _ in 0..turns {
                match random.below(9) {
                    0..3 => {
                        if let Some((stamp, guard)) = stamped(stamps, random, lock.read()) {
                            stamps.entered(stamp, true);
                            read(&guard);
                        }
                    }
                    3 | 4 => {
                        if let Some((stamp, mut guard)) = stamped(stamps, random, lock.write()) {
                            stamps.entered(stamp, false);
                            write(&mut guard);
                        }
                    }
                    5 => {
                        if let Some((stamp, mut guard)) = stamped(stamps, random, lock.write()) {
                            stamps.entered(stamp, false);
                            write(&mut guard);
                            let before = *guard;
                            let guard = RwLockWriteGuard::downgrade(guard);
                            read(&guard);
                            assert_eq!(*guard, before, "somebody wrote in between");
                        }
                    }
                    6 | 7 => {
                        let guard = patiently(random, lock.upgradable_read(), || ());
                        let Some(guard) = guard else { continue };
                        read(&guard);
                        let before = *guard;
                        let upgrade = RwLockUpgradableReadGuard::upgrade(guard);
                        if let Some(mut guard) = patiently(random, upgrade, || ()) {
                            assert_eq!(*guard, before, "somebody wrote in between");
                            write(&mut guard);
                        }
                    }
                    _ => {
                        if let Some(guard) = lock.try_upgradable_read() {
                            match RwLockUpgradableReadGuard::try_upgrade(guard) {
                                Ok(mut guard) => write(&mut guard),
                                Err(guard) => {
                                    read(&RwLockUpgradableReadGuard::downgrade(guard));
                                }
                            }
                        }
                    }
                }
            }
        },
        |shared| {
            let guard = shared.lock.try_write().expect("nobody is inside");
            assert_eq!(*guard, shared.written.load(Ordering::Relaxed));
            shared.stamps.check();
        },
    );
}

/// How many permits there are, and how many were forgotten for now.
const PERMITS: usize = 3;

#[test]
fn semaphore() {
    crowd(
        4,
        || (Semaphore::new(PERMITS), AtomicUsize::new(0)),
        |(semaphore, out): &(Semaphore, AtomicUsize), Member { turns, random, .. }| {
            let use_permits = |permits: usize| {
                let before = out.fetch_add(permits, Ordering::SeqCst);
                assert!(before + permits <= PERMITS, "more out than there are");
                out.fetch_sub(permits, Ordering::SeqCst);
            };
            for _ in 0..turns {
                let wanted = random.below(PERMITS + 1);
                match random.below(6) {
                    0 => {
                        if let Some(permit) = semaphore.try_acquire_many(wanted) {
                            use_permits(permit.num_permits());
                        }
                    }
                    1 => {
                        let permit = patiently(random, semaphore.acquire_many(wanted), || ());
                        if let Some(permit) = permit {
                            use_permits(wanted);
                            permit.forget();
                            semaphore.add_permits(wanted);
                        }
                    }
                    2 => {
                        let permit = patiently(random, semaphore.acquire_many(wanted), || ());
                        if let Some(mut permit) = permit {
                            use_permits(wanted);
                            let part = permit.split(wanted / 2);
                            drop(permit);
                            drop(part);
                        }
                    }
                    _ => {
                        let permit = patiently(random, semaphore.acquire_many(wanted), || ());
                        if let Some(permit) = permit {
                            use_permits(permit.num_permits());
                        }
                    }
                }
            }
        },
        |(semaphore, out)| {
            assert_eq!(semaphore.available_permits(), PERMITS);
            assert_eq!(out.load(Ordering::SeqCst), 0);
        },
    );
}

#[test]
fn bounded_semaphore() {
    crowd(
        3,
        || BoundedSemaphore::new(2),
        |semaphore: &BoundedSemaphore, Member { turns, random, .. }| {
            for _ in 0..turns {
                let wanted = 1 + random.below(2);
                let permit = patiently(random, semaphore.acquire_many(wanted), || ());
                if let Some(permit) = permit {
                    if random.one_in(2) {
                        permit.forget();
                        semaphore.release(wanted).expect("as many are forgotten");
                    }
                }
                assert!(semaphore.available_permits() <= semaphore.bound());
            }
        },
        |semaphore| {
            assert_eq!(semaphore.available_permits(), 2);
            assert!(semaphore.release(1).is_err());
        },
    );
}

/// An account that is never overdrawn, and what should be on it.
#[derive(Default)]
struct Account {
    balance: Mutex<usize>,
    expected: AtomicIsize,
}

/// Some pay in, and others wait until there is enough for them.
#[test]
fn when_there_is_enough() {
    crowd(
        4,
        Account::default,
        |account: &Account,
         Member {
             number,
             turns,
             random,
         }| {
            let Account { balance, expected } = account;
            if number % 2 == 0 {
                for turn in 0..turns {
                    // Enough for everybody, in the end.
                    let amount = if turn % 2 == 0 { 3 } else { 1 };
                    *balance.lock_blocking() += amount;
                    expected.fetch_add(amount as isize, Ordering::Relaxed);
                }
                return;
            }
            for _ in 0..turns {
                let amount = 1 + random.below(2);
                // SAFETY: the guard is of the mutex, and holds nothing but it.
                let enough = unsafe {
                    when(
                        balance.waiter(),
                        || balance.granted_guard(),
                        |guard: &mut MutexGuard<'_, usize>| **guard >= amount,
                    )
                };
                if let Some(mut guard) = patiently(random, enough, || ()) {
                    *guard -= amount;
                    expected.fetch_sub(amount as isize, Ordering::Relaxed);
                }
            }
        },
        |account| {
            let balance = *account.balance.try_lock().expect("nobody has it");
            let expected = account.expected.load(Ordering::Relaxed);
            assert_eq!(isize::try_from(balance), Ok(expected));
        },
    );
}
