use async_monitor::{Lock, synchronized};

struct Plain {
    number: u8,
    lock: Lock,
    std: std::sync::Mutex<u8>,
}

impl Plain {
    #[synchronized(number)]
    async fn number(&self) {}

    #[synchronized(std)]
    async fn std(&self) {}

    #[synchronized(read(lock))]
    async fn not_to_read(&self) {}

    #[synchronized(l = lock)]
    async fn parameter(&self, lock: &u8) {
        let _ = l;
    }
}

fn main() {}
