//! Who shuts down holds the lock, and waits for a task that needs it to end.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Event, Guarded, Lock, synchronized};

use crate::support::task;

#[derive(Guarded, Default)]
struct Server {
    state: Lock,
    #[guarded_by(state)]
    connections: Guarded<u32>,
    is_gone: Event,
}

impl Server {
    #[synchronized(state)]
    async fn shut_down(&self) {
        self.is_gone.wait().await;
        *state.connections = 0;
    }

    async fn shut_down_mended(&self) {
        self.is_gone.wait().await;
        self.forget().await;
    }

    #[synchronized(state)]
    async fn forget(&self) {
        *state.connections = 0;
    }

    #[synchronized(state)]
    async fn disconnect(&self) {
        *state.connections = state.connections.saturating_sub(1);
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let server = Arc::new(Server::default());
    run.name("is_gone", &server.is_gone);
    task(run, "signal", &server, move |server| async move {
        if is_mended {
            server.shut_down_mended().await;
        } else {
            server.shut_down().await;
        }
    });
    task(run, "client", &server, |server| async move {
        server.disconnect().await;
        server.is_gone.set();
    });
}
