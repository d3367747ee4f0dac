//! Two methods of one object acquire its locks in opposite orders.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Guarded, Lock, synchronized};

use crate::support::task;

#[derive(Guarded, Default)]
struct Shop {
    stock: Lock,
    #[guarded_by(stock)]
    pieces: Guarded<i64>,
    orders: Lock,
    #[guarded_by(orders)]
    open: Guarded<i64>,
}

impl Shop {
    #[synchronized(stock)]
    async fn sell(&self) {
        *stock.pieces -= 1;
        self.open_order().await;
    }

    #[synchronized(orders)]
    async fn deliver(&self) {
        *orders.open -= 1;
        self.add_to_stock().await;
    }

    /// One lock after the other.
    async fn deliver_mended(&self) {
        self.close_order().await;
        self.add_to_stock().await;
    }

    #[synchronized(orders)]
    async fn open_order(&self) {
        *orders.open += 1;
    }

    #[synchronized(orders)]
    async fn close_order(&self) {
        *orders.open -= 1;
    }

    #[synchronized(stock)]
    async fn add_to_stock(&self) {
        *stock.pieces += 1;
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let shop = Arc::new(Shop::default());
    task(run, "seller", &shop, |shop| async move { shop.sell().await });
    task(run, "driver", &shop, move |shop| async move {
        if is_mended {
            shop.deliver_mended().await;
        } else {
            shop.deliver().await;
        }
    });
}
