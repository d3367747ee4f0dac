//! Two wait for one condition each, with one `Condition`; the notification goes to the wrong
//! one.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Condition, Mutex};

use crate::support::task;

#[derive(Default)]
struct Queue {
    items: Mutex<Vec<u32>>,
    changed: Condition,
}

impl Queue {
    async fn put(&self, is_mended: bool) {
        let mut items = self.items.lock().await;
        items.push(1);
        if is_mended {
            self.changed.notify_all(&items);
        } else {
            self.changed.notify_one(&items);
        }
    }

    async fn until(&self, count: usize) {
        let items = self.items.lock().await;
        let has_come = |items: &Vec<u32>| items.len() >= count;
        drop(self.changed.wait_for(items, has_come).await);
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let queue = Arc::new(Queue::default());
    run.name("items", &queue.items);
    run.name("changed", &queue.changed);
    for (name, count) in [("for 1", 1), ("for 2", 2)] {
        task(run, name, &queue, move |queue| async move {
            queue.until(count).await;
        });
    }
    task(run, "putter", &queue, move |queue| async move {
        queue.put(is_mended).await;
        queue.put(is_mended).await;
    });
}
