//! Three forks, three philosophers.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Lock, with_lock};

use crate::support::task;

async fn eat(left: &Lock, right: &Lock) {
    with_lock!(left, { with_lock!(right, {}) })
}

/// Both forks at once.
async fn eat_mended(left: &Lock, right: &Lock) {
    with_lock!(left, right, {});
}

pub fn run(run: &mut Run, is_mended: bool) {
    let forks: Arc<[Lock; 3]> = Arc::default();
    for (index, name) in ["plato", "kant", "hume"].into_iter().enumerate() {
        run.name(["fork A", "fork B", "fork C"][index], &forks[index]);
        task(run, name, &forks, move |forks| async move {
            let (left, right) = (&forks[index], &forks[(index + 1) % 3]);
            if is_mended {
                eat_mended(left, right).await;
            } else {
                eat(left, right).await;
            }
        });
    }
}
