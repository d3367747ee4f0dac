//! A struct that is named without its arguments.
use async_monitor::{Guarded, Lock, RwLock, monitor, synchronized};

#[derive(Guarded)]
pub struct Queue<T = u8, const N: usize = 4> {
    lock: Lock,
    #[guarded_by(lock)]
    items: Guarded<Vec<T>>,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    limits: Guarded<[u8; N]>,
}

#[monitor]
impl Queue {
    #[synchronized(lock)]
    pub async fn push(&self, item: u8) {
        lock.items.push(item);
    }

    #[synchronized(lock)]
    pub async fn twice(&self, item: u8) {
        lock.push(item).await;
        lock.push(item).await;
    }

    #[synchronized(read(cfg))]
    pub async fn first(&self) -> u8 {
        cfg.limits[0]
    }
}

fn main() {
    let queue = Queue {
        lock: Lock::new(),
        items: Guarded::new(vec![]),
        cfg: RwLock::new(()),
        limits: Guarded::new([1; 4]),
    };
    futures::executor::block_on(async {
        queue.twice(queue.first().await).await;
        assert_eq!(*queue.acquire_lock().await.fields().items, [1, 1]);
    });
}
