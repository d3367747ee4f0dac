//! Sections of locks that can be lost while they are held.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use async_monitor::{
    AsyncLock, CanBeLost, Event, Guarded, Lease, Lock, Mutex, MutexGuard, synchronized, with_lock,
};
use futures::executor::block_on;
use futures::future::join;

/// A lock that a test can lose.
#[derive(Default)]
struct Leased {
    data: Mutex<Vec<u8>>,
    is_lost: Arc<AtomicBool>,
    lost: Arc<Event>,
}

impl Leased {
    fn lose(&self) {
        self.is_lost.store(true, Ordering::SeqCst);
        self.lost.set();
    }
}

#[derive(Debug, PartialEq)]
struct Lost;

impl CanBeLost for Lost {}

impl AsyncLock for Leased {
    type Guard<'a> = MutexGuard<'a, Vec<u8>>;
    type Error = Lost;

    async fn acquire(&self) -> Result<MutexGuard<'_, Vec<u8>>, Lost> {
        Ok(self.data.lock().await)
    }

    fn try_acquire(&self) -> Option<MutexGuard<'_, Vec<u8>>> {
        self.data.try_lock()
    }

    fn lease<'a>(_: &MutexGuard<'a, Vec<u8>>) -> Option<Lease<Lost>>
    where
        Self: 'a,
    {
        // A guard of this test has no access to its lock.
        let (is_lost, lost) = CURRENT
            .with(|current| current.take())
            .expect("set by the test");
        Some(Lease::new(async move {
            while !is_lost.load(Ordering::SeqCst) {
                lost.wait().await;
            }
            Lost
        }))
    }
}

thread_local! {
    static CURRENT: Cell<Option<(Arc<AtomicBool>, Arc<Event>)>> = const { Cell::new(None) };
}

#[derive(Guarded, Default)]
struct Service {
    remote: Arc<Leased>,
    local: Lock,
    #[guarded_by(local)]
    count: Guarded<u32>,
    dropped: Arc<AtomicBool>,
}

/// Records its drop.
struct Witness(Arc<AtomicBool>);

impl Drop for Witness {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Service {
    fn new() -> Self {
        let service = Service::default();
        service.prepare();
        service
    }

    /// The next lease is of our lock.
    fn prepare(&self) {
        let remote = &self.remote;
        let lease = (Arc::clone(&remote.is_lost), Arc::clone(&remote.lost));
        CURRENT.set(Some(lease));
    }

    #[synchronized(self.remote?)]
    async fn wait_for_ever(&self) -> Result<u32, Lost> {
        let _witness = Witness(Arc::clone(&self.dropped));
        remote.push(1);
        pending::<()>().await;
        Ok(1)
    }

    #[synchronized(self.remote?)]
    async fn hidden_in_a_macro(&self) -> Result<u32, Lost> {
        let never = pending::<()>();
        futures::join!(never, async {});
        remote.push(1);
        Ok(1)
    }

    #[synchronized(self.remote?)]
    async fn sum(&self, early: bool) -> Result<u32, Lost> {
        if early {
            return Ok(0);
        }
        remote.push(4);
        yield_now().await;
        Err(Lost)?;
        Ok(1)
    }

    #[synchronized(self.remote?, local, atomic)]
    async fn count_and_wait(&self, forever: bool) -> Result<u32, Lost> {
        *local.count += 1;
        if forever {
            pending::<()>().await;
        }
        Ok(*local.count)
    }

    /// Loses the lock, and does not await.
    #[synchronized(self.remote?)]
    async fn lose_it(&self) -> Result<u32, Lost> {
        self.remote.lose();
        remote.push(1);
        Ok(1)
    }

    #[synchronized(self.remote?)]
    async fn lose_it_at_the_end(&self) -> Result<u32, Lost> {
        yield_now().await;
        self.remote.lose();
        Ok(1)
    }

