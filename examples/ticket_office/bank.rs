//! The bank: an external system, which may decline, and may take longer than the timeout.
//!
//! The number of an order decides what the bank does with it, so each run is the same.

use std::collections::HashMap;
use std::time::Duration;

use async_monitor::{Guarded, monitor, sync, synchronized};
use tokio::time::sleep;

use crate::hall::{Cents, Number};

/// What the bank has done for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Charged(Cents),
    PaidBack,
    /// Nothing is to be charged any more.
    Void,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declined;

#[derive(Guarded, Default)]
pub struct Bank {
    /// How long an answer takes, at most, unless the bank is slow.
    pub latency: Duration,
    book: sync::Lock,
    #[guarded_by(book)]
    entries: Guarded<HashMap<Number, Entry>>,
    #[guarded_by(book)]
    balance: Guarded<Cents>,
}

#[monitor]
impl Bank {
    pub fn new(latency: Duration) -> Self {
        Bank {
            latency,
            ..Bank::default()
        }
    }

    /// Charges the order once. Cancelled, it may have charged or not: [`void`](Self::void) it
    /// then.
    pub async fn charge(&self, order: Number, amount: Cents) -> Result<(), Declined> {
        let luck = scramble(order) % 20;
        // The request is on its way.
        sleep(self.latency.mul_f64(0.1 + luck as f64 / 40.0)).await;
        if luck == 0 {
            return Err(Declined);
        }
        self.book_charge(order, amount)?;
        // So is the answer, and one in twenty comes too late.
        sleep(self.latency.mul_f64(if luck == 1 { 20.0 } else { 0.2 })).await;
        Ok(())
    }

    #[synchronized(book)]
    fn book_charge(&self, order: Number, amount: Cents) -> Result<(), Declined> {
        match book.entries.get(&order) {
            Some(Entry::Charged(_)) => Ok(()),
            Some(Entry::Void | Entry::PaidBack) => Err(Declined),
            None => {
                book.entries.insert(order, Entry::Charged(amount));
                *book.balance += amount;
                Ok(())
            }
        }
    }

    /// Takes back a charge whose outcome is not known: what was charged is paid back, and
    /// nothing is charged any more.
    #[synchronized(book)]
    pub fn void(&self, order: Number) {
        if let Some(Entry::Charged(amount)) = book.entries.insert(order, Entry::Void) {
            *book.balance -= amount;
        }
    }

    /// Pays back what was charged for the order.
    pub async fn pay_back(&self, order: Number) {
        sleep(self.latency / 4).await;
        self.book_payback(order);
    }

    #[synchronized(book)]
    fn book_payback(&self, order: Number) {
        if let Some(Entry::Charged(amount)) = book.entries.insert(order, Entry::PaidBack) {
            *book.balance -= amount;
        }
    }

    #[synchronized(read(book))]
    pub fn balance(&self) -> Cents {
        *book.balance
    }
}

/// A number that looks like any other.
fn scramble(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
