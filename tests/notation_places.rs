//! What a section borrows, and what it may acquire in a method with `&mut self`.

use std::sync::Arc;

use async_monitor::{AsyncLock, Guarded, Lock, Mutex, RwLock, sync, synchronized, with_lock};
use futures::executor::block_on;

#[derive(Default)]
struct Upload {
    parts: Vec<u32>,
    storage: Arc<RwLock<Vec<u32>>>,
    own: Mutex<Vec<u32>>,
    nested: Nested,
}

#[derive(Default)]
struct Nested {
    parts: Vec<u32>,
    log: Mutex<Vec<u32>>,
}

impl Upload {
    #[synchronized(storage)]
    async fn complete(&mut self) -> usize {
        storage.append(&mut self.parts);
        storage.len()
    }

    #[synchronized(self.own)]
    #[expect(clippy::needless_arbitrary_self_type)]
    async fn complete_own(self: &mut Self) -> usize {
        own.append(&mut self.parts);
        own.len()
    }

    #[synchronized(read(storage), own)]
    async fn copy(&mut self) -> usize {
        self.parts.extend_from_slice(storage);
        own.append(&mut self.parts);
        own.len()
    }

    async fn block(&mut self) -> usize {
        with_lock!(self.storage, { storage.append(&mut self.parts) });
        with_lock!(self.nested.log, {
            log.append(&mut self.nested.parts);
            self.parts.push(1);
            log.len()
        })
    }
}

#[test]
fn a_lock_of_no_derive_borrows_its_own_field() {
    let mut upload = Upload {
        parts: vec![1, 2],
        ..Upload::default()
    };
    block_on(async {
        assert_eq!(upload.complete().await, 2);
        upload.parts.push(3);
        assert_eq!(upload.complete_own().await, 1);
        assert_eq!(upload.copy().await, 3);
        upload.parts.push(4);
        upload.nested.parts.push(5);
        assert_eq!(upload.block().await, 1);
        assert_eq!(upload.parts, [1]);
        assert_eq!(*upload.own.lock().await, [3, 1, 2]);
        assert_eq!(*upload.storage.read().await, [1, 2, 4]);
    });
}

#[derive(Default)]
struct Copies {
    parts: Vec<u32>,
    own: Mutex<Vec<u32>>,
    short: sync::Mutex<Vec<u32>>,
    shared: Arc<RwLock<Vec<u32>>>,
    nested: Nested,
}

impl Copies {
    async fn each(&mut self) -> u32 {
        for part in &mut self.parts {
            with_lock!(self.own, { own.push(*part) });
            with_lock!(self.short, { short.push(*part) });
            with_lock!(self.shared, self.own, {
                shared.extend_from_slice(own);
                *part += 1;
            });
        }
        let mut sum = 0;
        for part in self.parts.iter_mut() {
            with_lock!(read(self.shared), { *part += shared.len() as u32 });
            with_lock!(read(self.own), when = !own.is_empty(), { sum += *part });
        }
        let part = &mut self.nested.parts;
        with_lock!(self.nested.log, atomic, {
            log.push(sum);
            part.append(log);
        });
        part.push(sum);
        sum
    }

    fn each_blocking(&mut self) {
        let first = &mut self.parts[0];
        with_lock!(self.short, self.own, blocking, {
            short.push(*first);
            own.push(*first);
        });
        *first = 0;
    }

    /// The other fields may be gone.
    async fn rest(self) -> Vec<u32> {
        let parts = self.parts;
        with_lock!(self.own, { own.clone() })
            .into_iter()
            .chain(parts)
            .collect()
    }
}

#[test]
fn other_fields_may_be_borrowed_or_moved() {
    let mut copies = Copies {
        parts: vec![1, 2],
        ..Copies::default()
    };
    block_on(async {
        // `own` and `shared`: [1], [1]; then [1, 2], [1, 1, 2].
        assert_eq!(copies.each().await, (2 + 3) + (3 + 3));
        assert_eq!(copies.nested.parts, [11, 11]);
        copies.each_blocking();
        assert_eq!(*copies.short.lock(), [1, 2, 5]);
        assert_eq!(copies.rest().await, [1, 2, 5, 0, 6]);
    });
}

