//! The event is cleared after it was set: whoever waits then has missed it.

use async_monitor::Event;

use crate::support::{a_moment, global, run_tasks};

async fn start(ready: &Event) {
    ready.set();
    a_moment().await;
}

async fn serve(ready: &Event) {
    // To begin anew.
    ready.clear();
    ready.wait().await;
}

pub fn run() {
    let ready: &Event = global();
    run_tasks([Box::pin(start(ready)), Box::pin(serve(ready))]);
}
