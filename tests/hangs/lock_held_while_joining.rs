//! A section waits for the end of a task that needs its lock.

use std::sync::Arc;

use async_monitor::{Guarded, Lock, synchronized};
use futures::executor::block_on;
use tokio::runtime::Runtime;

#[derive(Guarded, Default)]
struct Server {
    state: Lock,
    #[guarded_by(state)]
    connections: Guarded<usize>,
}

impl Server {
    #[synchronized(state)]
    async fn shut_down(self: &Arc<Self>, runtime: &Runtime) {
        *state.connections += 1;
        let server = Arc::clone(self);
        let task = runtime.spawn(async move { server.close_connection().await });
        let _ = task.await;
    }

    #[synchronized(state)]
    async fn close_connection(&self) {
        *state.connections -= 1;
    }
}

pub fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("a runtime");
    block_on(Arc::new(Server::default()).shut_down(&runtime));
}
