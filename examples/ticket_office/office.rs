//! The office: the hall, the bank, the statistics and the cashiers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::time::{sleep, sleep_until, timeout};

use crate::bank::Bank;
use crate::hall::{End, Hall, Held, Job, Number, Refusal, State};
use crate::statistics::Statistics;

/// How an office is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub seats: usize,
    /// In cents.
    pub price: u64,
    /// How long a seat is held for who has not paid.
    pub hold_time: Duration,
    pub cashiers: usize,
    /// How long the bank takes.
    pub latency: Duration,
    /// How long a cashier waits for the bank.
    pub patience: Duration,
}

pub struct Office {
    pub setup: Setup,
    pub hall: Arc<Hall>,
    pub bank: Bank,
    pub statistics: Statistics,
}

impl Office {
    pub fn new(setup: Setup) -> Arc<Self> {
        Arc::new(Office {
            setup,
            hall: Arc::new(Hall::new(setup.seats, setup.price, setup.hold_time)),
            bank: Bank::new(setup.latency),
            statistics: Statistics::new(),
        })
    }

    /// The cashiers, until the office is closed and nothing is left to do.
    ///
    /// They are tasks of their own, which no customer who hangs up can cancel: what was begun
    /// at the bank is brought to its end.
    pub async fn work(self: Arc<Self>) {
        let cashiers = (0..self.setup.cashiers).map(|_| tokio::spawn(Arc::clone(&self).serve()));
        for cashier in join_all(cashiers).await {
            cashier.expect("no cashier panics");
        }
    }

    async fn serve(self: Arc<Self>) {
        while let Some(job) = self.hall.next_job().await {
            match job {
                Job::Charge(order) => self.charge(order).await,
                Job::Refund(order) => {
                    self.bank.pay_back(order).await;
                    self.hall.refunded(order);
                    self.statistics.count(|counts| counts.refunded += 1);
                }
            }
        }
    }

    async fn charge(&self, order: Number) {
        let charge = self.bank.charge(order, self.hall.price);
        match timeout(self.setup.patience, charge).await {
            Ok(Ok(())) => {
                self.hall.paid(order);
                self.statistics.sold();
            }
            Ok(Err(_declined)) => {
                self.hall.not_paid(order, End::Declined);
                self.statistics.count(|counts| counts.declined += 1);
            }
            Err(_elapsed) => {
                self.bank.void(order);
                self.hall.not_paid(order, End::TimedOut);
                self.statistics.count(|counts| counts.timed_out += 1);
            }
        }
    }

    /// Ends holds that are not paid in time, for ever.
    pub async fn watch_the_clock(&self) {
        loop {
            let (expired, next) = self.hall.expire(Instant::now());
            if expired > 0 {
                self.statistics
                    .count(|counts| counts.expired += expired as u64);
            }
            // What is held later than now expires later than all that is held now.
            let soon = sleep(self.setup.hold_time.min(Duration::from_secs(1)));
            match next {
                Some(next) => tokio::select! {
                    () = sleep_until(next.into()) => {}
                    () = soon => {}
                },
                None => soon.await,
            }
        }
    }

    pub fn hold(&self, seat: Option<usize>) -> Result<Held, Refusal> {
        let held = self.hall.hold(seat)?;
        self.statistics.count(|counts| counts.held += 1);
        Ok(held)
    }

    pub fn give_back(&self, order: Number) -> Result<(), Refusal> {
        self.hall.give_back(order)?;
        self.statistics.count(|counts| counts.given_back += 1);
        Ok(())
    }

    /// Pays the order, and returns its seat.
    pub async fn pay(&self, order: Number) -> Result<usize, Refusal> {
        self.hall.pay(order)?;
        match self.hall.settled(order).await? {
            (seat, State::Sold) => Ok(seat),
            (_, State::Over(end)) => Err(Refusal::Over(end)),
            // Refunded by another request meanwhile.
            (_, State::Held | State::Paying | State::Refunding) => {
                Err(Refusal::Over(End::Refunded))
            }
        }
    }

    /// Refunds the order, and returns the seat that it had.
    pub async fn refund(&self, order: Number) -> Result<usize, Refusal> {
        self.hall.refund(order)?;
        match self.hall.settled(order).await? {
            (seat, State::Over(End::Refunded)) => Ok(seat),
            _ => Err(Refusal::NotSold),
        }
    }
}
