use async_monitor::{Guarded, Lock, Mutex, synchronized, with_lock};

struct Connection;

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    connection: Guarded<Connection>,
    plain: Mutex<Connection>,
}

impl Account {
    #[synchronized(ledger, atomic)]
    async fn field(&self) {}

    #[synchronized(plain, atomic)]
    async fn value(&self) {}

    async fn block(&self) {
        with_lock!(self.ledger, atomic, {})
    }

    // Without `atomic` nothing is asked for.
    #[synchronized(ledger)]
    async fn plainly(&self) {}
}

fn main() {}
