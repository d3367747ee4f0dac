use async_monitor::{Guarded, RwLock, synchronized};

#[derive(Guarded)]
struct Settings {
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<u8>,
}

impl Settings {
    #[synchronized(read(cfg), atomic)]
    async fn limit(&self) -> u8 {
        *cfg.limit
    }
}

fn main() {}
