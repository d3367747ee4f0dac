//! Sections of the locks of `async_monitor::sync`: in plain fns and in async ones.

#![forbid(unsafe_code)]

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use async_monitor::{Elapsed, Guarded, Mutex, monitor, sync, synchronized, with_lock};
use futures::Stream;
use futures::executor::block_on;

#[derive(Default)]
struct Store {
    state: sync::Mutex<Vec<u32>>,
    shared: Arc<sync::Mutex<Vec<u32>>>,
    config: sync::RwLock<usize>,
    bare: sync::Lock,
    slow: Mutex<Vec<u32>>,
}

#[derive(Debug, PartialEq)]
struct Full;

#[derive(Debug, PartialEq)]
enum Failed {
    Late,
}

impl From<Elapsed> for Failed {
    fn from(_: Elapsed) -> Self {
        Failed::Late
    }
}

const LONG: Duration = Duration::from_secs(60);

impl Store {
    #[synchronized(state)]
    fn push(&self, value: u32) -> usize {
        state.push(value);
        state.len()
    }

    #[synchronized(read(state))]
    fn sum(&self) -> u32 {
        state.iter().sum()
    }

    #[synchronized(state, read(config), self.shared)]
    fn push_all(&self, value: u32) -> Result<usize, Full> {
        if state.len() >= *config {
            return Err(Full);
        }
        state.push(value);
        shared.push(value);
        Ok(state.len())
    }

    #[synchronized(write(config))]
    fn allow(&self, limit: usize) {
        *config = limit;
    }

    #[synchronized(bare)]
    fn alone<T>(&self, run: impl FnOnce() -> T) -> T {
        run()
    }

    #[synchronized(state, atomic)]
    fn push_or_not(&self, value: u32) -> Result<(), Full> {
        state.push(value);
        if value > 9 { Err(Full) } else { Ok(()) }
    }

    #[synchronized(state, atomic)]
    async fn push_or_not_async(&self, value: u32) -> Result<(), Full> {
        state.push(value);
        if value > 9 {
            return Err(Full);
        }
        Ok(())
    }

    #[synchronized(state, no_await)]
    async fn push_async(&self, value: u32) -> usize {
        state.push(value);
        state.len()
    }

    #[synchronized(slow, state, read(config))]
    async fn mixed(&self) -> usize {
        slow.append(state);
        slow.len() + *config
    }

    #[synchronized(slow, state, blocking)]
    fn mixed_parked(&self) -> usize {
        state.append(slow);
        state.len()
    }

    #[synchronized(state, when = !state.is_empty())]
    fn pop(&self) -> Option<u32> {
        state.pop()
    }

    #[synchronized(state, when = !state.is_empty())]
    async fn pop_async(&self) -> Option<u32> {
        state.pop()
    }

    #[synchronized(read(config), when = *config > least)]
    async fn config_above(&self, least: usize) -> usize {
        *config
    }

    #[synchronized(read(state), when = state.len() > least)]
    fn len_above(&self, least: usize) -> usize {
        state.len()
    }

    #[synchronized(state, when = !state.is_empty(), timeout = limit)]
    async fn pop_in(&self, limit: Duration) -> Result<Option<u32>, Failed> {
        Ok(state.pop())
    }

    #[synchronized(state, when = !state.is_empty(), timeout = limit)]
    fn pop_in_parked(&self, limit: Duration) -> Result<Option<u32>, Failed> {
        Ok(state.pop())
    }

    async fn blocks(&self) -> Result<u32, Full> {
        turn().await;
        for value in 0..3 {
            with_lock!(self.state, {
                if value == 2 {
                    break;
                }
                state.push(value);
            });
            turn().await;
        }
        let sum = with_lock!(read(self.state), { state.iter().sum::<u32>() });
        turn().await;
        let spawned = with_lock!(self.state, self.shared, {
            if state.is_empty() {
                return Err(Full);
            }
            shared.append(state);
            let sum = shared.iter().sum::<u32>();
            async move { turn().await + sum }
        });
        Ok(sum + spawned.await)
    }