#[derive(Guarded, Default)]
struct Account {
    id: u64,
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    notes: Arc<Mutex<Vec<u64>>>,
}

async fn pay(account: &mut Account) -> i64 {
    with_lock!(account.ledger, {
        *ledger.balance += i64::try_from(account.id).unwrap_or(0);
        *ledger.balance
    })
}

async fn note_each(account: &mut Account, ids: &mut [u64]) {
    let id = &mut account.id;
    for other in ids {
        *id += 1;
        with_lock!(account.notes, {
            notes.push(*id);
            *other = notes.len() as u64;
        });
    }
}

async fn note(account: &mut Account) -> usize {
    with_lock!(account.notes, {
        account.id += 1;
        notes.push(account.id);
        notes.len()
    })
}

#[test]
fn a_lock_of_a_derive_is_found_through_a_path_that_is_written_twice() {
    let mut account = Account {
        id: 4,
        ..Account::default()
    };
    assert_eq!(block_on(pay(&mut account)), 4);
    assert_eq!(block_on(note(&mut account)), 1);
    let mut ids = [0, 0];
    block_on(note_each(&mut account, &mut ids));
    assert_eq!((account.id, ids), (7, [2, 3]));
    let boxed = Box::new(Arc::new(account));
    let paid = block_on(async { with_lock!(boxed.ledger, { *ledger.balance }) });
    assert_eq!(paid, 4);
}

#[derive(Guarded)]
struct Shared<'l> {
    #[lock]
    ledger: Arc<Lock>,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[lock]
    log: &'l Lock,
    #[guarded_by(log)]
    lines: Guarded<Vec<i64>>,
}

impl Shared<'_> {
    /// Others may hold the lock that the pointer leads to.
    #[synchronized(ledger)]
    async fn deposit(&mut self, amount: i64) -> i64 {
        *ledger.balance += amount;
        *ledger.balance
    }

    #[synchronized(read(log))]
    async fn lines(&mut self) -> usize {
        log.lines.len()
    }
}

#[test]
fn a_method_with_a_mutable_receiver_waits_for_a_lock_behind_a_pointer() {
    let (ledger, log) = (Arc::new(Lock::new()), Lock::new());
    let mut shared = Shared {
        ledger: Arc::clone(&ledger),
        balance: Guarded::new(1),
        log: &log,
        lines: Guarded::new(Vec::new()),
    };
    let held = block_on(AsyncLock::acquire(&ledger));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    {
        let mut deposit = std::pin::pin!(shared.deposit(2));
        assert!(deposit.as_mut().poll(&mut context).is_pending());
        drop(held);
        assert_eq!(block_on(deposit), 3);
    }
    assert_eq!(block_on(shared.lines()), 0);
}

/// The object has a lock of the same name as what it leads to, or leads to one.
struct Handle(Arc<Account>);

impl std::ops::Deref for Handle {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.0
    }
}

impl Handle {
    #[synchronized(ledger)]
    async fn deposit(&mut self, amount: i64) -> i64 {
        *ledger.balance += amount;
        *ledger.balance
    }
}

#[test]
fn the_lock_of_another_object_is_not_refused() {
    let mut handle = Handle(Arc::new(Account::default()));
    assert_eq!(block_on(handle.deposit(3)), 3);
}

trait Store {
    async fn put(&mut self, part: u32);
}

impl Store for Upload {
    #[synchronized(storage)]
    async fn put(&mut self, part: u32) {
        self.parts.push(part);
        storage.append(&mut self.parts);
    }
}

#[async_trait::async_trait]
trait BoxedStore {
    async fn put_boxed(&mut self, part: u32);
}

#[async_trait::async_trait]
impl BoxedStore for Upload {
    #[synchronized(storage)]
    async fn put_boxed(&mut self, part: u32) {
        self.parts.push(part);
        storage.append(&mut self.parts);
    }
}

#[test]
fn a_trait_may_fix_the_receiver() {
    let mut upload = Upload::default();
    block_on(async {
        upload.put(1).await;
        upload.put_boxed(2).await;
        assert_eq!(*upload.storage.read().await, [1, 2]);
    });
}
