use async_monitor::{Guarded, Lock, Mutex, sync, synchronized, with_lock};

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    state: sync::Mutex<Vec<u8>>,
    notes: Mutex<Vec<u8>>,
}

impl Account {
    #[synchronized(ledger)]
    fn derived(&self) -> i64 {
        *ledger.balance += 1;
        *ledger.balance
    }

    #[synchronized(state, read(self.notes))]
    fn one_of_two(&self) {
        state.extend_from_slice(notes);
    }

    #[synchronized(notes, when = !notes.is_empty())]
    fn with_a_condition(&self) -> Option<u8> {
        notes.pop()
    }

    fn block(&self) {
        with_lock!(self.state, { state.push(1) });
    }
}

fn main() {}
