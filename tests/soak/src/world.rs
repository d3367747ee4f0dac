//! One of each primitive, the operations of tasks on it, and its invariants.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicIsize, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_monitor::__private::{ConditionalLock, ConditionalSyncLock, TurnGuards, sync_when, when};
use async_monitor::{
    Barrier, BoundedSemaphore, Condition, Event, Lock, Mutex, MutexGuard, RwLock,
    RwLockUpgradableReadGuard, RwLockWriteGuard, Semaphore, sync,
};
use futures::future::{Either, FutureExt, select};
use smol::Timer;

use crate::random::Random;

const ACCOUNTS: usize = 8;
const MONEY: i64 = 1000;
const PERMITS: usize = 5;
const SEATS: usize = 2;
const CAPACITY: usize = 4;

#[derive(Debug)]
pub(crate) struct World {
    lock: Lock,
    inside: AtomicIsize,
    line: Line,

    shared: RwLock<[u64; 4]>,
    shared_line: Line,

    accounts: [Mutex<i64>; ACCOUNTS],

    semaphore: Semaphore,
    permits_out: AtomicUsize,
    seats: BoundedSemaphore,

    buffer: Mutex<VecDeque<u64>>,
    not_empty: Condition,
    not_full: Condition,
    put: AtomicU64,
    taken: AtomicU64,

    door: Event,
    barrier: Barrier,
    passed: [AtomicU64; 2],

    savings: Mutex<u64>,
    saved: AtomicU64,
    spent: AtomicU64,

    /// As the savings, in a sync lock.
    coins: sync::Mutex<u64>,
    coined: AtomicU64,
    paid: AtomicU64,

    done: AtomicU64,
    given_up: AtomicU64,
}

/// Who came last of those who are inside, of those who exclude each other and of
/// those who share: whoever stood in line before must be inside already.
#[derive(Debug, Default)]
struct Line {
    clock: AtomicU64,
    exclusive: AtomicU64,
    shared: AtomicU64,
}

/// When somebody came, and when it stood in line.
#[derive(Default)]
struct Stamp {
    came: u64,
    stood: u64,
}

impl Line {
    fn now(&self) -> u64 {
        1 + self.clock.fetch_add(1, Ordering::SeqCst)
    }

    /// Called by whoever is inside.
    fn entered(&self, stamp: &Stamp, is_shared: bool) {
        let exclusive = self.exclusive.load(Ordering::SeqCst);
        let shared = self.shared.load(Ordering::SeqCst);
        assert!(exclusive <= stamp.stood, "passed by one that came later");
        assert!(is_shared || shared <= stamp.stood, "passed by a reader");
        let line = if is_shared {
            &self.shared
        } else {
            &self.exclusive
        };
        line.fetch_max(stamp.came, Ordering::SeqCst);
    }

    /// Stamps a future.
    async fn stamped<F: Future>(&self, future: F) -> (Stamp, F::Output) {
        let mut stamp = Stamp {
            came: self.now(),
            ..Stamp::default()
        };
        let mut future = pin!(future);
        let output = std::future::poll_fn(|cx| {
            let polled = future.as_mut().poll(cx);
            if stamp.stood == 0 {
                stamp.stood = self.now();
            }
            polled
        })
        .await;
        (stamp, output)
    }
}

impl World {
    pub(crate) fn new() -> Self {
        World {
            lock: Lock::new(),
            inside: AtomicIsize::new(0),
            line: Line::default(),
            shared: RwLock::default(),
            shared_line: Line::default(),
            accounts: std::array::from_fn(|_| Mutex::new(MONEY)),
            semaphore: Semaphore::new(PERMITS),
            permits_out: AtomicUsize::new(0),
            seats: BoundedSemaphore::new(SEATS),
            buffer: Mutex::default(),
            not_empty: Condition::new(),
            not_full: Condition::new(),
            put: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            door: Event::new(),
            barrier: Barrier::new(2),
            passed: Default::default(),
            savings: Mutex::default(),
            saved: AtomicU64::new(0),
            spent: AtomicU64::new(0),
            coins: sync::Mutex::default(),
            coined: AtomicU64::new(0),
            paid: AtomicU64::new(0),
            done: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
        }
    }