    fn plain_blocks(&self) -> usize {
        with_lock!(self.state, blocking, { state.push(1) });
        with_lock!(x = self.state, self.shared, blocking, {
            shared.append(x);
            with_lock!(self.config, blocking, { *config += shared.len() });
        });
        with_lock!(read(self.config), blocking, { *config })
    }
}

async fn turn() -> u32 {
    let mut polled = false;
    std::future::poll_fn(|cx| {
        if polled {
            return Poll::Ready(());
        }
        polled = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    0
}

fn send<T: Send>(value: T) -> T {
    value
}

#[test]
fn plain_fns_run_their_sections() {
    let store = Store::default();
    assert_eq!((store.push(1), store.push(2), store.sum()), (1, 2, 3));
    assert_eq!(store.push_all(3), Err(Full));
    store.allow(3);
    assert_eq!(store.push_all(3), Ok(3));
    assert_eq!(store.push_all(4), Err(Full));
    assert_eq!(*store.shared.lock(), [3]);
    assert!(store.alone(|| store.bare.try_acquire().is_none()));
    assert_eq!(store.push_or_not(10), Err(Full));
    assert_eq!(store.push_or_not(4), Ok(()));
    assert_eq!(store.sum(), 10);
    assert_eq!(store.pop(), Some(4));
    assert_eq!(store.len_above(2), 3);
    assert_eq!(store.mixed_parked(), 3);
}

#[test]
fn async_fns_run_their_sections() {
    let store = Store::default();
    block_on(send(async {
        assert_eq!(store.push_async(1).await, 1);
        assert_eq!(store.push_or_not_async(10).await, Err(Full));
        assert_eq!(store.push_or_not_async(2).await, Ok(()));
        assert_eq!(store.sum(), 3);
        assert_eq!(store.mixed().await, 2);
        assert_eq!(store.sum(), 0);
        assert_eq!(store.blocks().await, Ok(2));
    }));
    assert_eq!(store.plain_blocks(), 3);
}

#[test]
fn futures_are_send_around_short_sections() {
    let store = Store::default();
    let _ = (
        send(store.push_async(1)),
        send(store.push_or_not_async(1)),
        send(store.mixed()),
        send(store.pop_async()),
        send(store.config_above(1)),
        send(store.pop_in(LONG)),
        send(store.blocks()),
    );
}

#[test]
fn a_section_waits_for_a_condition_without_blocking() {
    let store = Store::default();
    let mut context = Context::from_waker(Waker::noop());
    let mut pop = std::pin::pin!(store.pop_async());
    let mut above = std::pin::pin!(store.config_above(2));
    assert!(pop.as_mut().poll(&mut context).is_pending());
    assert!(above.as_mut().poll(&mut context).is_pending());
    store.push(7);
    store.allow(3);
    assert_eq!(pop.as_mut().poll(&mut context), Poll::Ready(Some(7)));
    assert_eq!(above.as_mut().poll(&mut context), Poll::Ready(3));
}

#[test]
fn a_plain_section_parks_until_its_condition_holds() {
    let store = Store::default();
    thread::scope(|scope| {
        let popped = scope.spawn(|| store.pop());
        thread::sleep(Duration::from_millis(10));
        store.push(3);
        assert_eq!(popped.join().ok(), Some(Some(3)));
    });
}

#[test]
fn the_wait_for_a_condition_is_bounded() {
    let store = Store::default();
    let short = Duration::from_millis(5);
    assert_eq!(store.pop_in_parked(short), Err(Failed::Late));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        assert_eq!(store.pop_in(short).await, Err(Failed::Late));
        let late = with_lock!(store.state, when = !state.is_empty(), timeout = short, {
            state.len()
        });
        assert!(late.is_err());
    });
    store.push(1);
    assert_eq!(store.pop_in_parked(LONG), Ok(Some(1)));
    store.push(2);
    assert_eq!(runtime.block_on(store.pop_in(LONG)), Ok(Some(2)));
    let in_time = with_lock!(
        read(store.state),
        blocking,
        when = state.is_empty(),
        timeout = LONG,
        { state.len() }
    );
    assert_eq!(in_time, Ok(0));
}

