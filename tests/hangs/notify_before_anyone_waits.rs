//! The notification comes before the wait, which does not look at the data first.

use async_monitor::{Condition, Mutex};

use crate::support::{a_moment, global, run_tasks};

#[derive(Default)]
struct Mailbox {
    letters: Mutex<Vec<String>>,
    arrived: Condition,
}

async fn send(mailbox: &Mailbox) {
    let mut letters = mailbox.letters.lock().await;
    letters.push("hello".to_owned());
    mailbox.arrived.notify_one(&letters);
}

async fn receive(mailbox: &Mailbox) {
    a_moment().await;
    let letters = mailbox.letters.lock().await;
    let mut letters = mailbox.arrived.wait(letters).await;
    println!("{:?}", letters.pop());
}

pub fn run() {
    let mailbox: &Mailbox = global();
    run_tasks([Box::pin(send(mailbox)), Box::pin(receive(mailbox))]);
}
