//! A permit is forgotten where an error returns early.

use async_monitor::Semaphore;

use crate::support::{Task, run_tasks};

async fn download(connections: &Semaphore, url: &str) -> Result<(), String> {
    let permit = connections.acquire().await;
    // To be given back by `add_permits(1)` at the end, which is not reached.
    permit.forget();
    if !url.starts_with("https") {
        return Err(format!("{url} is not safe"));
    }
    connections.add_permits(1);
    Ok(())
}

pub fn run() {
    let connections: &'static Semaphore = Box::leak(Box::new(Semaphore::new(1)));
    let task = |url: &'static str| -> Task {
        Box::pin(async move {
            let _ = download(connections, url).await;
        })
    };
    run_tasks([task("http://one"), task("https://two")]);
}
