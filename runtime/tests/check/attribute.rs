//! `#[async_monitor::check]`.

use std::sync::Arc;

use async_monitor::{Mutex, check};

#[async_monitor::check(cancels = 0)]
async fn nothing_is_lost() {
    let sum = Arc::new(Mutex::new(0));
    let tasks = ["a", "b"].map(|name| {
        let sum = Arc::clone(&sum);
        check::spawn(name, async move {
            *sum.lock().await += 1;
            name
        })
    });
    for (task, name) in tasks.into_iter().zip(["a", "b"]) {
        assert_eq!(task.await, Ok(name));
    }
    assert_eq!(*sum.lock().await, 2);
}

#[async_monitor::check]
#[should_panic(expected = "Cancelled")]
async fn a_task_may_be_cancelled() {
    let event = Arc::new(async_monitor::Event::new());
    let other = Arc::clone(&event);
    let waits = check::spawn("waits", async move { other.wait().await });
    event.set();
    waits.await.unwrap();
}
