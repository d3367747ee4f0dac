//! The notification comes before the wait, which does not look at the data first.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Condition, Mutex};

use crate::support::task;

#[derive(Default)]
struct Mailbox {
    letters: Mutex<Vec<&'static str>>,
    arrived: Condition,
}

impl Mailbox {
    async fn send(&self) {
        let mut letters = self.letters.lock().await;
        letters.push("hello");
        self.arrived.notify_one(&letters);
    }

    async fn receive(&self, is_mended: bool) {
        let letters = self.letters.lock().await;
        let mut letters = if is_mended {
            let has_come = |letters: &Vec<_>| !letters.is_empty();
            self.arrived.wait_for(letters, has_come).await
        } else {
            self.arrived.wait(letters).await
        };
        letters.pop();
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let mailbox = Arc::new(Mailbox::default());
    run.name("letters", &mailbox.letters);
    run.name("arrived", &mailbox.arrived);
    task(run, "sender", &mailbox, |mailbox| async move {
        mailbox.send().await;
    });
    task(run, "receiver", &mailbox, move |mailbox| async move {
        mailbox.receive(is_mended).await;
    });
}
