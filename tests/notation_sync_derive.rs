//! `#[derive(Guarded)]` over the locks of `async_monitor::sync`.

use std::sync::Arc;

use async_monitor::{Guarded, Lock, holding, monitor, sync, synchronized, with_lock};
use futures::executor::block_on;
use futures::join;

/// One of each kind.
#[derive(Guarded, Default)]
struct Store {
    name: String,
    state: sync::Lock,
    #[guarded_by(state)]
    entries: Guarded<Vec<u32>>,
    #[guarded_by(state)]
    writes: Guarded<u64>,
    #[lock(rw)]
    config: sync::RwLock<()>,
    #[guarded_by(config)]
    limit: Guarded<usize>,
    #[lock]
    log: sync::Mutex<String>,
    #[lock]
    shared: Arc<sync::Mutex<u8>>,
}

impl Store {
    fn push(&self, entry: u32) -> u64 {
        let mut guard = self.acquire_state();
        let state = guard.fields();
        state.entries.push(entry);
        *state.writes += 1;
        *state.writes
    }
}

#[test]
fn a_guard_leads_to_the_fields() {
    let store = Store::default();
    assert_eq!((store.push(1), store.push(2)), (1, 2));
    assert_eq!(*store.acquire_state().fields().entries, [1, 2]);
    assert!(store.name.is_empty());
}

#[test]
fn a_lock_excludes() {
    let store = Store::default();
    let guard = store.acquire_state();
    assert!(store.try_acquire_state().is_none());
    drop(guard);
    StoreStateGuard::release(store.try_acquire_state().unwrap());
    assert!(store.try_acquire_state().is_some());
}

#[test]
fn readers_share() {
    let store = Store::default();
    *store.write_config().fields().limit = 7;
    let (one, two) = (store.read_config(), store.read_config());
    assert_eq!((*one.fields().limit, *two.fields().limit), (7, 7));
    assert!(store.try_write_config().is_none() && store.try_read_config().is_some());
    drop((one, two));
    assert!(store.try_write_config().is_some());
}

#[test]
fn a_lock_with_data_leads_to_it() {
    let mut store = Store::default();
    store.acquire_log().fields().value.push_str("begin");
    assert_eq!(store.acquire_log().fields().value, "begin");
    *store.acquire_shared().fields().value += 1;
    assert_eq!(*store.acquire_shared().fields().value, 1);
    store.log_mut().value.push_str(", end");
    store.state_mut().entries.push(1);
    assert_eq!(*store.acquire_log().fields().value, "begin, end");
}

#[test]
fn a_panic_poisons_nothing() {
    let store = Arc::new(Store::default());
    let panicking = std::thread::spawn({
        let store = Arc::clone(&store);
        move || {
            let _guard = store.acquire_state();
            panic!("in a section");
        }
    });
    assert!(panicking.join().is_err());
    assert_eq!(store.push(1), 1);
}

/// The same struct and the same sections over the lock of the type that is given.
macro_rules! stock {
    ($module:ident, $($lock:tt)*) => {
        mod $module {
            use super::*;

            #[derive(Guarded, Default)]
            #[guarded(debug)]
            pub(super) struct Stock {
                shelf: $($lock)*,
                #[guarded_by(shelf)]
                apples: Guarded<usize>,
                #[guarded_by(shelf)]
                notes: Guarded<Vec<&'static str>>,
            }

            #[monitor]
            impl Stock {
                #[synchronized(shelf)]
                pub(super) async fn put(&self, apples: usize) {
                    *shelf.apples += apples;
                    shelf.note("put");
                }

                #[synchronized(shelf, when = *shelf.apples >= apples)]
                pub(super) async fn take(&self, apples: usize) {
                    *shelf.apples -= apples;
                    shelf.note("taken");
                }

                #[synchronized(shelf, atomic)]
                pub(super) async fn buy(&self, apples: usize) -> Result<(), &'static str> {
                    *shelf.apples += apples;
                    if apples > 10 { Err("too many") } else { Ok(()) }
                }

                #[synchronized(read(shelf))]
                pub(super) async fn count(&self) -> (usize, Vec<&'static str>) {
                    (*shelf.apples, shelf.notes.clone())
                }

                #[holding(shelf)]
                fn note(&self, note: &'static str) {
                    shelf.notes.push(note);
                }
            }

            pub(super) async fn throw_away(stock: &Stock) {
                with_lock!(stock.shelf, { *shelf.apples = 0 });
            }
        }
    };
}

stock!(by_an_async_lock, Lock);
stock!(by_a_sync_lock, sync::Lock);

#[test]
fn sections_stay_as_they_are_when_their_lock_becomes_a_sync_lock() {
    macro_rules! run {
        ($module:ident) => {{
            let stock = $module::Stock::default();
            block_on(async {
                join!(stock.take(2), stock.put(1), stock.put(2));
                let bought = (stock.buy(3).await, stock.buy(11).await);
                let counted = stock.count().await;
                $module::throw_away(&stock).await;
                (bought, counted, format!("{stock:?}"))
            })
        }};
    }
    let (by_an_async_lock, by_a_sync_lock) = (run!(by_an_async_lock), run!(by_a_sync_lock));
    assert_eq!(by_a_sync_lock, by_an_async_lock);
    assert_eq!(by_a_sync_lock.0, (Ok(()), Err("too many")));
    assert_eq!(by_a_sync_lock.1, (4, vec!["put", "put", "taken"]));
}
