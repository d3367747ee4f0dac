use async_monitor::{Guarded, Lock, synchronized, with_lock};

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[guarded_by(ledger)]
    history: Guarded<Vec<i64>>,
    #[lock]
    owner: Lock,
    #[guarded_by(owner)]
    name: Guarded<String>,
}

impl Account {
    #[synchronized(ledger)]
    async fn returned(&self) -> &i64 {
        &*ledger.balance
    }

    #[synchronized(ledger)]
    async fn returned_mutable(&self) -> &mut Vec<i64> {
        ledger.history
    }

    #[synchronized(ledger)]
    async fn stored<'a>(&'a self, place: &mut Option<&'a i64>) {
        *place = Some(ledger.balance);
    }

    #[synchronized(ledger)]
    async fn sent<'a>(&'a self, sender: std::sync::mpsc::Sender<&'a Vec<i64>>) {
        let _ = sender.send(ledger.history);
    }

    #[synchronized(ledger)]
    async fn as_iterator(&self) -> impl Iterator<Item = &i64> {
        ledger.history.iter()
    }
}

async fn value(account: &Account) -> i64 {
    let balance = with_lock!(account.ledger, { &*ledger.balance });
    *balance
}

fn main() {}
