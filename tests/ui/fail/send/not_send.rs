use async_monitor::{Guarded, Lock, with_lock};

use std::rc::Rc;

#[derive(Guarded)]
struct Shared {
    lock: Lock,
    #[guarded_by(lock)]
    counted: Guarded<Rc<u8>>,
}

fn sync<T: Sync>(_: &T) {}
fn send<T: Send>(_: T) {}

fn shared(shared: &Shared) {
    sync(shared);
}

fn sent(shared: &'static Shared) {
    send(async { with_lock!(shared.lock, { **lock.counted }) });
}

fn main() {}
