use async_monitor::{Guarded, RwLock, synchronized};

#[derive(Guarded)]
struct Config {
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<u32>,
    #[lock(rw)]
    data: RwLock<u32>,
    plain: RwLock<u32>,
}

impl Config {
    #[synchronized(read(cfg), read(data), read(plain))]
    async fn set(&self) {
        *cfg.limit = 1;
        *data.value = 2;
        *plain = 3;
    }

    fn by_hand(&self) {
        *self.read_cfg_blocking().fields().limit = 1;
    }
}

fn main() {}
