//! `cargo test --features check --example ticket_office schedules`: the invariants of the hall
//! under every schedule of a few customers and cashiers. A customer may hang up wherever they
//! wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_monitor::check::{self, Run};
use futures::FutureExt;

use crate::hall::{End, Hall, Job, Refusal, State};

const PRICE: u64 = 100;

fn hall(seats: usize) -> Arc<Hall> {
    Arc::new(Hall::new(seats, PRICE, Duration::from_secs(3600)))
}

/// Checks a test, and that this has come to its end.
fn holds(test: impl Fn(&mut Run)) {
    assert!(check::every_schedule(test).is_proof());
}

/// Adds a customer, who may hang up.
fn customer<F>(run: &mut Run, name: &str, hall: &Arc<Hall>, buys: impl FnOnce(Arc<Hall>) -> F)
where
    F: Future<Output = ()> + 'static,
{
    run.spawn(name, buys(Arc::clone(hall)));
}

/// A cashier, whose bank has money for every second order.
fn cashier(run: &mut Run, hall: &Arc<Hall>) {
    let hall = Arc::clone(hall);
    run.background("cashier", async move {
        while let Some(job) = hall.next_job().await {
            match job {
                Job::Charge(order) if order % 2 == 0 => hall.not_paid(order, End::Declined),
                Job::Charge(order) => hall.paid(order),
                Job::Refund(order) => hall.refunded(order),
            }
        }
    });
}

/// H1, H2 and H4 hold for who looks at any time.
fn auditor(run: &mut Run, hall: &Arc<Hall>) {
    let hall = Arc::clone(hall);
    run.background("auditor", async move {
        hall.audit();
    });
}

/// They do so in the end.
fn audited(run: &mut Run, hall: &Arc<Hall>) {
    let hall = Arc::clone(hall);
    run.finally(move || {
        let books = hall.audit();
        assert_eq!(books.takings, PRICE * books.sold as u64);
    });
}

#[test]
fn a_seat_is_sold_once_and_paid_once() {
    holds(|run| {
        let hall = hall(1);
        for name in ["Ada", "Barbara"] {
            customer(run, name, &hall, |hall| async move {
                if let Ok(held) = hall.hold(Some(0)) {
                    hall.pay(held.order).expect("it is held");
                }
            });
        }
        cashier(run, &hall);
        audited(run, &hall);
    });
}

#[test]
fn who_asks_twice_is_refunded_once() {
    holds(|run| {
        let hall = hall(1);
        let held = hall.hold(None).expect("a seat is free");
        hall.pay(held.order).expect("it is held");
        hall.next_job().now_or_never();
        hall.paid(held.order);
        customer(run, "click", &hall, move |hall| async move {
            hall.refund(held.order).expect("it is sold");
            let (_, state) = hall.settled(held.order).await.expect("it is known");
            assert_eq!(state, State::Over(End::Refunded));
        });
        customer(run, "click again", &hall, move |hall| async move {
            hall.refund(held.order).expect("it is sold");
        });
        let paying = Arc::clone(&hall);
        run.background("cashier", async move {
            assert_eq!(paying.next_job().await, Some(Job::Refund(held.order)));
            paying.refunded(held.order);
        });
        audited(run, &hall);
        run.finally(move || {
            let more = hall.next_job().now_or_never();
            assert_eq!(more, None, "it is refunded twice");
        });
    });
}

/// A hold expires while its customer pays: one of the two comes first.
#[test]
fn a_hold_expires_or_is_paid() {
    holds(|run| {
        let hall = hall(1);
        let held = hall.hold(None).expect("a seat is free");
        customer(run, "Ada", &hall, move |hall| async move {
            match hall.pay(held.order) {
                Ok(()) => hall.paid(held.order),
                Err(refusal) => assert_eq!(refusal, Refusal::Over(End::Expired)),
            }
        });
        customer(run, "clock", &hall, |hall| async move {
            hall.expire(Instant::now() + Duration::from_secs(7200));
        });
        auditor(run, &hall);
        audited(run, &hall);
    });
}

/// H3, with one seat: who is on the list before and after somebody else got the seat was
/// overtaken.
#[test]
fn nobody_overtakes_who_waits() {
    holds(|run| {
        let hall = hall(1);
        let held = hall.hold(None).expect("a seat is free");
        customer(run, "waiter", &hall, |hall| async move {
            let held = hall.join().enter().await.expect("it is not closed");
            hall.give_back(held.order).expect("it is held");
        });
        customer(run, "walk-in", &hall, |hall| async move {
            let before = hall.view().waiting;
            if let Ok(held) = hall.hold(None) {
                let after = hall.view().waiting;
                let overtaken = before.iter().find(|waiter| after.contains(waiter));
                assert_eq!(overtaken, None, "{before:?}, then {after:?}");
                hall.give_back(held.order).expect("it is held");
            }
        });
        customer(run, "returner", &hall, move |hall| async move {
            hall.give_back(held.order).expect("it is held");
        });
        audited(run, &hall);
        run.finally(move || assert!(hall.view().waiting.is_empty(), "somebody waits for ever"));
    });
}

/// Two are on the list: the first one gets the seat first, unless it hangs up, and then the
/// second one gets it.
#[test]
fn the_list_is_in_order() {
    holds(|run| {
        let hall = hall(1);
        let held = hall.hold(None).expect("a seat is free");
        for name in ["first", "second"] {
            let place = hall.join();
            customer(run, name, &hall, |hall| async move {
                let number = place.number();
                let held = place.enter().await.expect("it is not closed");
                let waiting = hall.view().waiting;
                let overtaken = waiting.iter().find(|waiter| **waiter < number);
                assert_eq!(overtaken, None, "{number} was before it");
                hall.give_back(held.order).expect("it is held");
            });
        }
        hall.give_back(held.order).expect("it is held");
        audited(run, &hall);
        run.finally(move || assert!(hall.view().waiting.is_empty(), "somebody waits for ever"));
    });
}

/// Closing tells all who wait, also where one of them hangs up.
#[test]
fn closing_tells_who_waits() {
    holds(|run| {
        let hall = hall(1);
        hall.hold(None).expect("a seat is free");
        for name in ["first", "second"] {
            let place = hall.join();
            customer(run, name, &hall, |_| async move {
                assert_eq!(place.enter().await, Err(Refusal::Closed));
            });
        }
        let closing = Arc::clone(&hall);
        run.background("door", async move { closing.close() });
        audited(run, &hall);
        run.finally(move || assert!(hall.view().waiting.is_empty(), "somebody waits for ever"));
    });
}

/// Who looks while a seat is held, paid and refunded.
#[test]
fn the_books_are_right_at_any_time() {
    holds(|run| {
        let hall = hall(1);
        customer(run, "Ada", &hall, |hall| async move {
            let held = hall.hold(None).expect("a seat is free");
            hall.pay(held.order).expect("it is held");
            hall.paid(held.order);
            hall.refund(held.order).expect("it is sold");
            hall.refunded(held.order);
        });
        auditor(run, &hall);
        audited(run, &hall);
    });
}
