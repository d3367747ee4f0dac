//! A section drops a value whose `Drop` acquires the section's lock.

use std::sync::Arc;

use async_monitor::{Guarded, Lock, synchronized};

#[derive(Guarded, Default)]
struct Pool {
    state: Lock,
    #[guarded_by(state)]
    connections: Guarded<Vec<Connection>>,
    #[guarded_by(state)]
    closed: Guarded<usize>,
}

struct Connection {
    pool: Arc<Pool>,
}

impl Pool {
    #[synchronized(state, blocking)]
    fn add(&self, connection: Connection) {
        state.connections.push(connection);
    }

    #[synchronized(state, blocking)]
    fn clear(&self) {
        state.connections.clear();
    }

    #[synchronized(state, blocking)]
    fn note_closed(&self) {
        *state.closed += 1;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.pool.note_closed();
    }
}

pub fn run() {
    let pool = Arc::new(Pool::default());
    let connection = Connection {
        pool: Arc::clone(&pool),
    };
    pool.add(connection);
    pool.clear();
}
