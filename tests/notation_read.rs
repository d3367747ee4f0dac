//! Read sections of exclusive locks: `read(lock)` over a lock that is
//! not a reader-writer lock.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_monitor::{
    AsyncLock, Condition, Elapsed, Guarded, Lock, LockGuard, LockId, Mutex, RwLock, Semaphore,
    local, monitor, synchronized, with_lock,
};
use futures::FutureExt;

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[guarded_by(ledger)]
    history: Guarded<Vec<i64>>,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<i64>,
    #[lock]
    data: Arc<Mutex<String>>,
    notes: Mutex<Vec<i64>>,
    shared: Arc<Mutex<i64>>,
    boxed: Box<Mutex<i64>>,
    bare: Lock,
    changed: Condition,
    looks: AtomicUsize,
}

fn total(ledger: &AccountLedgerHeld<'_>) -> i64 {
    *ledger.balance + ledger.history.iter().sum::<i64>()
}

impl Account {
    #[synchronized(ledger)]
    async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
        ledger.history.push(amount);
    }

    #[synchronized(read(ledger))]
    async fn total(&self) -> i64 {
        let view: &AccountLedgerHeld<'_> = ledger;
        total(view)
    }

    #[synchronized(l = read(self.ledger), no_await)]
    async fn named(&self) -> i64 {
        total(l)
    }

    #[synchronized(read(data))]
    async fn length(&self) -> usize {
        let view: &AccountDataHeld<'_> = data;
        view.value.len()
    }

    #[synchronized(read(notes), read(shared), read(boxed), b = read(bare))]
    async fn plain(&self) -> i64 {
        let notes: &Vec<i64> = notes;
        let (shared, boxed): (&i64, &i64) = (shared, boxed);
        let _: &LockGuard<'_> = b;
        notes.iter().sum::<i64>() + shared + boxed
    }

    #[synchronized(notes, read(ledger), read(cfg))]
    async fn note_total(&self) -> usize {
        notes.push(*ledger.balance + *cfg.limit);
        notes.len()
    }

    #[synchronized(notes, read(ledger), atomic)]
    async fn note_or_not(&self) -> Result<(), i64> {
        notes.push(*ledger.balance);
        Err(*ledger.balance)
    }

    #[synchronized(read(ledger), timeout = Duration::ZERO)]
    async fn at_once(&self) -> Result<i64, Elapsed> {
        Ok(*ledger.balance)
    }

    #[synchronized(read(ledger), when = *ledger.balance >= amount)]
    async fn wait_to_read(&self, amount: i64) -> i64 {
        std::future::ready(()).await;
        *ledger.balance
    }

    #[synchronized(
        n = read(notes),
        when = n.len() > count,
        timeout = Duration::from_secs(60)
    )]
    async fn wait_for_notes(&self, count: usize) -> Result<usize, Elapsed> {
        Ok(n.len())
    }

    /// Counts how often its condition is evaluated.
    #[synchronized(ledger, when = self.looked(*ledger.balance >= amount))]
    async fn withdraw(&self, amount: i64) -> i64 {
        *ledger.balance -= amount;
        *ledger.balance
    }

    /// The same, for a lock that no derive knows.
    #[synchronized(n = notes, when = self.looked(!n.is_empty()))]
    async fn take_note(&self) -> Option<i64> {
        n.pop()
    }

    #[synchronized(read(ledger))]
    async fn tell(&self) {
        self.changed.notify_all(ledger);
    }

    #[synchronized(read(ledger))]
    async fn fails(&self) {
        assert!(*ledger.balance > 1_000, "no such balance");
    }

    fn looked(&self, condition: bool) -> bool {
        self.looks.fetch_add(1, Ordering::Relaxed);
        condition
    }

    fn looks(&self) -> usize {
        self.looks.load(Ordering::Relaxed)
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Of what has nothing to wait for.
fn now<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it has to wait"),
    }
}

