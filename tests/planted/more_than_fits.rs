//! The length of a queue is looked at before the lock is acquired to add to it.

use std::sync::Arc;

use async_monitor::Mutex;
use async_monitor::check::Run;

use crate::support::task;

const CAPACITY: usize = 1;

async fn add(queue: &Mutex<Vec<u32>>, is_mended: bool) {
    if is_mended {
        let mut items = queue.lock().await;
        if items.len() < CAPACITY {
            items.push(1);
        }
    } else if queue.lock().await.len() < CAPACITY {
        queue.lock().await.push(1);
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let queue = Arc::new(Mutex::new(Vec::new()));
    run.name("queue", &*queue);
    for name in ["ada", "bob"] {
        task(run, name, &queue, move |queue| async move {
            add(&queue, is_mended).await;
        });
    }
    run.always(move || {
        let len = queue.try_lock().map_or(0, |items| items.len());
        assert!(len <= CAPACITY, "{len} items are in a queue of {CAPACITY}");
    });
}
