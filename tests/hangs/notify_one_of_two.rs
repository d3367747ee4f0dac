//! Two wait for one condition each, with one `Condition`; the notification goes to the wrong
//! one.

use async_monitor::{Condition, Mutex};

use crate::support::{global, run_tasks};

#[derive(Default)]
struct Queue {
    items: Mutex<Vec<u32>>,
    changed: Condition,
}

async fn put(queue: &Queue, item: u32) {
    let items = queue.items.lock().await;
    let is_free = |items: &Vec<u32>| items.len() < 2;
    let mut items = queue.changed.wait_for(items, is_free).await;
    items.push(item);
    queue.changed.notify_one(&items);
}

async fn flush(queue: &Queue) {
    let items = queue.items.lock().await;
    let mut items = queue.changed.wait_for(items, |items| items.len() > 5).await;
    items.clear();
    queue.changed.notify_one(&items);
}

pub fn run() {
    let queue: &Queue = global();
    run_tasks([
        Box::pin(flush(queue)),
        Box::pin(async {
            for item in 0..3 {
                put(queue, item).await;
            }
        }),
    ]);
}
