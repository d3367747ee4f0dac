use async_monitor::{Guarded, RwLock, synchronized};

#[derive(Guarded)]
struct Settings {
    lock: RwLock<()>, // no `#[lock(rw)]`
    #[guarded_by(lock)]
    name: Guarded<String>,
}

impl Settings {
    #[synchronized(read(lock))]
    async fn field(&self) -> String {
        lock.name.clone()
    }

    #[synchronized(read(lock))]
    async fn method(&self) -> String {
        lock.field()
    }
}

fn main() {}
