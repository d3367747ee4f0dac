//! Methods of a monitor whose names and signatures collide with the generated
//! code.

use std::fmt::Debug;
use std::sync::Arc;

use async_monitor::{Guarded, Lock, RwLock, monitor, synchronized, with_lock};
use futures::executor::block_on;

#[derive(Debug, Default, Guarded)]
struct Table<'d, T, const N: usize>
where
    T: Clone,
{
    name: &'d str,
    #[lock]
    lock: Lock,
    #[guarded_by(lock)]
    rows: Guarded<Vec<(T, Option<Arc<Self>>)>>,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<usize>,
}

trait HasItem {
    type Item: Debug + PartialEq;
    const NONE: Self::Item;
}

impl<T: Clone, const N: usize> HasItem for Table<'_, T, N> {
    type Item = u8;
    const NONE: u8 = 7;
}

#[monitor]
impl<'d, T, const N: usize> Table<'d, T, N>
where
    T: Clone,
{
    // The names of what the derive generates, and calls.

    #[synchronized(lock, atomic)]
    async fn save(&self) -> Result<usize, ()> {
        Ok(lock.rows.len())
    }

    #[synchronized(lock)]
    async fn exchange(&self, saved: &mut Vec<(T, Option<Arc<Self>>)>) {
        std::mem::swap(lock.rows, saved);
    }

    #[synchronized(lock)]
    async fn reborrow(&self) -> &'d str {
        self.name
    }

    #[synchronized(lock)]
    async fn object(&self) -> &Self {
        self
    }

    #[synchronized(lock)]
    async fn rows(&self) -> usize {
        lock.object().await.name.len() + lock.rows.len()
    }

    #[synchronized(read(cfg))]
    async fn as_read(&self) -> usize {
        *cfg.limit
    }

    // Parameters by the names of the expansions, and with every pattern.

    #[synchronized(lock, atomic)]
    #[allow(clippy::too_many_arguments)]
    async fn names(
        &self,
        __object: T,
        __rollback: &mut usize,
        mut __snapshot: usize,
        (__view, _): (usize, usize),
        _: [u8; N],
        _unused: &dyn Debug,
        __arg1: impl Into<usize>,
    ) -> Result<usize, String> {
        __snapshot += __view + __arg1.into();
        *__rollback += __snapshot;
        lock.rows.push((__object, None));
        futures::pending!();
        if __snapshot > 10 {
            return Err(format!("{__snapshot}"));
        }
        Ok(__snapshot)
    }

    // `Self`, lifetimes and generics.

    #[synchronized(lock)]
    async fn item(&self, other: Option<&Self>) -> Result<<Self as HasItem>::Item, Box<Self>> {
        match other {
            Some(_) => Ok(Self::NONE),
            None => Ok(<Self as HasItem>::NONE + u8::try_from(lock.rows.len()).unwrap()),
        }
    }

    #[synchronized(lock)]
    async fn lives<'a, 'b: 'a, U>(self: &'a Self, one: &'b U, _two: &U) -> (&'a str, &'b U)
    where
        U: ?Sized + PartialEq<Self> + 'a,
        Self: 'a,
    {
        let _ = &lock;
        (self.name, one)
    }

    #[synchronized(lock)]
    async fn again(&self, depth: usize) -> usize {
        if depth == 0 {
            return lock.rows().await;
        }
        Box::pin(lock.again(depth - 1)).await + 1
    }
}

struct Equal;

impl<T: Clone, const N: usize> PartialEq<Table<'_, T, N>> for Equal {
    fn eq(&self, _: &Table<'_, T, N>) -> bool {
        true
    }
}

/// Polls until it is ready: what is pending wants to be polled again.
async fn driven<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(output) = futures::poll!(future.as_mut()) {
            return output;
        }
    }
}

#[test]
fn both_forms_do_the_same() {
    let text = String::from("table");
    let table = Table::<'_, char, 2> {
        name: &text,
        ..Table::default()
    };
    block_on(async {
        let mut undo = 0;
        let names = table.names('a', &mut undo, 1, (2, 0), [0; 2], &"x", 3_u16);
        assert_eq!(driven(names).await, Ok(6));
        let (rows, name) = with_lock!(table.lock, {
            let names = lock.names('b', &mut undo, 1, (2, 0), [0; 2], &"x", 3_u16);
            assert_eq!(driven(names).await, Ok(6));
            let names = lock.names('c', &mut undo, 1, (20, 0), [0; 2], &"x", 3_u16);
            assert_eq!(driven(names).await, Err("24".into()));
            assert_eq!(lock.save().await, Ok(2));
            assert_eq!(lock.item(None).await.unwrap(), 9);
            assert_eq!(lock.item(Some(&table)).await.unwrap(), 7);
            assert_eq!(lock.lives(&Equal, &Equal).await.0, "table");
            assert_eq!(lock.again(3).await, 10);
            let mut rows = Vec::new();
            lock.exchange(&mut rows).await;
            (rows, lock.reborrow().await)
        });
        assert_eq!((rows.len(), name, undo), (2, "table", 36));
        assert_eq!(table.again(1).await, 6);
        assert_eq!((table.save().await, table.rows().await), (Ok(0), 5));
        with_lock!(table.cfg, { assert_eq!(cfg.as_read().await, 0) });
        assert_eq!(table.object().await.as_read().await, 0);
    });
}

/// What ends something inside of an atomic block, and not the block.
#[test]
fn ends_that_are_not_those_of_the_block() {
    let table = Table::<'_, u8, 0>::default();
    let rows = block_on(async {
        with_lock!(table.lock, atomic, {
            fn three() -> u8 {
                return 3;
            }
            let early = async move {
                return three();
            };
            let labelled = 'block: {
                if lock.rows.is_empty() {
                    break 'block 1;
                }
                2
            };
            let looped = 'outer: loop {
                for row in 0.. {
                    if row == 2 {
                        continue;
                    }
                    if row == 4 {
                        break 'outer row;
                    }
                    lock.rows.push((row, None));
                }
            };
            let parsed = (|text: &str| {
                let number: u8 = text.parse()?;
                Ok::<_, std::num::ParseIntError>(number)
            })("x");
            assert!(parsed.is_err());
            early.await + labelled + looped
        })
    });
    assert_eq!((rows, table.rows.into_inner().len()), (8, 3));
}
