use async_monitor::{Guarded, Lock, monitor, sync, synchronized};

#[derive(Guarded)]
pub struct Account {
    ledger: sync::Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    log: Lock,
    #[guarded_by(log)]
    lines: Guarded<Vec<i64>>,
}

async fn step() {}

#[monitor]
impl Account {
    #[synchronized(ledger)]
    async fn suspends(&self) {
        step().await;
        *ledger.balance += 1;
    }

    #[synchronized(ledger)]
    fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
    }

    #[synchronized(ledger)]
    fn again(&self) {
        self.deposit(*ledger.balance);
    }

    #[synchronized(log)]
    fn plain(&self) {
        log.lines.clear();
    }

    #[synchronized(log, blocking)]
    fn parks(&self) {
        log.lines.clear();
    }

    #[synchronized(log)]
    async fn parks_again(&self) {
        self.parks();
        log.lines.push(1);
    }
}

fn main() {}
