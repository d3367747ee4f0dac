//! The event is cleared after it was set: whoever waits then has missed it.

use std::sync::Arc;

use async_monitor::Event;
use async_monitor::check::Run;

use crate::support::task;

async fn serve(ready: &Event, is_mended: bool) {
    if !is_mended {
        // To begin anew.
        ready.clear();
    }
    ready.wait().await;
}

pub fn run(run: &mut Run, is_mended: bool) {
    let ready = Arc::new(Event::new());
    run.name("ready", &*ready);
    task(run, "starter", &ready, |ready| async move { ready.set() });
    task(run, "server", &ready, move |ready| async move {
        serve(&ready, is_mended).await;
    });
}
