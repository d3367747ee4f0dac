use async_monitor::{Mutex, synchronized};

static COUNT: Mutex<u32> = Mutex::new(0);

#[tokio::main]
#[synchronized(COUNT)]
async fn main() {
    *count += 1;
}