/// Yields once.
async fn turn() {
    let mut is_first = true;
    std::future::poll_fn(|_| {
        if std::mem::take(&mut is_first) {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}

#[test]
fn sections_read_what_the_lock_guards() {
    let account = Account::default();
    now(async {
        account.deposit(3).await;
        assert_eq!(account.total().await, 6);
        assert_eq!(account.named().await, 6);
        account.acquire_data().await.fields().value.push_str("four");
        assert_eq!(account.length().await, 4);
        *account.shared.lock().await = 20;
        *account.boxed.lock().await = 300;
        assert_eq!(account.note_total().await, 1);
        assert_eq!(account.plain().await, 323);
        assert_eq!(account.note_or_not().await, Err(3));
        assert_eq!(account.plain().await, 323);
        assert_eq!(account.at_once().await, Ok(3));
        assert_eq!(account.wait_to_read(3).await, 3);
        assert_eq!(account.wait_for_notes(0).await, Ok(1));
    });
}

#[test]
fn blocks_read_what_the_lock_guards() {
    let account = Arc::new(Account::default());
    let other = Account::default();
    now(async {
        account.deposit(1).await;
        other.deposit(2).await;
        let sum = with_lock!(read(account.ledger), o = read(other.ledger), {
            total(ledger) + total(o)
        });
        assert_eq!(sum, 6);
        let mutex = &&account.notes;
        let is_empty = with_lock!(read(mutex), no_await, { mutex.is_empty() });
        assert!(is_empty);
        let balance = with_lock!(
            read(account.ledger),
            when = *ledger.balance > 0,
            timeout = Duration::ZERO,
            { *ledger.balance }
        );
        assert_eq!(balance, Ok(1));
        // A base that derefs to the struct.
        let base = Box::new(Account::default());
        let balance = with_lock!(read(base.ledger), { *ledger.balance });
        assert_eq!(balance, 0);
    });
}

#[test]
fn read_sections_exclude_each_other_and_those_that_write() {
    let account = Account::default();
    let reading = || async {
        with_lock!(read(account.ledger), {
            turn().await;
            *ledger.balance
        })
    };
    let mut first = pin!(reading());
    let mut second = pin!(reading());
    assert!(poll(first.as_mut()).is_pending());
    assert!(account.ledger.is_locked());
    assert!(account.try_acquire_ledger().is_none());
    assert!(poll(second.as_mut()).is_pending());
    let mut third = pin!(account.deposit(1));
    assert!(poll(third.as_mut()).is_pending());

    assert_eq!(poll(first), Poll::Ready(0));
    assert!(poll(third.as_mut()).is_pending());
    assert!(poll(second.as_mut()).is_pending());
    assert!(poll(third.as_mut()).is_pending());
    assert_eq!(poll(second), Poll::Ready(0));
    assert_eq!(poll(third), Poll::Ready(()));
    assert_eq!(now(account.total()), 2);

    let mut mutex = pin!(async {
        with_lock!(n = read(account.notes), {
            turn().await;
            n.len()
        })
    });
    assert!(poll(mutex.as_mut()).is_pending());
    assert!(account.notes.try_lock().is_none());
    assert!(poll(mutex).is_ready());
    assert!(account.notes.try_lock().is_some());
}

#[test]
fn a_read_section_makes_nobody_evaluate_a_condition() {
    let account = Account::default();
    let mut withdrawal = pin!(account.withdraw(5));
    assert!(poll(withdrawal.as_mut()).is_pending());
    assert_eq!(account.looks(), 1);

    now(async {
        account.total().await;
        account.note_total().await;
        assert!(account.at_once().await.is_ok());
        with_lock!(read(account.ledger), { assert_eq!(*ledger.balance, 0) });
        account.wait_to_read(0).await;
    });
    // A panic, and a cancel.
    assert!(now(AssertUnwindSafe(account.fails()).catch_unwind()).is_err());
    {
        let mut cancelled = pin!(async {
            with_lock!(read(account.ledger), {
                turn().await;
                *ledger.balance
            })
        });
        assert!(poll(cancelled.as_mut()).is_pending());
        assert!(account.ledger.is_locked());
    }
    assert!(!account.ledger.is_locked());
    assert!(poll(withdrawal.as_mut()).is_pending());
    assert_eq!(account.looks(), 1);

    now(account.deposit(4));
    assert!(poll(withdrawal.as_mut()).is_pending());
    assert_eq!(account.looks(), 2);
    now(account.deposit(4));
    assert_eq!(poll(withdrawal), Poll::Ready(3));
    assert_eq!(account.looks(), 3);
}

#[test]
fn a_read_section_of_a_plain_lock_makes_nobody_evaluate_a_condition() {
    let account = Account::default();
    let mut note = pin!(account.take_note());
    assert!(poll(note.as_mut()).is_pending());
    now(async {
        account.plain().await;
        with_lock!(n = read(account.notes), { assert!(n.is_empty()) });
        // By whatever handle.
        let handle = &Box::new(&account.notes);
        with_lock!(n = read(handle), { assert!(n.is_empty()) });
    });
    assert!(poll(note.as_mut()).is_pending());
    assert_eq!(account.looks(), 1);
    now(async { account.notes.lock().await.push(7) });
    assert_eq!(poll(note), Poll::Ready(Some(7)));
    assert_eq!(account.looks(), 2);
}

#[test]
fn a_queued_task_is_granted_the_lock_after_a_read_section() {
    let account = Account::default();
    let mut withdrawal = pin!(account.withdraw(5));
    assert!(poll(withdrawal.as_mut()).is_pending());
    let mut reading = pin!(async {
        with_lock!(read(account.ledger), {
            turn().await;
            *ledger.balance
        })
    });
    assert!(poll(reading.as_mut()).is_pending());
    let mut deposit = pin!(account.deposit(5));
    assert!(poll(deposit.as_mut()).is_pending());
    assert!(poll(reading).is_ready());
    assert!(poll(withdrawal.as_mut()).is_pending());
    assert_eq!(account.looks(), 1);
    assert!(poll(deposit).is_ready());
    assert_eq!(poll(withdrawal), Poll::Ready(0));
    assert_eq!(account.looks(), 2);
}

#[test]
fn a_read_section_waits_for_its_condition() {
    let account = Account::default();
    let mut reading = pin!(account.wait_to_read(5));
    let mut notes = pin!(account.wait_for_notes(0));
    assert!(poll(reading.as_mut()).is_pending());
    assert!(!account.ledger.is_locked());
    now(account.deposit(3));
    assert!(poll(reading.as_mut()).is_pending());
    now(account.deposit(3));
    assert_eq!(poll(reading), Poll::Ready(6));
    assert!(poll(notes.as_mut()).is_pending());
    now(account.note_total());
    assert_eq!(poll(notes), Poll::Ready(Ok(1)));
}

#[test]
fn a_view_that_reads_is_proof_for_a_condition() {
    let account = Account::default();
    let mut waiting = pin!(async {
        let guard = account.acquire_ledger().await;
        drop(account.changed.wait(guard).await);
    });
    assert!(poll(waiting.as_mut()).is_pending());
    now(account.tell());
    assert!(poll(waiting).is_ready());
}

/// A lock of somebody else, whose acquisition may fail.
#[derive(Default)]
struct Remote {
    is_reachable: Cell<bool>,
    local: Mutex<i64>,
}

struct RemoteGuard<'a>(async_monitor::MutexGuard<'a, i64>);

impl std::ops::Deref for RemoteGuard<'_> {
    type Target = i64;

    fn deref(&self) -> &i64 {
        &self.0
    }
}

impl std::ops::DerefMut for RemoteGuard<'_> {
    fn deref_mut(&mut self) -> &mut i64 {
        &mut self.0
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Unreachable;

impl AsyncLock for Remote {
    type Guard<'a> = RemoteGuard<'a>;
    type Error = Unreachable;

    async fn acquire(&self) -> Result<RemoteGuard<'_>, Unreachable> {
        if !self.is_reachable.get() {
            return Err(Unreachable);
        }
        Ok(RemoteGuard(self.local.lock().await))
    }

    fn try_acquire(&self) -> Option<RemoteGuard<'_>> {
        self.local.try_lock().map(RemoteGuard)
    }

    fn id(&self) -> LockId {
        self.local.id()
    }
}

