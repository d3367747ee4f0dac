use async_monitor::{Guarded, Lock, synchronized};

#[derive(Guarded)]
struct Bytes<T: ?Sized> {
    lock: Lock,
    #[guarded_by(lock)]
    bytes: Guarded<T>,
}

impl Bytes<[u8]> {
    #[synchronized(lock, atomic)]
    async fn clear(&self) {
        lock.bytes.fill(0);
    }
}

fn main() {}
