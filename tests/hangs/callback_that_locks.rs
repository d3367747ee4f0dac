//! A section awaits the callback of a user, which asks the object.

use std::sync::Arc;

use async_monitor::{Guarded, Lock, synchronized};
use futures::executor::block_on;
use futures::future::BoxFuture;

type Callback = Arc<dyn Fn(Arc<Feed>) -> BoxFuture<'static, ()> + Send + Sync>;

#[derive(Guarded, Default)]
struct Feed {
    state: Lock,
    #[guarded_by(state)]
    items: Guarded<Vec<u32>>,
    #[guarded_by(state)]
    subscribers: Guarded<Vec<Callback>>,
}

impl Feed {
    #[synchronized(state)]
    async fn publish(self: &Arc<Self>, item: u32) {
        state.items.push(item);
        for subscriber in state.subscribers.iter() {
            subscriber(Arc::clone(self)).await;
        }
    }

    #[synchronized(state)]
    async fn subscribe(&self, subscriber: Callback) {
        state.subscribers.push(subscriber);
    }

    #[synchronized(state)]
    async fn latest(&self) -> Option<u32> {
        state.items.last().copied()
    }
}

pub fn run() {
    let feed = Arc::new(Feed::default());
    block_on(async {
        feed.subscribe(Arc::new(|feed| {
            Box::pin(async move { println!("{:?}", feed.latest().await) })
        }))
        .await;
        feed.publish(1).await;
    });
}