#[synchronized(read(remote)?)]
async fn read_remote(remote: &Remote) -> Result<i64, Unreachable> {
    let value: &i64 = remote;
    Ok(*value)
}

#[test]
fn locks_of_others_are_read() {
    let remote = Remote::default();
    assert_eq!(now(read_remote(&remote)), Err(Unreachable));
    remote.is_reachable.set(true);
    assert_eq!(now(read_remote(&remote)), Ok(0));
    assert!(!remote.local.is_locked());

    // Nothing but the drop of its guard is known of such a lock, and that counts as a change.
    let looks = Cell::new(0);
    let mut inside = pin!(async {
        with_lock!(
            l = remote.local,
            when = looks.replace(looks.get() + 1) > 0,
            {
                *l += 1;
            }
        );
    });
    assert!(poll(inside.as_mut()).is_pending());
    assert_eq!(now(read_remote(&remote)), Ok(0));
    assert!(poll(inside).is_ready());
}

/// Whatever the lock is, of which nothing more is said.
async fn read_any<L: AsyncLock<Error = Infallible>>(lock: &L) {
    with_lock!(l = read(lock), {
        let _: &L::Guard<'_> = l;
        assert!(lock.try_acquire().is_none());
    });
}

#[test]
fn a_lock_of_an_unknown_type_is_taken_for_itself_alone() {
    let cell = RwLock::new(Cell::new(0));
    let looks = Cell::new(0);
    let mut waiting = pin!(async {
        with_lock!(
            c = write(cell),
            when = looks.replace(looks.get() + 1) > 3,
            { c.get() }
        );
    });
    assert!(poll(waiting.as_mut()).is_pending());
    now(async {
        read_any(&Lock::new()).await;
        read_any(&Mutex::new(1)).await;
        read_any(&Semaphore::new(1)).await;
        read_any(&cell).await;
    });
    assert!(poll(waiting.as_mut()).is_pending());
    assert_eq!(looks.get(), 1);
}

