//! A task holds a lock, and its executor is run only until another future is done.

use async_monitor::{Guarded, Lock, synchronized};
use futures::executor::{LocalPool, block_on};
use futures::task::LocalSpawnExt;

use crate::support::{a_moment, global};

#[derive(Guarded, Default)]
struct Log {
    file: Lock,
    #[guarded_by(file)]
    lines: Guarded<Vec<&'static str>>,
}

impl Log {
    #[synchronized(file)]
    async fn write(&self, line: &'static str) {
        file.lines.push(line);
        a_moment().await;
        a_moment().await;
    }
}

pub fn run() {
    let log: &Log = global();
    let mut pool = LocalPool::new();
    let spawned = pool.spawner().spawn_local(log.write("in the pool"));
    spawned.expect("the pool runs");
    pool.run_until(a_moment());
    block_on(log.write("at the end"));
}
