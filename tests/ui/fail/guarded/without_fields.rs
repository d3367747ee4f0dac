// A guard, and the fields that it leads to.
use async_monitor::{Guarded, Lock, RwLock};

#[derive(Guarded, Default)]
struct Pool {
    state: Lock,
    #[guarded_by(state)]
    connections: Guarded<Vec<u32>>,
    #[guarded_by(state)]
    number: Guarded<u64>,
    #[lock(rw)]
    config: RwLock<()>,
    #[guarded_by(config)]
    limit: Guarded<u64>,
}

async fn without_fields(pool: &Pool) {
    let mut guard = pool.acquire_state().await;
    guard.connections.push(1);
    *guard.number += 1;
    guard.number += 1;
    let _ = guard.connections.len() + guard.connections.capacity();
    let config = pool.read_config().await;
    let _: u64 = *config.limit;
    guard.conections.push(1);
}

async fn without_the_lock(pool: &mut Pool) {
    pool.number += 1;
    *pool.number += 1;
}

fn main() {}
