//! `#[derive(Guarded)]`: the generated items, used by hand.

use std::cell::Cell;
use std::fmt::Debug;
use std::sync::Arc;

use async_monitor::{Guarded, Lock, Mutex, RwLock};
use futures::executor::block_on;

/// The account of the crate's first page.
#[derive(Guarded)]
pub struct Account {
    /// Plain, shared, read-only.
    pub id: u64,
    ledger: Lock,
    /// In cents.
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[guarded_by(ledger)]
    history: Guarded<Vec<i64>>,
    #[lock]
    owner: Lock,
    #[guarded_by(owner)]
    name: Guarded<String>,
}

impl Account {
    fn new(balance: i64) -> Self {
        Account {
            id: 1,
            ledger: Lock::new(),
            balance: Guarded::new(balance),
            history: Guarded::default(),
            owner: Lock::new(),
            name: Guarded::from(String::from("nobody")),
        }
    }
}

#[test]
fn fields_are_reached_while_the_guard_exists() {
    let account = Account::new(1);
    block_on(async {
        let mut guard = account.acquire_ledger().await;
        let fields = guard.fields();
        // The fields borrow apart from each other.
        let (balance, history) = (fields.balance, fields.history);
        *balance += 1;
        history.push(*balance);
        assert!(account.ledger.is_locked());
        drop(guard);
        assert!(!account.ledger.is_locked());
        assert_eq!(*account.acquire_ledger().await.fields().history, [2]);
    });
    assert_eq!(account.id, 1);
}

#[test]
fn two_locks_are_held_apart() {
    let account = Account::new(1);
    block_on(async {
        let mut ledger = account.acquire_ledger().await;
        let mut owner = account.acquire_owner().await;
        owner.fields().name.push_str(", really");
        *ledger.fields().balance = 2;
        assert_eq!(owner.fields().name, "nobody, really");
    });
}

#[test]
fn release_is_said_aloud() {
    let account = Account::new(1);
    let guard = account.acquire_ledger_blocking();
    assert!(account.try_acquire_ledger().is_none());
    AccountLedgerGuard::release(guard);
    assert!(account.try_acquire_ledger().is_some());
}

#[test]
fn a_leaked_guard_keeps_the_lock() {
    let account = Account::new(1);
    let guard: &'_ mut AccountLedgerGuard<'_> =
        Box::leak(Box::new(account.acquire_ledger_blocking()));
    let fields: AccountLedgerHeld<'_> = guard.fields();
    *fields.balance += 1;
    assert!(account.try_acquire_ledger().is_none());
}

#[test]
fn a_panic_releases_the_lock() {
    let account = Account::new(1);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut guard = account.acquire_ledger_blocking();
        *guard.fields().balance = 7;
        panic!("while the lock is held");
    }));
    assert!(panicked.is_err());
    assert_eq!(*account.acquire_ledger_blocking().fields().balance, 7);
}

#[test]
fn whoever_has_the_struct_needs_no_lock() {
    let mut account = Account::new(1);
    let AccountLedgerMut {
        balance, history, ..
    } = account.ledger_mut();
    *balance += 1;
    history.push(*balance);
    account.owner_mut().name.clear();
    assert_eq!(account.balance.into_inner(), 2);
    assert_eq!(account.name.into_inner(), "");
}

#[test]
fn guards_are_shown_without_their_data() {
    let mut account = Account::new(1);
    let mut guard = account.acquire_ledger_blocking();
    assert_eq!(format!("{guard:?}"), "AccountLedgerGuard { .. }");
    assert_eq!(format!("{:?}", guard.fields()), "AccountLedgerHeld { .. }");
    drop(guard);
    assert_eq!(
        format!("{:?}", account.ledger_mut()),
        "AccountLedgerMut { .. }"
    );
}

mod reader_writer {
    use super::*;

    #[derive(Guarded)]
    struct Config {
        #[lock(rw)]
        cfg: RwLock<()>,
        #[guarded_by(cfg)]
        limit: Guarded<u32>,
        #[guarded_by(cfg)]
        hosts: Guarded<Vec<String>>,
    }