#[derive(Guarded, Default)]
struct OfOneThread {
    state: local::Lock,
    #[guarded_by(state)]
    items: Guarded<Vec<Rc<str>>>,
    plain: Rc<local::Mutex<i64>>,
    looks: Cell<usize>,
}

#[monitor]
impl OfOneThread {
    #[synchronized(state, when = { self.looks.set(self.looks.get() + 1); !state.items.is_empty() })]
    async fn pop(&self) -> Option<Rc<str>> {
        state.items.pop()
    }

    #[synchronized(read(state), read(plain))]
    async fn both(&self) -> i64 {
        let plain: &i64 = plain;
        *plain + i64::try_from(state.len().await).unwrap_or(0)
    }

    #[synchronized(read(state))]
    async fn len(&self) -> usize {
        state.items.len()
    }

    #[synchronized(state)]
    async fn push(&self, item: &str) -> usize {
        state.items.push(item.into());
        state.len().await
    }
}

#[test]
fn locks_of_one_thread_are_read() {
    let object = OfOneThread::default();
    let mut pop = pin!(object.pop());
    assert!(poll(pop.as_mut()).is_pending());
    now(async {
        assert_eq!(object.len().await, 0);
        assert_eq!(object.both().await, 0);
    });
    assert!(poll(pop.as_mut()).is_pending());
    assert_eq!(object.looks.get(), 1);
    assert_eq!(now(object.push("x")), 1);
    assert_eq!(poll(pop), Poll::Ready(Some("x".into())));
}

#[derive(Guarded, Default)]
struct Store<T: Default + Clone> {
    state: Lock,
    #[guarded_by(state)]
    items: Guarded<Vec<T>>,
    #[lock]
    name: Mutex<String>,
}

#[monitor]
impl<T: Default + Clone> Store<T> {
    #[synchronized(state)]
    async fn push(&self, item: T) -> usize {
        state.items.push(item);
        state.len().await
    }

    #[synchronized(read(state))]
    async fn len(&self) -> usize {
        state.items.len()
    }

    /// Suspends, and calls another method that reads.
    #[synchronized(s = read(state))]
    async fn last<U: From<T>>(&self) -> Option<U> {
        turn().await;
        let len = s.len().await;
        s.items.get(len.checked_sub(1)?).cloned().map(U::from)
    }

    #[synchronized(read(state), timeout = Duration::ZERO)]
    async fn is_empty(&self) -> Result<bool, Elapsed> {
        Ok(state.len().await == 0)
    }

    #[synchronized(read(name))]
    async fn name(&self) -> String {
        name.value.clone()
    }

    /// Borrows from the object what is not guarded.
    #[synchronized(name)]
    async fn rename(&self, to: &str) -> String {
        to.clone_into(name.value);
        name.name().await
    }

    /// What may be read is what nobody else changes meanwhile.
    async fn twice(&self) -> (usize, usize) {
        with_lock!(read(self.state), {
            let before = state.len().await;
            turn().await;
            (before, state.len().await)
        })
    }
}

#[test]
fn methods_that_read_are_methods_of_the_view() {
    let store = Store::default();
    now(async {
        assert_eq!(store.is_empty().await, Ok(true));
        assert_eq!(store.push(3_u8).await, 1);
        assert_eq!(store.len().await, 1);
        assert_eq!(store.rename("x").await, "x");
        assert_eq!(store.name().await, "x");
        assert!(store.acquire_state().await.fields().is_empty().await == Ok(false));
    });
    let mut last = pin!(store.last::<u32>());
    assert!(poll(last.as_mut()).is_pending());
    let mut push = pin!(store.push(4));
    assert!(poll(push.as_mut()).is_pending());
    assert_eq!(poll(last), Poll::Ready(Some(3)));
    assert_eq!(poll(push), Poll::Ready(2));
    let mut twice = pin!(store.twice());
    assert!(poll(twice.as_mut()).is_pending());
    assert_eq!(poll(twice), Poll::Ready((2, 2)));
}
