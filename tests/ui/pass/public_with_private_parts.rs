#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]
//! Types of locks and data that are more private than the struct.

pub mod server {
    //! A public module.

    use async_monitor::{Guarded, Lock, Mutex, RwLock};

    struct Private;

    /// A server.
    #[derive(Guarded)]
    pub struct Server {
        /// A lock for everybody.
        pub ledger: Lock,
        /// What it guards, with a documentation of its own.
        #[guarded_by(ledger)]
        pub balance: Guarded<i64>,
        #[guarded_by(ledger)]
        private: Guarded<Private>,
        #[lock]
        state: Mutex<Private>,
        #[lock(rw)]
        routes: RwLock<Private>,
    }

    impl Server {
        /// A server.
        pub const fn new() -> Self {
            Server {
                ledger: Lock::new(),
                balance: Guarded::new(0),
                private: Guarded::new(Private),
                state: Mutex::new(Private),
                routes: RwLock::new(Private),
            }
        }
    }
}

static SERVER: server::Server = server::Server::new();

fn main() {
    let mut guard = SERVER.acquire_ledger_blocking();
    *guard.fields().balance += 1;
    server::ServerLedgerGuard::release(guard);
}
