//! Who comes later takes the seat that is free for the first of the waiting list.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Guarded, Lock, synchronized};

use crate::support::{block_on, task};

#[derive(Guarded, Default)]
struct Hall {
    seats: Lock,
    #[guarded_by(seats)]
    free: Guarded<u32>,
    /// On the list, and without a seat yet.
    #[guarded_by(seats)]
    waiting: Guarded<u32>,
    #[guarded_by(seats)]
    were_overtaken: Guarded<bool>,
}

impl Hall {
    #[synchronized(seats)]
    async fn queue_up(&self) {
        *seats.waiting += 1;
    }

    #[synchronized(seats, when = *seats.free > 0)]
    async fn enter(&self) {
        *seats.free -= 1;
        *seats.waiting -= 1;
    }

    #[synchronized(seats)]
    async fn give_back(&self) {
        *seats.free += 1;
    }

    #[synchronized(seats)]
    async fn buy(&self, is_mended: bool) {
        let left = seats.free.saturating_sub(if is_mended { *seats.waiting } else { 0 });
        if left > 0 {
            *seats.were_overtaken |= *seats.free <= *seats.waiting;
            *seats.free -= 1;
        }
    }

    #[synchronized(seats)]
    async fn were_overtaken(&self) -> bool {
        *seats.were_overtaken
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let hall = Arc::new(Hall::default());
    let waiter = Arc::clone(&hall);
    // Who leaves the list is another story.
    run.background("waiter", async move {
        waiter.queue_up().await;
        waiter.enter().await;
    });
    task(run, "walk-in", &hall, move |hall| async move {
        hall.buy(is_mended).await;
    });
    task(run, "returner", &hall, |hall| async move {
        hall.give_back().await;
        hall.give_back().await;
    });
    run.finally(move || {
        assert!(!block_on(hall.were_overtaken()), "somebody was overtaken");
    });
}
