//! Three forks, three philosophers.

use async_monitor::{Lock, with_lock};

use crate::support::{a_moment, global, run_tasks};

#[derive(Default)]
struct Table {
    forks: [Lock; 3],
}

async fn eat(left: &Lock, right: &Lock) {
    with_lock!(left, {
        a_moment().await;
        with_lock!(right, {
            a_moment().await;
        })
    })
}

pub fn run() {
    let table: &Table = global();
    let [a, b, c] = &table.forks;
    run_tasks([
        Box::pin(eat(a, b)),
        Box::pin(eat(b, c)),
        Box::pin(eat(c, a)),
    ]);
}