#[test]
fn several_locks_in_any_order_do_not_deadlock() {
    let stores = [Store::default(), Store::default()];
    let move_all = |from: &Store, to: &Store| {
        with_lock!(a = from.state, b = to.state, blocking, { b.append(a) });
    };
    let move_mixed = async |from: &Store, to: &Store| {
        with_lock!(a = from.state, to.slow, b = to.state, {
            slow.clear();
            b.append(a);
        });
    };
    stores[0].push(1);
    thread::scope(|scope| {
        for (from, to) in [(0, 1), (1, 0)] {
            let (from, to) = (&stores[from], &stores[to]);
            scope.spawn(move || (0..2000).for_each(|_| move_all(from, to)));
            scope.spawn(move || {
                block_on(async {
                    for _ in 0..2000 {
                        move_mixed(from, to).await;
                    }
                })
            });
        }
    });
    assert_eq!(stores[0].sum() + stores[1].sum(), 1);
}

#[test]
#[should_panic(expected = "`store.state` and `store.state` are the same lock")]
fn the_same_lock_twice_panics() {
    let store = Store::default();
    with_lock!(a = store.state, b = store.state, blocking, { b.append(a) });
}

/// The async lock is acquired first, whatever its address: nobody is kept from a sync lock
/// by who waits.
#[test]
fn sync_locks_are_acquired_behind_async_ones() {
    let stores = [Store::default(), Store::default()];
    let mut context = Context::from_waker(Waker::noop());
    for (one, other) in [(0, 1), (1, 0)] {
        let (one, other) = (&stores[one], &stores[other]);
        let held = one.slow.try_lock().expect("it is free");
        let mut waiting = std::pin::pin!(async {
            with_lock!(other.state, one.slow, { slow.append(state) });
        });
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        assert!(other.state.try_lock().is_some());
        drop(held);
        assert!(waiting.as_mut().poll(&mut context).is_ready());
    }
}

/// What stands nearer is the lock that is meant.
#[test]
fn the_nearest_lock_is_found() {
    let inner = sync::Mutex::new(Mutex::new(1));
    with_lock!(inner, blocking, { *inner.get_mut() += 1 });
    let outer = Mutex::new(sync::Mutex::new(1));
    block_on(async { with_lock!(outer, { *outer.get_mut() += 1 }) });
    let pointers = Arc::new(Box::new(sync::Mutex::new(1)));
    with_lock!(pointers, blocking, { *pointers += 1 });
    assert_eq!(*pointers.lock(), 2);
}

// Methods of traits.

struct Subscription {
    shared: Arc<sync::Mutex<Vec<u32>>>,
    seen: Vec<u32>,
}

impl Drop for Subscription {
    #[synchronized(shared)]
    fn drop(&mut self) {
        shared.append(&mut self.seen);
    }
}

impl Iterator for Subscription {
    type Item = u32;

    #[synchronized(shared)]
    fn next(&mut self) -> Option<u32> {
        let value = shared.pop()?;
        self.seen.push(value);
        Some(value)
    }
}

impl fmt::Display for Subscription {
    #[synchronized(read(self.shared))]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} left, {} seen", shared.len(), self.seen.len())
    }
}

impl Stream for Subscription {
    type Item = u32;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
        let this = self.get_mut();
        with_lock!(this.shared, blocking, {
            if shared.is_empty() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let value = shared.pop();
            this.seen.extend(value);
            Poll::Ready(value)
        })
    }
}

static GLOBAL: sync::Mutex<u32> = sync::Mutex::new(0);

#[synchronized(GLOBAL)]
fn count() -> u32 {
    *global += 1;
    *global
}

trait Counted {
    fn lock(&self) -> &sync::Mutex<u32>;

    #[synchronized(count = self.lock())]
    fn count_up(self: &Arc<Self>) -> u32 {
        *count += 1;
        *count
    }
}

impl Counted for sync::Mutex<u32> {
    fn lock(&self) -> &sync::Mutex<u32> {
        self
    }
}