    /// One random step, which may be given up. Where nobody might come to let it
    /// go on, it is given up in the end.
    pub(crate) async fn step(&self, random: &mut Random) {
        let patience = Duration::from_micros(random.below(2_000) as u64);
        let may_wait = random.one_in(4);
        let (what, number) = (random.below(26), random.below(1 << 16));
        let done = match what {
            0..4 if may_wait => within(patience, self.exclude()).await,
            0..4 => self.exclude().map(Some).await,
            4..7 if may_wait => within(patience, self.read()).await,
            4..7 => self.read().map(Some).await,
            7 | 8 if may_wait => within(patience, self.write(number)).await,
            7 | 8 => self.write(number).map(Some).await,
            9 => within(patience, self.upgrade()).await,
            10..13 if may_wait => within(patience, self.transfer(number)).await,
            10..13 => self.transfer(number).map(Some).await,
            13 | 14 if may_wait => within(patience, self.permits(number)).await,
            13 | 14 => self.permits(number).map(Some).await,
            15 => within(patience, self.sit(number)).await,
            16 => within(patience, self.produce()).await,
            17 => within(patience, self.consume()).await,
            18 => within(patience, self.door.wait()).await,
            19 => {
                self.door.set();
                self.door.clear();
                Some(())
            }
            20 => within(patience, self.meet()).await,
            21 => {
                let mut savings = self.savings.lock().await;
                *savings += 2;
                self.saved.fetch_add(2, Ordering::Relaxed);
                Some(())
            }
            22 => within(patience, self.spend(1 + number as u64 % 3)).await,
            23 => {
                *self.coins.lock() += 2;
                self.coined.fetch_add(2, Ordering::Relaxed);
                Some(())
            }
            24 => within(patience, self.pay(1 + number as u64 % 3)).await,
            _ => {
                futures::future::ready(()).await;
                Some(())
            }
        };
        let count = if done.is_some() {
            &self.done
        } else {
            &self.given_up
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    async fn exclude(&self) {
        let (stamp, _guard) = self.line.stamped(self.lock.acquire()).await;
        assert_eq!(
            self.inside.swap(-1, Ordering::SeqCst),
            0,
            "somebody is inside"
        );
        self.line.entered(&stamp, false);
        assert_eq!(
            self.inside.swap(0, Ordering::SeqCst),
            -1,
            "somebody came in"
        );
    }

    async fn read(&self) {
        let (stamp, guard) = self.shared_line.stamped(self.shared.read()).await;
        self.shared_line.entered(&stamp, true);
        assert!(guard.iter().all(|value| *value == guard[0]), "half written");
    }

    async fn write(&self, number: usize) {
        let (stamp, mut guard) = self.shared_line.stamped(self.shared.write()).await;
        self.shared_line.entered(&stamp, false);
        guard.iter_mut().for_each(|value| *value += 1);
        if number % 2 == 0 {
            let before = guard[0];
            let guard = RwLockWriteGuard::downgrade(guard);
            yield_now().await;
            assert_eq!(guard[3], before, "written while we read");
        }
    }

    async fn upgrade(&self) {
        let guard = self.shared.upgradable_read().await;
        let before = guard[0];
        yield_now().await;
        let mut guard = RwLockUpgradableReadGuard::upgrade(guard).await;
        assert_eq!(guard[3], before, "written before the upgrade");
        guard.iter_mut().for_each(|value| *value += 1);
    }

    async fn transfer(&self, number: usize) {
        let (one, two) = (number % ACCOUNTS, number / ACCOUNTS % ACCOUNTS);
        if one == two {
            return;
        }
        let mut low = self.accounts[one.min(two)].lock().await;
        let mut high = self.accounts[one.max(two)].lock().await;
        *low -= 1;
        *high += 1;
    }

    async fn permits(&self, number: usize) {
        let wanted = number % (PERMITS + 1);
        let permit = self.semaphore.acquire_many(wanted).await;
        let out = self.permits_out.fetch_add(wanted, Ordering::SeqCst) + wanted;
        assert!(out <= PERMITS, "more permits are out than there are");
        if number % 3 == 0 {
            permit.forget();
            self.permits_out.fetch_sub(wanted, Ordering::SeqCst);
            self.semaphore.add_permits(wanted);
        } else {
            self.permits_out.fetch_sub(wanted, Ordering::SeqCst);
        }
    }

    async fn sit(&self, number: usize) {
        let seat = self.seats.acquire().await;
        if number % 2 == 0 {
            seat.forget();
            self.seats.release(1).expect("one was forgotten");
        }
        assert!(self.seats.available_permits() <= SEATS);
    }

    async fn produce(&self) {
        let buffer = self.buffer.lock().await;
        let has_room = |buffer: &VecDeque<_>| buffer.len() < CAPACITY;
        let mut buffer = self.not_full.wait_for(buffer, has_room).await;
        buffer.push_back(self.put.fetch_add(1, Ordering::Relaxed));
        self.not_empty.notify_one(&buffer);
    }

    async fn consume(&self) {
        let buffer = self.buffer.lock().await;
        let has_items = |buffer: &VecDeque<_>| !buffer.is_empty();
        let mut buffer = self.not_empty.wait_for(buffer, has_items).await;
        let item = buffer.pop_front();
        let expected = self.taken.fetch_add(1, Ordering::Relaxed);
        assert_eq!(item, Some(expected), "out of order");
        self.not_full.notify_one(&buffer);
    }

    async fn meet(&self) {
        let passed = self.barrier.wait().await.expect("nobody breaks it");
        self.passed[passed.index()].fetch_add(1, Ordering::Relaxed);
    }

    async fn spend(&self, amount: u64) {
        // SAFETY: the guard is of the mutex, and holds nothing but it.
        let enough = unsafe {
            when(
                self.savings.waiter(),
                || self.savings.granted_guard(),
                |savings: &mut MutexGuard<'_, u64>| **savings >= amount,
            )
        };
        *enough.await -= amount;
        self.spent.fetch_add(amount, Ordering::Relaxed);
    }

    async fn pay(&self, amount: u64) {
        // SAFETY: turns and guards are those of the mutex.
        let enough = unsafe {
            let guards = TurnGuards::new(
                &self.coins,
                <sync::Mutex<u64> as ConditionalSyncLock>::acquire_with_turn,
                <sync::Mutex<u64> as ConditionalSyncLock>::release_without_turn,
            );
            sync_when(
                ConditionalSyncLock::turns(&self.coins),
                guards,
                |coins: &mut sync::MutexGuard<'_, u64>| **coins >= amount,
            )
        };
        *enough.await -= amount;
        self.paid.fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn summary(&self) -> String {
        format!("{:?} steps done, {:?} given up", self.done, self.given_up)
    }

    /// Once all tasks have ended.
    pub(crate) fn check(&self) {
        assert!(self.lock.try_acquire().is_some());
        assert!(self.shared.try_write().is_some());
        let accounts = self.accounts.iter();
        let money: i64 = accounts.map(|one| *one.try_lock().expect("free")).sum();
        assert_eq!(money, MONEY * ACCOUNTS as i64, "money");
        assert_eq!(self.semaphore.available_permits(), PERMITS, "permits");
        assert_eq!(self.seats.available_permits(), SEATS, "seats");
        assert!(self.seats.release(1).is_err());

        let buffer = self.buffer.try_lock().expect("free");
        let [put, taken] = [&self.put, &self.taken].map(|n| n.load(Ordering::Relaxed));
        assert_eq!(put, taken + buffer.len() as u64, "items");

        assert_eq!(self.barrier.n_waiting(), 0);
        // The last one of a generation passes at once, and so is always counted.
        let [first, last] = self.passed.each_ref().map(|n| n.load(Ordering::Relaxed));
        assert!(first <= last, "passed: {first}, {last}");

        let savings = *self.savings.try_lock().expect("free");
        let [saved, spent] = [&self.saved, &self.spent].map(|n| n.load(Ordering::Relaxed));
        assert_eq!(savings, saved - spent, "savings");

        let coins = *self.coins.try_lock().expect("free");
        let [coined, paid] = [&self.coined, &self.paid].map(|n| n.load(Ordering::Relaxed));
        assert_eq!(coins, coined - paid, "coins");

        let primitives: [&dyn Debug; 7] = [
            &self.lock,
            &self.shared,
            &self.semaphore,
            &self.seats,
            &self.door,
            &self.not_empty,
            &self.not_full,
        ];
        for primitive in primitives {
            let text = format!("{primitive:?}");
            assert!(text.contains("waiters: 0"), "{text}");
        }
    }
}

/// Waits for a future, but no longer than this.
async fn within<F: Future>(patience: Duration, future: F) -> Option<F::Output> {
    match select(pin!(future), Timer::after(patience)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

/// Lets others run, once.
async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