    #[synchronized(self.remote?, local, atomic)]
    async fn lose_it_after_a_change(&self) -> Result<u32, Lost> {
        *local.count += 1;
        self.remote.lose();
        Ok(*local.count)
    }
}

async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        match std::mem::replace(&mut yielded, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

#[test]
fn a_body_is_dropped_where_it_waits_when_the_lock_is_lost() {
    let service = Service::new();
    let mut section = pin!(service.wait_for_ever());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(section.as_mut().poll(&mut cx).is_pending());
    assert!(!service.dropped.load(Ordering::SeqCst));
    service.remote.lose();
    assert_eq!(section.as_mut().poll(&mut cx), Poll::Ready(Err(Lost)));
    assert!(service.dropped.load(Ordering::SeqCst));
    assert!(service.remote.try_acquire().is_some());
}

#[test]
fn the_loss_wakes_the_section() {
    let service = Service::new();
    let lose = async { service.remote.lose() };
    let (result, ()) = block_on(join(service.wait_for_ever(), lose));
    assert_eq!(result, Err(Lost));
    let service = Service::new();
    let lose = async { service.remote.lose() };
    let (result, ()) = block_on(join(service.hidden_in_a_macro(), lose));
    assert_eq!(result, Err(Lost));
    assert!(service.remote.try_acquire().unwrap().is_empty());
}

#[test]
fn what_is_atomic_is_put_back() {
    let service = Service::new();
    assert_eq!(block_on(service.count_and_wait(false)), Ok(1));
    service.prepare();
    let lose = async { service.remote.lose() };
    let (result, ()) = block_on(join(service.count_and_wait(true), lose));
    assert_eq!(result, Err(Lost));
    assert_eq!(*service.try_acquire_local().unwrap().fields().count, 1);

    let service = Service::new();
    assert_eq!(block_on(service.lose_it_after_a_change()), Err(Lost));
    assert_eq!(*service.try_acquire_local().unwrap().fields().count, 0);
}

#[test]
fn a_body_that_has_ended_too_late_is_an_error() {
    let service = Service::new();
    assert_eq!(block_on(service.lose_it()), Err(Lost));
    let service = Service::new();
    assert_eq!(block_on(service.lose_it_at_the_end()), Err(Lost));
}

#[test]
fn the_body_ends_as_in_any_other_fn() {
    let service = Service::new();
    assert_eq!(block_on(service.sum(true)), Ok(0));
    service.prepare();
    assert_eq!(block_on(service.sum(false)), Err(Lost));
    assert_eq!(*service.remote.try_acquire().unwrap(), [4]);
}

#[test]
fn a_block_is_dropped_too() {
    async fn wait(service: &Service) -> Result<u32, Lost> {
        let value = with_lock!(r = service.remote?, {
            r.push(1);
            yield_now().await;
            r.len()
        });
        assert_eq!(value, 1);
        service.prepare();
        with_lock!(r = service.remote?, {
            r.push(1);
            pending::<()>().await;
        });
        unreachable!("the block has not ended");
    }

    let service = Service::new();
    let lose = async {
        yield_now().await;
        yield_now().await;
        service.remote.lose();
    };
    let (result, ()) = block_on(join(wait(&service), lose));
    assert_eq!(result, Err(Lost));
    assert_eq!(service.remote.try_acquire().unwrap().len(), 2);
}

#[test]
fn a_block_that_does_not_wait_is_left_in_any_way() {
    #[allow(clippy::never_loop)] // for its `break`
    async fn leave(service: &Service, how: u32) -> Result<u32, Lost> {
        loop {
            with_lock!(r = service.remote?, {
                match how {
                    0 => return Ok(0),
                    1 => break,
                    2 => Err(Lost)?,
                    _ => service.remote.lose(),
                }
                r.push(1);
            });
            unreachable!("the lock was lost");
        }
        Ok(1)
    }

    let service = Service::new();
    for (how, result) in [(0, Ok(0)), (1, Ok(1)), (2, Err(Lost)), (3, Err(Lost))] {
        service.prepare();
        assert_eq!(block_on(leave(&service, how)), result);
    }
    assert_eq!(service.remote.try_acquire().unwrap().len(), 1);
}

#[test]
fn a_lock_that_cannot_be_lost_costs_nothing() {
    #[synchronized(state)]
    async fn plain(state: &Mutex<u32>) -> Result<u32, Lost> {
        *state += 1;
        yield_now().await;
        Ok(*state)
    }

    #[synchronized(state?)]
    async fn asked(state: &Mutex<u32>) -> Result<u32, Lost> {
        *state += 1;
        yield_now().await;
        Ok(*state)
    }

    let state = Mutex::new(0);
    let (plain, asked) = (plain(&state), asked(&state));
    // No lease, and no room for one.
    if cfg!(not(any(debug_assertions, feature = "watch"))) {
        assert!(size_of_val(&asked) <= size_of_val(&plain) + 8);
    }
    assert_eq!(block_on(plain), Ok(1));
    assert_eq!(block_on(asked), Ok(2));
}
