use async_monitor::{Elapsed, Mutex, synchronized, with_lock};

#[synchronized(count, timeout = 5)]
async fn seconds(count: &Mutex<u8>) -> Result<u8, Elapsed> {
    Ok(*count)
}

async fn block(count: &Mutex<u8>) -> Result<u8, Elapsed> {
    with_lock!(count, timeout = "5s", { *count })
}

async fn not_looked_at(count: &Mutex<u8>) {
    with_lock!(count, timeout = std::time::Duration::ZERO, { *count += 1 });
}

fn main() {}
