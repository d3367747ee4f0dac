//! Watching: an allocator that waits for a lock of this crate.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use async_monitor::{Guarded, Lock, sync, synchronized};

struct Slow;

static LOCK: sync::Lock = sync::Lock::new();

const IDLE: u8 = 0;
const ASKED: u8 = 1;
const HELD: u8 = 2;
static HOLDER: AtomicU8 = AtomicU8::new(IDLE);

thread_local! {
    static IS_SLOW: Cell<bool> = const { Cell::new(false) };
}

/// Waits for the lock, which another thread holds.
fn wait() {
    if IS_SLOW.replace(false) {
        HOLDER.store(ASKED, Ordering::SeqCst);
        while HOLDER.load(Ordering::SeqCst) != HELD {
            thread::yield_now();
        }
        drop(LOCK.acquire());
        IS_SLOW.set(true);
    }
}

// SAFETY: that of the system.
unsafe impl GlobalAlloc for Slow {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        wait();
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        wait();
        // SAFETY: passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Slow = Slow;

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

impl Account {
    #[synchronized(ledger)]
    async fn waits(&self) -> i64 {
        pending::<()>().await;
        *ledger.balance
    }
}

/// What the registry allocates while it is locked, this thread waits for: it does not ask for
/// the registry again.
#[test]
fn the_registry_is_locked_once() {
    thread::spawn(|| {
        loop {
            if HOLDER.load(Ordering::SeqCst) == ASKED {
                let guard = LOCK.acquire();
                HOLDER.store(HELD, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(1));
                drop(guard);
            }
            thread::yield_now();
        }
    });
    let (done, is_done) = mpsc::channel();
    thread::spawn(move || {
        hold_and_wait();
        let _ = done.send(());
    });
    let is_done = is_done.recv_timeout(Duration::from_secs(10));
    is_done.expect("the thread that has locked the registry does not wait for it");
}

/// Sections that are suspended, and that wait, with an allocator that waits as well.
fn hold_and_wait() {
    let cx = &mut Context::from_waker(Waker::noop());
    let accounts: [Account; 12] = Default::default();
    IS_SLOW.set(true);
    for account in &accounts {
        let mut holds = pin!(account.waits());
        assert!(holds.as_mut().poll(cx).is_pending());
        let mut waits = pin!(account.waits());
        assert!(waits.as_mut().poll(cx).is_pending());
    }
    IS_SLOW.set(false);
}