#[test]
fn methods_of_traits_run_their_sections() {
    let shared = Arc::new(sync::Mutex::new(vec![1, 2, 3]));
    let mut subscription = Subscription {
        shared: Arc::clone(&shared),
        seen: Vec::new(),
    };
    assert_eq!(subscription.next(), Some(3));
    let polled = Pin::new(&mut subscription).poll_next(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Ready(Some(2)));
    assert_eq!(subscription.to_string(), "1 left, 2 seen");
    drop(subscription);
    assert_eq!(*shared.lock(), [1, 3, 2]);
    assert_eq!((count(), count()), (1, 2));
    let counted = Arc::new(sync::Mutex::new(5));
    assert_eq!(counted.count_up(), 6);
}

/// Generic code: over any sync lock, and with an `.await` over any async one.
fn push_to<L>(lock: &L, value: u32)
where
    L: async_monitor::SyncLock,
    for<'a> L::Guard<'a>: std::ops::DerefMut<Target = Vec<u32>>,
{
    with_lock!(lock, blocking, { lock.push(value) });
}

#[test]
fn code_is_generic_over_locks() {
    let lock = Arc::new(sync::Mutex::new(vec![]));
    push_to(&lock, 1);
    push_to(&*lock, 2);
    assert_eq!(*lock.lock(), [1, 2]);
}

// Locks of a derive.

#[derive(Guarded, Default)]
struct Pool {
    state: sync::Lock,
    #[guarded_by(state)]
    idle: Guarded<Vec<u32>>,
    #[guarded_by(state)]
    made: Guarded<u32>,
    #[lock(rw)]
    config: sync::RwLock<()>,
    #[guarded_by(config)]
    limit: Guarded<u32>,
    slow: async_monitor::Lock,
    #[guarded_by(slow)]
    log: Guarded<Vec<u32>>,
    dropped: AtomicUsize,
}

impl Pool {
    #[synchronized(state, read(config))]
    fn take(&self) -> Option<u32> {
        if let Some(idle) = state.idle.pop() {
            return Some(idle);
        }
        (*state.made < *config.limit).then(|| {
            *state.made += 1;
            *state.made
        })
    }

    #[synchronized(state, when = !state.idle.is_empty())]
    async fn wait(&self) -> u32 {
        state.idle.pop().unwrap_or(0)
    }

    #[synchronized(read(state), when = state.idle.len() >= least)]
    fn wait_for(&self, least: usize) -> usize {
        state.idle.len()
    }

    #[synchronized(read(config), when = *config.limit >= least)]
    async fn limit_of(&self, least: u32) -> u32 {
        *config.limit
    }

    #[synchronized(state)]
    fn put(&self, value: u32) {
        state.idle.push(value);
    }

    #[synchronized(config)]
    fn allow(&self, limit: u32) {
        *config.limit = limit;
    }

    #[synchronized(state, slow)]
    async fn note(&self) -> usize {
        slow.log.append(state.idle);
        slow.log.len()
    }

    #[synchronized(state, atomic)]
    async fn put_or_not(&self, value: u32) -> Result<u32, Full> {
        state.idle.push(value);
        *state.made += 1;
        if value > 9 {
            return Err(Full);
        }
        Ok(value)
    }
}

struct Lease(Arc<Pool>, u32);

