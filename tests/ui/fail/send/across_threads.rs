use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use async_monitor::{Guarded, Lock, Mutex, RwLock, synchronized, with_lock};

#[derive(Guarded)]
struct Shared {
    lock: Lock,
    #[guarded_by(lock)]
    counted: Guarded<Rc<u8>>,
}

#[derive(Guarded)]
struct Cells {
    lock: Lock,
    #[guarded_by(lock)]
    cell: Guarded<Cell<u8>>,
}

impl Shared {
    #[synchronized(lock)]
    async fn counted(&self) -> u8 {
        turn().await;
        **lock.counted
    }
}

async fn turn() {}

fn spawn(_: impl Future + Send + 'static) {}

fn not_send(shared: Arc<Shared>, mutex: Arc<Mutex<Rc<u8>>>, rw: Arc<RwLock<Cell<u8>>>) {
    let other = Arc::clone(&shared);
    spawn(async move { other.counted().await });
    spawn(async move { with_lock!(mutex, { **mutex }) });
    spawn(async move { with_lock!(read(rw), { rw.get() }) });
}

fn a_guard_of_a_cell_is_shared(cells: &Cells) {
    let guard = cells.acquire_lock_blocking();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _ = &guard;
        });
    });
}

fn a_borrowed_guard_leaves_its_scope(cells: &Cells) {
    let guard = cells.acquire_lock_blocking();
    std::thread::spawn(move || drop(guard));
}

fn main() {}