    fn config() -> Config {
        Config {
            cfg: RwLock::new(()),
            limit: Guarded::new(1),
            hosts: Guarded::new(vec!["a".to_owned()]),
        }
    }

    #[test]
    fn readers_share_and_writers_do_not() {
        let config = config();
        let first = config.read_cfg_blocking();
        let second = block_on(config.read_cfg());
        let (a, b): (ConfigCfgReadHeld<'_>, ConfigCfgReadHeld<'_>) =
            (first.fields(), second.fields());
        assert_eq!((*a.limit, b.hosts.len()), (1, 1));
        assert!(config.try_write_cfg().is_none());
        drop((first, second));

        let mut writer: ConfigCfgWriteGuard<'_> = config.try_write_cfg().expect("nobody has it");
        let held: ConfigCfgWriteHeld<'_> = writer.fields();
        *held.limit += 1;
        held.hosts.push("b".to_owned());
        assert!(config.try_read_cfg().is_none());
        ConfigCfgWriteGuard::release(writer);
        let reader = config.read_cfg_blocking();
        assert_eq!(reader.fields().hosts.concat(), "ab");
        ConfigCfgReadGuard::release(reader);
        drop(config.write_cfg_blocking());
    }

    #[test]
    fn references_of_one_read_guard_may_be_many() {
        let mut config = config();
        *config.cfg_mut().limit = 3;
        let guard = config.read_cfg_blocking();
        let (first, second) = (guard.fields(), guard.fields());
        assert_eq!(first.limit, second.limit);
    }
}

mod data_locks {
    use super::*;

    /// Narrower than the struct whose lock contains it.
    struct State {
        hits: u32,
    }

    #[derive(Guarded)]
    pub struct Server {
        #[lock]
        state: Mutex<State>,
        #[lock(rw)]
        routes: RwLock<Vec<&'static str>>,
        #[lock]
        shared: Arc<Mutex<u8>>,
        #[lock]
        boxed: Box<Mutex<u8>>,
        unmarked: Mutex<u8>,
    }

    #[test]
    fn what_is_inside_is_called_value() {
        let mut server = Server {
            state: Mutex::new(State { hits: 0 }),
            routes: RwLock::new(vec!["/"]),
            shared: Arc::default(),
            boxed: Box::default(),
            unmarked: Mutex::default(),
        };
        block_on(async {
            server.acquire_state().await.fields().value.hits += 1;
            server.write_routes().await.fields().value.push("/b");
            let shared = Arc::clone(&server.shared);
            let mut guard = server.acquire_shared().await;
            *guard.fields().value += 1;
            assert!(shared.try_lock().is_none());
            drop(guard);
            *server.acquire_boxed().await.fields().value += 1;
            assert_eq!(server.read_routes().await.fields().value.len(), 2);
            *server.unmarked.lock().await += 1;
        });
        server.state_mut().value.hits += 1;
        *server.boxed_mut().value += 1;
        server.routes_mut().value.clear();
        assert_eq!(server.state.into_inner().hits, 2);
        assert_eq!(server.boxed.into_inner(), 2);
    }
}

mod generics {
    use super::*;

    /// Lifetimes, types with bounds and defaults, constants, where-clauses, and
    /// `Self` in the types.
    #[derive(Guarded)]
    pub struct Tree<'d, K: Ord, V: ?Sized = str, const N: usize = 2>
    where
        K: Debug + 'd,
        Self: Sized,
        V: 'd,
    {
        pub name: &'d V,
        nodes: Lock,
        #[guarded_by(nodes)]
        keys: Guarded<[Option<K>; N]>,
        #[guarded_by(nodes)]
        parent: Guarded<Option<Box<Self>>>,
        #[lock(rw)]
        borrowed: &'d RwLock<K>,
        #[lock]
        bare: Arc<Lock>,
    }

