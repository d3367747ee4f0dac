//! The view of a derived lock leads to the whole object; any other lock borrows its field.

use async_monitor::{Guarded, Lock, Mutex, with_lock};

#[derive(Guarded)]
struct Account {
    parts: Vec<i64>,
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    notes: Mutex<Vec<i64>>,
}

impl Account {
    async fn deposit_each(&mut self) {
        for part in &mut self.parts {
            with_lock!(self.notes, { notes.push(*part) });
            with_lock!(self.ledger, { *ledger.balance += *part });
            *part = 0;
        }
    }

    async fn moves(self) -> i64 {
        drop(self.parts);
        with_lock!(self.notes, { notes.clear() });
        with_lock!(self.ledger, { *ledger.balance })
    }

    async fn note_itself(&mut self) {
        let notes = &mut self.notes;
        with_lock!(self.notes, { notes.clear() });
        notes.get_mut().clear();
    }
}

fn main() {}
