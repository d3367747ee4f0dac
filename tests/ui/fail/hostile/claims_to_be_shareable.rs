//! That data may be read by several tasks cannot be claimed by safe code.

use std::cell::Cell;

use async_monitor::{Guarded, RwLock};

trait Counter: Send {
    fn count(&self);
}

impl Counter for Cell<u64> {
    fn count(&self) {
        self.set(self.get() + 1);
    }
}

impl async_monitor::__private::Shareable for &dyn Counter {}

#[derive(Guarded)]
struct Shared<T: ?Sized> {
    #[lock(rw)]
    lock: RwLock<()>,
    #[guarded_by(lock)]
    counter: Guarded<T>,
}

fn raced(shared: &Shared<dyn Counter>) {
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| shared.read_lock_blocking().fields().counter.count());
        }
    });
}

fn main() {}
