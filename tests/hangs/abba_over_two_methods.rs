//! Two methods of one object acquire its locks in opposite orders.

use async_monitor::{Guarded, Lock, synchronized};

use crate::support::{a_moment, global, run_tasks};

#[derive(Guarded, Default)]
struct Shop {
    stock: Lock,
    #[guarded_by(stock)]
    pieces: Guarded<u32>,
    orders: Lock,
    #[guarded_by(orders)]
    open: Guarded<u32>,
}

impl Shop {
    #[synchronized(stock)]
    async fn sell(&self) {
        *stock.pieces += 1;
        a_moment().await;
        self.open_order().await;
    }

    #[synchronized(orders)]
    async fn deliver(&self) {
        *orders.open = 0;
        a_moment().await;
        self.take_from_stock().await;
    }

    #[synchronized(orders)]
    async fn open_order(&self) {
        *orders.open += 1;
    }

    #[synchronized(stock)]
    async fn take_from_stock(&self) {
        *stock.pieces -= 1;
    }
}

pub fn run() {
    let shop: &Shop = global();
    run_tasks([Box::pin(shop.sell()), Box::pin(shop.deliver())]);
}
