//! `cargo test --features check --example ticket_office schedules`: the invariants of the hall
//! under every schedule of a few customers and cashiers. A customer may hang up wherever they
//! wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_monitor::check::{self, Run};

use crate::hall::{End, Hall, Job, Refusal, State};

const PRICE: u64 = 100;

fn hall(seats: usize) -> Arc<Hall> {
    Arc::new(Hall::new(seats, PRICE, Duration::from_secs(3600)))
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
    check::every_schedule(|run| {
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
    check::every_schedule(|run| {
        let hall = hall(1);
        let held = hall.hold(None).expect("a seat is free");
        hall.pay(held.order).expect("it is held");
        hall.paid(held.order);
        for name in ["click", "click again"] {
            customer(run, name, &hall, move |hall| async move {
                hall.refund(held.order).expect("it is sold");
                let (_, state) = hall.settled(held.order).await.expect("it is known");
                assert_eq!(state, State::Over(End::Refunded));
            });
        }
        let cashier_of = Arc::clone(&hall);
        run.background("cashier", async move {
            while let Some(job) = cashier_of.next_job().await {
                match job {
                    Job::Charge(_) => unreachable!("it is paid"),
                    Job::Refund(order) => cashier_of.refunded(order),
                }
            }
        });
        audited(run, &hall);
    });
}

/// A hold expires while its customer pays: one of the two comes first.
#[test]
fn a_hold_expires_or_is_paid() {
    check::every_schedule(|run| {
        let hall = hall(1);
        let held = hall.hold(None).expect("a seat is free");
        customer(run, "Ada", &hall, move |hall| async move {
            match hall.pay(held.order) {
                Ok(()) => {
                    let (_, state) = hall.settled(held.order).await.expect("it is known");
                    assert_eq!(state, State::Sold);
                }
                Err(refusal) => assert_eq!(refusal, Refusal::Over(End::Expired)),
            }
        });
        customer(run, "clock", &hall, |hall| async move {
            hall.expire(Instant::now() + Duration::from_secs(7200));
        });
        cashier(run, &hall);
        audited(run, &hall);
    });
}

/// H3, with one seat: who is on the list before and after somebody else got the seat was
/// overtaken.
#[test]
fn nobody_overtakes_who_waits() {
    check::every_schedule(|run| {
        let hall = hall(1);
        let held = hall.hold(None).expect("a seat is free");
        for name in ["first", "second"] {
            customer(run, name, &hall, |hall| async move {
                let place = hall.join();
                let number = place.number();
                let held = place.enter().await.expect("it is not closed");
                let waiting = hall.view().waiting;
                assert!(
                    waiting.iter().all(|waiter| *waiter > number),
                    "{number} has overtaken one of {waiting:?}"
                );
                hall.give_back(held.order).expect("it is held");
            });
        }
        customer(run, "walk-in", &hall, |hall| async move {
            let before = hall.view().waiting;
            if let Ok(held) = hall.hold(None) {
                let after = hall.view().waiting;
                let overtaken = before.iter().find(|waiter| after.contains(waiter));
                assert_eq!(overtaken, None, "{before:?}, then {after:?}");
                hall.give_back(held.order).expect("it is held");
            }
        });
        run.background("returner", {
            let hall = Arc::clone(&hall);
            async move { hall.give_back(held.order).expect("it is held") }
        });
        audited(run, &hall);
        run.finally(move || assert!(hall.view().waiting.is_empty(), "somebody waits for ever"));
    });
}

/// A waiter who hangs up has left the list, and whoever is behind gets the seat. Closing tells
/// all.
#[test]
fn closing_tells_who_waits() {
    check::every_schedule(|run| {
        let hall = hall(1);
        hall.hold(None).expect("a seat is free");
        for name in ["first", "second"] {
            customer(run, name, &hall, |hall| async move {
                assert_eq!(hall.join().enter().await, Err(Refusal::Closed));
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
    check::every_schedule(|run| {
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
