use async_monitor::{Lock, with_lock};

async fn call(locks: &[Lock]) {
    with_lock!(locks[0], {});
    with_lock!(locks.first().unwrap(), {});
}

fn main() {}
