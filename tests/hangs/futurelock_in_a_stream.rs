//! A stream has started a future that waits for the lock, and is not polled while the loop's
//! body asks for the lock, too.

use async_monitor::{Guarded, Lock, synchronized};
use futures::stream::{self, StreamExt};

use crate::support::{a_moment, global, run_tasks};

#[derive(Guarded, Default)]
struct Progress {
    state: Lock,
    #[guarded_by(state)]
    done: Guarded<usize>,
}

impl Progress {
    #[synchronized(state)]
    async fn fetch(&self, page: usize) -> usize {
        a_moment().await;
        *state.done += 1;
        page
    }

    #[synchronized(state)]
    async fn print(&self, page: usize) {
        println!("page {page} of {}", *state.done);
    }
}

async fn crawl(progress: &Progress) {
    let pages = stream::iter(0..4).map(|page| progress.fetch(page));
    let mut pages = Box::pin(pages.buffered(2));
    while let Some(page) = pages.next().await {
        progress.print(page).await;
    }
}

pub fn run() {
    run_tasks([Box::pin(crawl(global()))]);
}
