//! Whether a seat is free is asked in one section, and it is taken in another.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Guarded, Lock, synchronized};

use crate::support::{block_on, task};

#[derive(Guarded, Default)]
struct Seat {
    plan: Lock,
    #[guarded_by(plan)]
    sold_to: Guarded<Vec<&'static str>>,
}

impl Seat {
    #[synchronized(plan)]
    async fn is_free(&self) -> bool {
        plan.sold_to.is_empty()
    }

    #[synchronized(plan)]
    async fn take(&self, who: &'static str) {
        plan.sold_to.push(who);
    }

    #[synchronized(plan)]
    async fn take_if_free(&self, who: &'static str) {
        if plan.sold_to.is_empty() {
            plan.sold_to.push(who);
        }
    }

    #[synchronized(plan)]
    async fn owners(&self) -> Vec<&'static str> {
        plan.sold_to.clone()
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let seat = Arc::new(Seat::default());
    for name in ["ada", "bob", "eve"] {
        task(run, name, &seat, move |seat| async move {
            if is_mended {
                seat.take_if_free(name).await;
            } else if seat.is_free().await {
                seat.take(name).await;
            }
        });
    }
    run.finally(move || {
        let owners = block_on(seat.owners());
        assert!(owners.len() <= 1, "a seat was sold to {owners:?}");
    });
}