    #[test]
    fn parameters_are_those_of_the_struct() {
        let outside = RwLock::new(5);
        let mut tree: Tree<'_, i32> = Tree {
            name: "root",
            nodes: Lock::new(),
            keys: Guarded::new([None, Some(1)]),
            parent: Guarded::new(None),
            borrowed: &outside,
            bare: Arc::new(Lock::new()),
        };
        let mut guard: TreeNodesGuard<'_, '_, i32, str, 2> = tree.acquire_nodes_blocking();
        let held: TreeNodesHeld<'_, '_, i32, str, 2> = guard.fields();
        held.keys[0] = Some(3);
        assert!(held.parent.is_none());
        drop(guard);
        assert_eq!(*tree.read_borrowed_blocking().fields().value, 5);
        drop(tree.acquire_bare_blocking());
        assert_eq!(tree.nodes_mut().keys, &[Some(3), Some(1)]);
        assert_eq!(tree.name, "root");
    }

    /// The last field may be unsized, and with it the struct.
    #[derive(Guarded)]
    struct Bytes<T: ?Sized> {
        lock: Lock,
        #[guarded_by(lock)]
        bytes: Guarded<T>,
    }

    #[test]
    fn the_struct_may_be_unsized() {
        let bytes: Box<Bytes<[u8]>> = Box::new(Bytes {
            lock: Lock::new(),
            bytes: Guarded::new([1, 2, 3]),
        });
        let mut guard = bytes.acquire_lock_blocking();
        guard.fields().bytes[0] = 9;
        assert_eq!(guard.fields().bytes, [9, 2, 3]);
    }

    #[test]
    fn structs_may_be_local_to_a_fn() {
        #[derive(Guarded)]
        struct Local<T> {
            lock: Lock,
            // With one lock, it is guarded by that one.
            item: Guarded<T>,
            #[guarded_by(lock)]
            other: Guarded<u8>,
        }

        let local = Local {
            lock: Lock::new(),
            item: Guarded::new("a"),
            other: Guarded::new(1),
        };
        let mut guard = local.acquire_lock_blocking();
        let held = guard.fields();
        *held.item = "b";
        *held.other += 1;
        assert_eq!((*held.item, *held.other), ("b", 2));
    }

    #[test]
    fn names_may_be_raw() {
        #[derive(Guarded)]
        struct r#Match {
            r#type: Lock,
            #[guarded_by(r#type)]
            r#fn: Guarded<u8>,
        }

        let raw = r#Match {
            r#type: Lock::new(),
            r#fn: Guarded::new(1),
        };
        let mut guard: MatchTypeGuard<'_> = raw.acquire_type_blocking();
        *guard.fields().r#fn += 1;
        assert_eq!(*guard.fields().r#fn, 2);
    }

    #[test]
    fn a_cell_may_be_guarded_by_a_reader_writer_lock() {
        #[derive(Guarded)]
        struct Cells {
            #[lock(rw)]
            lock: RwLock<()>,
            #[guarded_by(lock)]
            cell: Guarded<Cell<u8>>,
        }

        // Only reading it is not possible.
        let cells = Cells {
            lock: RwLock::new(()),
            cell: Guarded::new(Cell::new(1)),
        };
        cells.write_lock_blocking().fields().cell.set(2);
        assert_eq!(cells.cell.into_inner().into_inner(), 2);
    }
}

mod visibility {
    mod inner {
        use super::super::*;

        #[derive(Guarded, Default)]
        pub struct Object {
            pub(super) lock: Lock,
            #[guarded_by(lock)]
            pub(super) open: Guarded<u8>,
            #[guarded_by(lock)]
            closed: Guarded<u8>,
        }

        pub(super) fn bump(lock: &mut ObjectLockHeld<'_>) {
            *lock.open += 1;
            *lock.closed += 1;
        }
    }

    #[test]
    fn methods_are_seen_where_the_lock_is_and_fields_where_they_are() {
        let object = inner::Object::default();
        let mut guard = object.acquire_lock_blocking();
        inner::bump(&mut guard.fields());
        assert_eq!(*guard.fields().open, 1);
    }
}
