//! The options of `#[derive(Guarded)]`: constructor, `Debug`, snapshots; and owned guards.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use async_monitor::{Guarded, Lock, Mutex, RwLock, sync, synchronized};
use futures::executor::block_on;

/// Everything at once.
#[derive(Guarded)]
#[guarded(new, debug)]
#[guarded(snapshot(Debug, Clone, PartialEq))]
pub struct Store<K, V, const N: usize = 3>
where
    K: Eq + std::hash::Hash,
{
    name: String,
    ledger: Lock,
    #[guarded_by(ledger)]
    pub entries: Guarded<HashMap<K, V>>,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    short: sync::Lock,
    #[guarded_by(short)]
    count: Guarded<usize>,
    #[lock(rw)]
    config: RwLock<()>,
    #[guarded_by(config)]
    limits: Guarded<[u8; N]>,
    #[lock]
    log: Mutex<Vec<V>>,
    #[lock]
    shared: Arc<sync::Mutex<u8>>,
}

fn store() -> Store<&'static str, u8, 2> {
    let entries = HashMap::from([("a", 1)]);
    let shared = Arc::new(sync::Mutex::new(7));
    Store::new("store".to_owned(), entries, -5, 3, [1, 2], vec![9], shared)
}

#[test]
fn new_takes_the_values_in_their_order() {
    let mut store = store();
    assert_eq!(store.name, "store");
    assert_eq!(*store.ledger_mut().balance, -5);
    assert_eq!(*store.short_mut().count, 3);
    assert_eq!(*store.config_mut().limits, [1, 2]);
    assert_eq!(*store.log_mut().value, [9]);
    assert!(store.try_acquire_ledger().is_some());
}

#[test]
fn debug_shows_what_is_guarded() {
    let store = store();
    assert_eq!(
        format!("{store:?}"),
        "Store { name: \"store\", entries: {\"a\": 1}, balance: -5, count: 3, limits: [1, 2], \
         log: [9], shared: 7 }"
    );
    let _ledger = block_on(store.acquire_ledger());
    let _config = block_on(store.read_config());
    let _shared = store.acquire_shared();
    assert_eq!(
        format!("{store:?}"),
        "Store { name: \"store\", entries: <locked>, balance: <locked>, count: 3, \
         limits: <locked>, log: [9], shared: <locked> }"
    );
}

#[test]
fn snapshots_are_clones() {
    let store = store();
    let snapshot = block_on(store.snapshot_ledger());
    *block_on(store.acquire_ledger()).fields().balance = 0;
    assert_eq!(snapshot.balance, -5);
    assert_eq!(snapshot.entries["a"], 1);
    assert_eq!(snapshot, snapshot.clone());
    assert_eq!(store.snapshot_short().count, 3);
    assert_eq!(block_on(store.snapshot_config()).limits, [1, 2]);
    assert_eq!(block_on(store.snapshot_log()).value, [9]);
    assert!(format!("{:?}", store.snapshot_shared()).contains("value: 7"));
}

#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

thread_local! {
    static EVALUATIONS: Cell<usize> = const { Cell::new(0) };
}

fn is_evaluated() -> bool {
    EVALUATIONS.set(EVALUATIONS.get() + 1);
    true
}

/// Waits for conditions at both kinds of locks.
#[derive(Guarded)]
#[guarded(new, debug, snapshot)]
struct Waits {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    short: sync::Lock,
    #[guarded_by(short)]
    count: Guarded<usize>,
}

impl Waits {
    #[synchronized(ledger, when = is_evaluated() && *ledger.balance > amount)]
    async fn has(&self, amount: i64) {}

    #[synchronized(short, when = is_evaluated() && *short.count > count)]
    async fn counts(&self, count: usize) {}
}

/// A log line, or a snapshot, is no change.
#[test]
fn nobody_who_waits_is_told() {
    let waits = Waits::new(0, 0);
    let task = Arc::new(Task::default());
    let waker = Waker::from(Arc::clone(&task));
    let mut cx = Context::from_waker(&waker);
    let (mut has, mut counts) = (pin!(waits.has(0)), pin!(waits.counts(0)));
    assert!(has.as_mut().poll(&mut cx).is_pending());
    assert!(counts.as_mut().poll(&mut cx).is_pending());
    EVALUATIONS.set(0);
    assert_eq!(format!("{waits:?}"), "Waits { balance: 0, count: 0 }");
    assert_eq!(block_on(waits.snapshot_ledger()).balance, 0);
    assert_eq!(waits.snapshot_short().count, 0);
    assert_eq!((task.0.load(Ordering::SeqCst), EVALUATIONS.get()), (0, 0));
}

#[test]
fn an_owned_guard_keeps_the_object() {
    fn is_static<T: 'static>(_: &T) {}

    let store = Arc::new(store());
    let weak = Arc::downgrade(&store);
    let mut guard = block_on(store.acquire_ledger_owned());
    is_static(&guard);
    drop(store);
    *guard.fields().balance += 1;
    assert_eq!(*guard.fields().balance, -4);
    assert!(
        weak.upgrade()
            .is_some_and(|store| store.try_acquire_ledger().is_none())
    );
    drop(guard);
    assert!(weak.upgrade().is_none());
}

#[test]
fn owned_guards_of_all_kinds() {
    let store = Arc::new(store());
    let short = store.acquire_short_owned();
    assert!(store.try_acquire_short().is_none());
    StoreShortOwnedGuard::release(short);
    assert!(store.try_acquire_short().is_some());
    let one = block_on(store.read_config_owned());
    let two = block_on(store.read_config_owned());
    assert_eq!(one.fields().limits, two.fields().limits);
    drop((one, two));
    let mut writes = block_on(store.write_config_owned());
    writes.fields().limits[0] = 7;
    assert!(format!("{writes:?}").contains("StoreConfigWriteOwnedGuard"));
    drop(writes);
    assert_eq!(block_on(store.acquire_log_owned()).fields().value.len(), 1);
}

/// Its future is dropped while it waits: the object goes with it.
#[test]
fn an_owned_acquisition_is_cancelled() {
    let store = Arc::new(store());
    let weak = Arc::downgrade(&store);
    let mut held = block_on(store.acquire_ledger_owned());
    let other = Arc::clone(&store);
    let mut waiting = Box::pin(async move { other.acquire_ledger_owned().await });
    let mut cx = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    drop(store);
    *held.fields().balance = 1;
    drop(waiting);
    drop(held);
    assert!(weak.upgrade().is_none());
}

#[test]
fn an_owned_guard_may_be_sent() {
    fn is_send<T: Send>(_: &T) {}

    let store = Arc::new(store());
    let future = store.acquire_ledger_owned();
    is_send(&future);
    let mut guard = block_on(future);
    std::thread::spawn(move || *guard.fields().balance = 2)
        .join()
        .unwrap();
    assert_eq!(*block_on(store.acquire_ledger()).fields().balance, 2);
}

/// The values need not be `Debug` where the struct is not shown.
#[derive(Guarded)]
#[guarded(new)]
struct Opaque<T> {
    state: Lock,
    #[guarded_by(state)]
    value: Guarded<T>,
}

#[test]
fn no_bounds_but_those_that_are_needed() {
    struct NotDebug;
    let opaque = Opaque::new(NotDebug);
    assert!(opaque.try_acquire_state().is_some());

    fn shows<T: Debug>(_: T) {}
    shows(Waits::new(1, 1));
}
