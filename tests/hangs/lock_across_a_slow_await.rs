//! A section awaits a peer that never answers; others wait for its lock.

use async_monitor::{Guarded, Lock, synchronized};
use futures::channel::oneshot;

use crate::support::{global, run_tasks};

#[derive(Guarded, Default)]
struct Client {
    session: Lock,
    #[guarded_by(session)]
    requests: Guarded<u64>,
}

impl Client {
    #[synchronized(session)]
    async fn request(&self, reply: oneshot::Receiver<u64>) -> Option<u64> {
        *session.requests += 1;
        reply.await.ok()
    }

    #[synchronized(session)]
    async fn requests(&self) -> u64 {
        *session.requests
    }
}

pub fn run() {
    let client: &Client = global();
    let (peer, reply) = oneshot::channel();
    run_tasks([
        Box::pin(async {
            client.request(reply).await;
        }),
        Box::pin(async {
            println!("{}", client.requests().await);
        }),
    ]);
    drop(peer);
}