impl Drop for Lease {
    #[synchronized(self.0.state)]
    fn drop(&mut self) {
        state.idle.push(self.1);
        self.0.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn locks_of_a_derive_have_short_sections() {
    let pool = Arc::new(Pool::default());
    assert_eq!(pool.take(), None);
    pool.allow(1);
    let lease = Lease(Arc::clone(&pool), pool.take().expect("allowed"));
    assert_eq!(pool.take(), None);
    let mut context = Context::from_waker(Waker::noop());
    let mut wait = std::pin::pin!(send(pool.wait()));
    assert!(wait.as_mut().poll(&mut context).is_pending());
    drop(lease);
    assert_eq!(pool.dropped.load(Ordering::Relaxed), 1);
    assert_eq!(wait.as_mut().poll(&mut context), Poll::Ready(1));
    block_on(send(async {
        assert_eq!(pool.put_or_not(10).await, Err(Full));
        assert_eq!(pool.put_or_not(3).await, Ok(3));
        assert_eq!(pool.note().await, 1);
        assert_eq!(pool.limit_of(1).await, 1);
        with_lock!(pool.state, pool.slow, { slow.log.append(state.idle) });
        with_lock!(read(pool.state), { assert_eq!(*state.made, 2) });
    }));
    pool.put(1);
    assert_eq!(pool.wait_for(1), 1);
}

// Under `#[monitor]`.

macro_rules! add {
    ($place:expr, $value:expr) => {
        $place += $value
    };
}

macro_rules! await_it {
    ($future:expr) => {
        $future.await
    };
}

#[monitor]
impl Pool {
    #[synchronized(state)]
    fn make(&self) -> u32 {
        *state.made += 1;
        *state.made
    }

    #[synchronized(read(state))]
    fn made(&self) -> u32 {
        *state.made
    }

    #[synchronized(state, atomic)]
    fn make_two(&self, most: u32) -> Result<u32, Full> {
        state.make();
        let made = state.make();
        if made > most {
            Err(Full)
        } else {
            Ok(state.made())
        }
    }

    #[synchronized(state)]
    async fn make_in_a_task(&self) -> u32 {
        state.make() + state.made()
    }

    /// A macro that is not known to have no `.await`, under a lock that has no room for one.
    #[synchronized(state)]
    async fn make_by_a_macro(&self, (many, more): (u32, u32)) -> u32 {
        add!(*state.made, many);
        if more == 0 {
            return 0;
        }
        add!(*state.made, more);
        *state.made
    }

    #[synchronized(read(state))]
    async fn made_by_a_macro(&self) -> u32 {
        let mut made = *state.made;
        add!(made, 0);
        made
    }

    #[synchronized(state, atomic)]
    async fn make_by_macros(&self, most: u32) -> Result<u32, Full> {
        add!(*state.made, 1);
        let made = state.make();
        if made > most { Err(Full) } else { Ok(made) }
    }

    /// The same under a lock that has room.
    #[synchronized(slow)]
    async fn write_by_a_macro(&self) -> usize {
        slow.log.push(await_it!(async { 7 }));
        slow.log.len()
    }

    #[synchronized(slow, blocking)]
    fn write(&self, line: u32) -> usize {
        slow.log.push(line);
        slow.log.len()
    }

    #[synchronized(slow)]
    async fn write_two(&self) -> usize {
        slow.write(1);
        turn().await;
        slow.write(2)
    }
}

#[test]
fn plain_methods_run_under_a_lock_that_is_held() {
    let pool = Pool::default();
    assert_eq!(pool.make(), 1);
    assert_eq!(pool.make_two(2), Err(Full));
    assert_eq!(pool.make_two(3), Ok(3));
    assert_eq!(pool.made(), 3);
    assert_eq!(block_on(send(pool.make_in_a_task())), 8);
    assert_eq!(pool.write(0), 1);
    assert_eq!(block_on(send(pool.write_two())), 3);
    let mut guard = pool.acquire_state();
    assert_eq!(guard.fields().make(), 5);
}

#[test]
fn a_body_with_a_macro_is_plain_under_a_sync_lock() {
    let pool = Pool::default();
    assert_eq!(block_on(send(pool.make_by_a_macro((1, 2)))), 3);
    assert_eq!(block_on(send(pool.make_by_a_macro((1, 0)))), 0);
    assert_eq!(block_on(send(pool.made_by_a_macro())), 4);
    assert_eq!(block_on(send(pool.make_by_macros(5))), Err(Full));
    assert_eq!(block_on(send(pool.make_by_macros(6))), Ok(6));
    let mut guard = pool.acquire_state();
    assert_eq!(block_on(guard.fields().make_by_a_macro((1, 1))), 8);
    assert_eq!(block_on(guard.fields().made_by_a_macro()), 8);
    drop(guard);
    assert_eq!(block_on(send(pool.write_by_a_macro())), 1);
}
