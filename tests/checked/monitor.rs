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

/// What `outbid` does, look at the price and bid more, is one step: it always succeeds before
/// the end.
#[test]
fn nobody_gets_in_between() {
    let outcome = Check::new().every_schedule(|run| {
        let auction = Arc::new(Auction::new("a lock"));
        for bidder in [1, 2] {
            let auction = Arc::clone(&auction);
            run.spawn(&format!("bidder {bidder}"), async move {
                let is_higher = auction.outbid(bidder).await;
                let is_over = async_monitor::with_lock!(auction.book, { *book.is_closed });
                assert!(is_higher || is_over, "somebody got in between");
            });
        }
        run.spawn("house", async move {
            let price = async_monitor::with_lock!(auction.book, {
                book.outbid(0).await;
                *book.is_closed = true;
                book.price().await
            });
            assert_eq!(auction.winner().await, Some((0, price)));
            assert!(!auction.bid(1, price + 1).await, "a bid after the end");
        });
    });
    assert!(outcome.is_proof());
}
