//! `#[derive(Guarded)]` over the locks of `async_monitor::sync`.

use std::sync::Arc;

use async_monitor::{Guarded, sync};

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
