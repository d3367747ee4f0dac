//! The guard of a read is still there, for the borrow of a `match`, when the lock is asked for
//! to write.

use std::collections::BTreeMap;

use async_monitor::RwLock;
use futures::executor::block_on;

type Sessions = RwLock<BTreeMap<u32, String>>;

async fn name(sessions: &Sessions, id: u32) -> String {
    match sessions.read().await.get(&id) {
        Some(name) => name.clone(),
        None => {
            let mut sessions = sessions.write().await;
            sessions.entry(id).or_insert_with(|| "new".into()).clone()
        }
    }
}

pub fn run() {
    println!("{}", block_on(name(&Sessions::default(), 1)));
}
