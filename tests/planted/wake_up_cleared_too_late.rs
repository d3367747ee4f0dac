//! A consumer takes what there is, and then clears the event which says that there is more.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Event, Guarded, Lock, synchronized};

use crate::support::task;

#[derive(Guarded, Default)]
struct Inbox {
    state: Lock,
    #[guarded_by(state)]
    letters: Guarded<u32>,
    has_more: Event,
}

impl Inbox {
    #[synchronized(state)]
    async fn add(&self) {
        *state.letters += 1;
        self.has_more.set();
    }

    #[synchronized(state)]
    async fn take_all(&self) -> u32 {
        std::mem::take(&mut *state.letters)
    }

    async fn next(&self, is_mended: bool) -> u32 {
        self.has_more.wait().await;
        if is_mended {
            self.has_more.clear();
            self.take_all().await
        } else {
            let letters = self.take_all().await;
            self.has_more.clear();
            letters
        }
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let inbox = Arc::new(Inbox::default());
    run.name("has_more", &inbox.has_more);
    task(run, "postman", &inbox, |inbox| async move {
        inbox.add().await;
        inbox.add().await;
    });
    task(run, "reader", &inbox, move |inbox| async move {
        let mut read = 0;
        while read < 2 {
            read += inbox.next(is_mended).await;
        }
    });
}
