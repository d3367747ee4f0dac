//! The auction, in every schedule and with every cancel.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use async_monitor::check::Check;

use super::Auction;

#[test]
fn each_bid_is_one_more_than_the_last() {
    let outcome = Check::new().every_schedule(|run| {
        let auction = Arc::new(Auction::new("a lock"));
        for bidder in [1, 2] {
            let auction = Arc::clone(&auction);
            run.spawn(&format!("bidder {bidder}"), async move {
                auction.outbid(bidder).await;
            });
        }
        let (other, won) = (Arc::clone(&auction), Rc::new(Cell::new(None)));
        let winner = Rc::clone(&won);
        run.spawn(
            "winner",
            async move { winner.set(Some(other.winner().await)) },
        );
        let house = Arc::clone(&auction);
        run.spawn("house", async move {
            async_monitor::with_lock!(house.book, {
                *book.is_closed = true;
            });
        });
        run.finally(move || {
            let mut guard = auction.try_acquire_book().expect("nobody has it");
            let book = guard.fields();
            let prices: Vec<u32> = book.bids.iter().map(|bid| bid.1).collect();
            let expected: Vec<u32> = (1..=*book.price).collect();
            assert_eq!(prices, expected);
            if let Some(winner) = won.get() {
                assert_eq!(winner, book.bids.last().copied());
            }
        });
    });
    assert!(outcome.is_proof());
}
