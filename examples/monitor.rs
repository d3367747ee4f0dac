//! An auction as a monitor: only methods that hold its lock can access its state. A method can be
//! called under the lock that another one holds. So a house bid, which reads the price and outbids
//! it, is one step, and no other bid gets in between.
//!
//! ```text
//! cargo run --example monitor
//! ```

use std::sync::Arc;

use async_monitor::{Guarded, Lock, monitor, synchronized, with_lock};

const BIDDERS: u32 = 16;
const BIDS: u32 = 100;

#[derive(Guarded)]
struct Auction {
    lot: &'static str,
    book: Lock,
    #[guarded_by(book)]
    price: Guarded<u32>,
    #[guarded_by(book)]
    bids: Guarded<Vec<(u32, u32)>>,
    #[guarded_by(book)]
    is_closed: Guarded<bool>,
}

#[monitor]
impl Auction {
    fn new(lot: &'static str) -> Self {
        Auction {
            lot,
            book: Lock::new(),
            price: Guarded::default(),
            bids: Guarded::default(),
            is_closed: Guarded::default(),
        }
    }

    /// What the next bid has to exceed.
    #[synchronized(book)]
    async fn price(&self) -> u32 {
        *book.price
    }

    /// Returns whether the bid is the highest so far.
    #[synchronized(book)]
    async fn bid(&self, bidder: u32, amount: u32) -> bool {
        let is_higher = !*book.is_closed && amount > *book.price;
        if is_higher {
            *book.price = amount;
            book.bids.push((bidder, amount));
        }
        is_higher
    }

    /// Bids one more than everybody, which always succeeds before the end.
    #[synchronized(book)]
    async fn outbid(&self, bidder: u32) -> bool {
        let price = book.price().await; // `self.price()` would be a deadlock: it does not compile
        tokio::task::yield_now().await; // others run here, but the price stays what it is
        book.bid(bidder, price + 1).await
    }

    /// Waits for the end, without holding the lock. Nobody has to notify.
    #[synchronized(book, when = *book.is_closed)]
    async fn winner(&self) -> Option<(u32, u32)> {
        book.bids.last().copied()
    }
}

#[tokio::main]
async fn main() {
    let auction = Arc::new(Auction::new("a lock by Bramah, 1790"));
    let winner = tokio::spawn({
        let auction = Arc::clone(&auction);
        async move { auction.winner().await }
    });

    let bidders: Vec<_> = (1..=BIDDERS)
        .map(|bidder| tokio::spawn(bids(Arc::clone(&auction), bidder)))
        .collect();
    let mut highest = 0;
    for bidder in bidders {
        highest += bidder.await.expect("no bidder panics");
    }

    // Any code can put methods together into one section.
    let price = with_lock!(auction.book, {
        book.outbid(0).await;
        *book.is_closed = true;
        book.price().await
    });
    let winner = winner.await.expect("it does not panic");
    println!("{}: {highest} bids, sold for {price}", auction.lot);
    println!("winner: {winner:?}");
    assert_eq!(highest, BIDDERS * BIDS, "somebody got in between");
    assert_eq!(winner, Some((0, highest + 1)));
}

/// Outbids the others many times; returns how often that succeeded.
async fn bids(auction: Arc<Auction>, bidder: u32) -> u32 {
    let mut highest = 0;
    for _ in 0..BIDS {
        highest += u32::from(auction.outbid(bidder).await);
    }
    highest
}

/// `cargo test --features check --example monitor`
#[cfg(all(test, feature = "check"))]
#[path = "../tests/checked/monitor.rs"]
mod checked;
