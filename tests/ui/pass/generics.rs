//! Parameters of every kind, on the struct and on the methods.

#![deny(warnings)]
#![allow(non_camel_case_types, reason = "a raw name is a lower-case one")]

use std::fmt::Debug;

use async_monitor::{Guarded, Lock, Mutex, RwLock, synchronized, with_lock};

mod inner {
    use super::*;

    /// Everything that can stand in front of a struct.
    #[derive(Guarded)]
    pub(in crate) struct Table<
        'a,
        'b: 'a,
        K,
        V = u8,
        F: Fn(&K) -> bool = fn(&K) -> bool,
        const N: usize = 2,
        const SIGNED: bool = true,
    >
    where
        K: Debug + Clone + 'a,
        F: for<'x> Fn(&'x K) -> bool,
        for<'x> &'x V: Debug,
        [V; N]: Sized,
        Self: Sized,
    {
        pub(super) name: &'b str,
        pub(in crate::inner) rows: Lock,
        #[guarded_by(rows)]
        pub(super) keys: Guarded<Vec<K>>,
        #[guarded_by(rows)]
        values: Guarded<[Option<V>; N]>,
        #[guarded_by(rows)]
        filter: Guarded<F>,
        #[guarded_by(rows)]
        borrowed: Guarded<&'a K>,
        #[guarded_by(rows)]
        next: Guarded<Option<Box<Self>>>,
        #[lock(rw)]
        cfg: RwLock<(u8, [K; 1])>,
        #[lock]
        state: Mutex<Option<V>>,
    }

    impl<'a, 'b: 'a, K, V, F, const N: usize, const SIGNED: bool>
        Table<'a, 'b, K, V, F, N, SIGNED>
    where
        K: Debug + Clone + Sync + 'a,
        F: for<'x> Fn(&'x K) -> bool,
        for<'x> &'x V: Debug,
    {
        pub(super) fn new(name: &'b str, filter: F, key: &'a K) -> Self {
            Table {
                name,
                rows: Lock::new(),
                keys: Guarded::new(vec![]),
                values: Guarded::new([const { None }; N]),
                filter: Guarded::new(filter),
                borrowed: Guarded::new(key),
                next: Guarded::new(None),
                cfg: RwLock::new((1, [key.clone()])),
                state: Mutex::new(None),
            }
        }

        #[synchronized(rows, read(cfg))]
        pub(super) async fn insert<'s, I>(
            &'s self,
            keys: I,
            [first, .., last]: [u8; 3],
            (a, mut b): (u8, u8),
            _: impl Into<String>,
        ) -> Option<&'s str>
        where
            I: IntoIterator<Item = K>,
        {
            b += a + first + last;
            for key in keys {
                if (rows.filter)(&key) {
                    rows.keys.push(key);
                }
            }
            let _ = (&rows.next, &rows.values, &rows.borrowed, b, cfg.value.0);
            (!rows.keys.is_empty()).then_some(self.name)
        }

        #[synchronized(rows)]
        pub(super) async fn len(self: &Self) -> usize {
            rows.keys.len()
        }

        #[synchronized(state, when = state.value.is_none())]
        pub(super) async fn is_none(self: std::pin::Pin<&Self>) -> bool {
            state.value.is_none()
        }

        #[synchronized(rows)]
        pub(super) async fn shared(self: std::sync::Arc<Self>) -> usize {
            rows.keys.len()
        }
    }
}

/// Names that are not ASCII, and raw ones.
#[derive(Guarded)]
struct Café<T> {
    größe: Lock,
    #[guarded_by(größe)]
    naïve: Guarded<T>,
    r#type: Lock,
    #[guarded_by(r#type)]
    r#match: Guarded<u8>,
}

impl<T: Copy> Café<T> {
    #[synchronized(größe, r#type)]
    async fn r#await(&self, r#in: u8) -> (T, u8) {
        *r#type.r#match += r#in;
        (*größe.naïve, *r#type.r#match)
    }
}

#[derive(Guarded)]
struct r#struct {
    r#impl: Lock,
    #[guarded_by(r#impl)]
    r#fn: Guarded<u8>,
}

#[synchronized(l = object.r#impl)]
async fn r#loop(object: &r#struct) -> u8 {
    *l.r#fn
}

fn main() {
    let key = 7_i32;
    let table = std::sync::Arc::new(inner::Table::<i32, u8, _, 2, true>::new(
        "x",
        |key: &i32| *key > 1,
        &key,
    ));
    futures::executor::block_on(async {
        let inserted = table.insert([1, 2], [1, 2, 3], (1, 2), "x").await;
        assert_eq!(inserted, Some("x"));
        assert_eq!(table.len().await, 1);
        assert!(std::pin::Pin::new(&*table).is_none().await);
        assert_eq!(std::sync::Arc::clone(&table).shared().await, 1);
        let café = Café {
            größe: Lock::new(),
            naïve: Guarded::new('a'),
            r#type: Lock::new(),
            r#match: Guarded::new(1),
        };
        assert_eq!(café.r#await(2).await, ('a', 3));
        with_lock!(café.größe, { *größe.naïve = 'b' });
        assert_eq!(*café.acquire_größe().await.fields().naïve, 'b');
        assert_eq!(*café.acquire_type().await.fields().r#match, 3);
        let object = r#struct {
            r#impl: Lock::new(),
            r#fn: Guarded::new(1),
        };
        assert_eq!(r#loop(&object).await, 1);
    });
}
