//! An order is marked as refunded only after the bank was told.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Guarded, Lock, synchronized};

use crate::support::{block_on, task};

#[derive(Guarded, Default)]
struct Order {
    file: Lock,
    #[guarded_by(file)]
    is_refunded: Guarded<bool>,
    bank: Lock,
    #[guarded_by(bank)]
    paid_back: Guarded<u32>,
}

impl Order {
    #[synchronized(file)]
    async fn is_refunded(&self) -> bool {
        *file.is_refunded
    }

    /// Returns whether it was marked already.
    #[synchronized(file)]
    async fn mark(&self) -> bool {
        std::mem::replace(&mut *file.is_refunded, true)
    }

    #[synchronized(bank)]
    async fn pay_back(&self) {
        *bank.paid_back += 1;
    }

    async fn refund(&self) {
        if !self.is_refunded().await {
            self.pay_back().await;
            self.mark().await;
        }
    }

    async fn refund_mended(&self) {
        if !self.mark().await {
            self.pay_back().await;
        }
    }

    #[synchronized(bank)]
    async fn paid_back(&self) -> u32 {
        *bank.paid_back
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let order = Arc::new(Order::default());
    for name in ["click", "click again"] {
        task(run, name, &order, move |order| async move {
            if is_mended {
                order.refund_mended().await;
            } else {
                order.refund().await;
            }
        });
    }
    run.finally(move || assert!(block_on(order.paid_back()) <= 1, "it was refunded twice"));
}
