//! The hall: its seats, the orders for them, and the waiting list.
//!
//! # An order
//!
//! | state | becomes | when |
//! |---|---|---|
//! | `Held` | `Paying` | the customer asks to pay |
//! | `Held` | `Over(Expired)`, `Over(GivenBack)` | its time is up; the customer gives it back |
//! | `Paying` | `Sold`, `Over(Declined)`, `Over(TimedOut)` | the bank has answered, or has not |
//! | `Sold` | `Refunding` | the customer asks for the money |
//! | `Refunding` | `Over(Refunded)` | the bank has paid it back |
//! | `Over` | forgotten | after a while |
//!
//! # Invariants
//!
//! - **H1** A seat belongs to at most one order that is not over, and that order names the seat.
//! - **H2** The takings are the price times the seats that are sold or being refunded.
//! - **H3** Nobody overtakes the waiting list: a customer who is not on it gets a seat only if
//!   there are more free seats than waiters.
//! - **H4** A seat is free as soon as its order is over.
//!
//! [`audit`](Hall::audit) checks H1 and H2.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_monitor::{Guarded, holding, monitor, sync, synchronized};
use serde::Serialize;

/// The number of an order.
pub type Number = u64;

/// Money, in cents.
pub type Cents = u64;

/// What is known of an order.
#[derive(Clone, Copy, Debug)]
struct Order {
    seat: usize,
    state: State,
    /// Until when it is held, or remembered.
    until: Option<Instant>,
}

/// See the table of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Held,
    Paying,
    Sold,
    Refunding,
    Over(End),
}

/// How an order has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    Expired,
    GivenBack,
    Declined,
    TimedOut,
    Refunded,
}

/// What a cashier has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    Charge(Number),
    Refund(Number),
}

/// A seat that was put aside for a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    pub order: Number,
    pub seat: usize,
    /// For how long, in milliseconds.
    pub held_for_ms: u64,
}

/// Why something cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    NoSuchSeat,
    Taken,
    SoldOut,
    Closed,
    NoSuchOrder,
    NotSold,
    NotHeld,
    Over(End),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::NoSuchSeat => "there is no such seat: count from 0, row by row",
            Refusal::Taken => "the seat is taken: choose another one",
            Refusal::SoldOut => "no seat is free for you now: join the waiting list",
            Refusal::Closed => "the office is closed",
            Refusal::NoSuchOrder => "there is no such order: it may have ended a while ago",
            Refusal::NotSold => "only what is paid can be refunded",
            Refusal::NotHeld => "only what is held can be given back",
            Refusal::Over(End::Expired) => "the seat was not paid in time, and is free again",
            Refusal::Over(End::GivenBack) => "the seat was given back",
            Refusal::Over(End::Declined) => {
                "the bank has declined the payment; the seat is free again"
            }
            Refusal::Over(End::TimedOut) => {
                "the bank did not answer in time; nothing was paid, and the seat is free again"
            }
            Refusal::Over(End::Refunded) => "the order was refunded",
        })
    }
}

/// What everybody may see.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    /// Grows with each change.
    pub version: u64,
    /// A letter for each seat: `f`ree, `h`eld, `p`aying, `s`old.
    pub seats: String,
    pub takings: Cents,
    /// The places on the waiting list, first come first served.
    pub waiting: Vec<u64>,
    pub is_closed: bool,
}

/// The numbers that have to fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Books {
    pub sold: usize,
    pub takings: Cents,
    /// Orders that somebody still has to finish.
    pub open: usize,
}

#[derive(Guarded)]
pub struct Hall {
    pub price: Cents,
    hold_time: Duration,
    seats: sync::Lock,
    /// The order of each seat that is not free.
    #[guarded_by(seats)]
    taken: Guarded<Vec<Option<Number>>>,
    #[guarded_by(seats)]
    orders: Guarded<HashMap<Number, Order>>,
    #[guarded_by(seats)]
    last_number: Guarded<Number>,
    #[guarded_by(seats)]
    waiting: Guarded<VecDeque<u64>>,
    #[guarded_by(seats)]
    jobs: Guarded<VecDeque<Job>>,
    #[guarded_by(seats)]
    takings: Guarded<Cents>,
    #[guarded_by(seats)]
    is_closed: Guarded<bool>,
    #[guarded_by(seats)]
    version: Guarded<u64>,
}

/// A place on the waiting list, which is given up when this is dropped.
pub struct Place {
    hall: Arc<Hall>,
    number: u64,
}

#[monitor]
impl Hall {
    pub fn new(seats: usize, price: Cents, hold_time: Duration) -> Self {
        Hall {
            price,
            hold_time,
            seats: sync::Lock::new(),
            taken: Guarded::new(vec![None; seats]),
            orders: Guarded::default(),
            last_number: Guarded::default(),
            waiting: Guarded::default(),
            jobs: Guarded::default(),
            takings: Guarded::default(),
            is_closed: Guarded::default(),
            version: Guarded::default(),
        }
    }

    /// Puts a seat aside: that one, or any.
    #[synchronized(seats)]
    pub fn hold(&self, wanted: Option<usize>) -> Result<Held, Refusal> {
        if *seats.is_closed {
            return Err(Refusal::Closed);
        }
        if wanted.is_some_and(|seat| seat >= seats.taken.len()) {
            return Err(Refusal::NoSuchSeat);
        }
        // H3
        let free = seats.taken.iter().filter(|order| order.is_none()).count();
        if free <= seats.waiting.len() {
            return Err(Refusal::SoldOut);
        }
        let seat = wanted
            .or_else(|| seats.first_free())
            .ok_or(Refusal::SoldOut)?;
        if seats.taken[seat].is_some() {
            return Err(Refusal::Taken);
        }
        Ok(seats.put_aside(seat))
    }

    /// Joins the waiting list.
    pub fn join(self: &Arc<Self>) -> Place {
        Place {
            number: self.queue_up(),
            hall: Arc::clone(self),
        }
    }

    #[synchronized(seats)]
    fn queue_up(&self) -> u64 {
        let number = seats.next_number();
        seats.waiting.push_back(number);
        *seats.version += 1;
        number
    }

    /// Waits until the place is the first of the list, and a seat is free.
    #[synchronized(seats, when = *seats.is_closed
        || seats.waiting.front() == Some(&number) && seats.taken.contains(&None))]
    async fn enter(&self, number: u64) -> Result<Held, Refusal> {
        if *seats.is_closed {
            return Err(Refusal::Closed);
        }
        seats.waiting.pop_front();
        let seat = seats.first_free().ok_or(Refusal::SoldOut)?;
        Ok(seats.put_aside(seat))
    }

    #[synchronized(seats)]
    fn leave(&self, number: u64) {
        let before = seats.waiting.len();
        seats.waiting.retain(|waiter| *waiter != number);
        if seats.waiting.len() != before {
            *seats.version += 1;
        }
    }

    /// Has the order paid by a cashier. To ask twice is to ask once.
    #[synchronized(seats)]
    pub fn pay(&self, order: Number) -> Result<(), Refusal> {
        match seats.state(order)? {
            State::Held if *seats.is_closed => Err(Refusal::Closed),
            State::Held => {
                seats.change(order, State::Paying);
                seats.jobs.push_back(Job::Charge(order));
                Ok(())
            }
            State::Paying | State::Sold => Ok(()),
            State::Refunding => Err(Refusal::Over(End::Refunded)),
            State::Over(end) => Err(Refusal::Over(end)),
        }
    }

    /// Has the order refunded by a cashier. To ask twice is to ask once.
    #[synchronized(seats)]
    pub fn refund(&self, order: Number) -> Result<(), Refusal> {
        match seats.state(order)? {
            State::Sold if *seats.is_closed => Err(Refusal::Closed),
            State::Sold => {
                seats.change(order, State::Refunding);
                seats.jobs.push_back(Job::Refund(order));
                Ok(())
            }
            State::Refunding | State::Over(End::Refunded) => Ok(()),
            State::Held | State::Paying => Err(Refusal::NotSold),
            State::Over(end) => Err(Refusal::Over(end)),
        }
    }

    /// Gives back a seat that is held.
    #[synchronized(seats)]
    pub fn give_back(&self, order: Number) -> Result<(), Refusal> {
        match seats.state(order)? {
            State::Held => {
                seats.finish(order, End::GivenBack);
                Ok(())
            }
            State::Paying | State::Sold | State::Refunding => Err(Refusal::NotHeld),
            State::Over(end) => Err(Refusal::Over(end)),
        }
    }

    /// Waits until no cashier has to do anything for the order. A customer who does not wait
    /// changes nothing for the order.
    #[synchronized(seats, when = !matches!(
        seats.orders.get(&order).map(|order| order.state),
        Some(State::Paying | State::Refunding)
    ))]
    pub async fn settled(&self, order: Number) -> Result<(usize, State), Refusal> {
        let known = seats.orders.get(&order).ok_or(Refusal::NoSuchOrder)?;
        Ok((known.seat, known.state))
    }

    /// The next job for a cashier; none when the office is closed and all is done.
    #[synchronized(seats, when = !seats.jobs.is_empty() || *seats.is_closed)]
    pub async fn next_job(&self) -> Option<Job> {
        seats.jobs.pop_front()
    }

    /// The bank has the money.
    #[synchronized(seats)]
    pub fn paid(&self, order: Number) {
        *seats.takings += self.price;
        seats.change(order, State::Sold);
    }

    /// The bank does not have the money.
    #[synchronized(seats)]
    pub fn not_paid(&self, order: Number, end: End) {
        seats.finish(order, end);
    }

    /// The bank has paid the money back.
    #[synchronized(seats)]
    pub fn refunded(&self, order: Number) {
        *seats.takings -= self.price;
        seats.finish(order, End::Refunded);
    }

    /// Ends what was not paid in time, and forgets what has been over for a while. Returns how
    /// many have expired, and when to look again at the latest.
    #[synchronized(seats)]
    pub fn expire(&self, now: Instant) -> (usize, Option<Instant>) {
        let is_due = |order: &Order| order.until.is_some_and(|until| until <= now);
        let due: Vec<(Number, State)> = (seats.orders.iter())
            .filter(|(_, order)| is_due(order))
            .map(|(number, order)| (*number, order.state))
            .collect();
        let mut expired = 0;
        for (number, state) in due {
            if state == State::Held {
                expired += 1;
                seats.finish(number, End::Expired);
            } else {
                seats.orders.remove(&number);
            }
        }
        let next = seats.orders.values().filter_map(|order| order.until).min();
        (expired, next)
    }

    /// Nothing is put aside any more, and the waiting list is told.
    #[synchronized(seats)]
    pub fn close(&self) {
        *seats.is_closed = true;
        *seats.version += 1;
    }

    /// What everybody may see, once it has changed since the version `seen`.
    #[synchronized(seats, when = *seats.version != seen || *seats.is_closed)]
    pub async fn changed(&self, seen: u64) -> View {
        seats.view()
    }

    /// What everybody may see.
    #[synchronized(read(seats))]
    pub fn view(&self) -> View {
        let letter = |order: &Option<Number>| match order {
            None => 'f',
            Some(order) => match seats.orders[order].state {
                State::Held => 'h',
                State::Paying => 'p',
                State::Sold | State::Refunding | State::Over(_) => 's',
            },
        };
        View {
            version: *seats.version,
            seats: seats.taken.iter().map(letter).collect(),
            takings: *seats.takings,
            waiting: seats.waiting.iter().copied().collect(),
            is_closed: *seats.is_closed,
        }
    }

    /// # Panics
    ///
    /// If an invariant does not hold.
    #[synchronized(read(seats))]
    pub fn audit(&self) -> Books {
        let mut sold = 0;
        for (seat, order) in seats.taken.iter().enumerate() {
            let Some(order) = order else { continue };
            let known = &seats.orders[order];
            assert_eq!(known.seat, seat, "H1: order {order} names another seat");
            match known.state {
                State::Sold | State::Refunding => sold += 1,
                State::Held | State::Paying => {}
                State::Over(end) => {
                    panic!("H4: order {order} is over ({end:?}), its seat is not free")
                }
            }
        }
        let is_open = |order: &&Order| !matches!(order.state, State::Sold | State::Over(_));
        let live = (seats.orders.values())
            .filter(|order| !matches!(order.state, State::Over(_)))
            .count();
        let taken = seats.taken.iter().filter(|order| order.is_some()).count();
        assert_eq!(live, taken, "H1: an order has no seat");
        assert_eq!(
            *seats.takings,
            self.price * sold as Cents,
            "H2: the takings are wrong"
        );
        Books {
            sold,
            takings: *seats.takings,
            open: seats.orders.values().filter(is_open).count(),
        }
    }

    #[holding(read(seats))]
    fn first_free(&self) -> Option<usize> {
        seats.taken.iter().position(Option::is_none)
    }

    #[holding(read(seats))]
    fn state(&self, order: Number) -> Result<State, Refusal> {
        let order = seats.orders.get(&order).ok_or(Refusal::NoSuchOrder)?;
        Ok(order.state)
    }

    #[holding(seats)]
    fn next_number(&self) -> Number {
        *seats.last_number += 1;
        *seats.last_number
    }

    /// The seat is free.
    #[holding(seats)]
    fn put_aside(&self, seat: usize) -> Held {
        let number = seats.next_number();
        let order = Order {
            seat,
            state: State::Held,
            until: Some(Instant::now() + self.hold_time),
        };
        seats.taken[seat] = Some(number);
        seats.orders.insert(number, order);
        *seats.version += 1;
        Held {
            order: number,
            seat,
            held_for_ms: u64::try_from(self.hold_time.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// The order goes on, for as long as it takes.
    #[holding(seats)]
    fn change(&self, order: Number, state: State) {
        if let Some(order) = seats.orders.get_mut(&order) {
            order.state = state;
            order.until = None;
        }
        *seats.version += 1;
    }

    /// The order is over, and its seat free.
    #[holding(seats)]
    fn finish(&self, order: Number, end: End) {
        if let Some(order) = seats.orders.get_mut(&order) {
            order.state = State::Over(end);
            order.until = Some(Instant::now() + self.hold_time.max(Duration::from_secs(60)));
            seats.taken[order.seat] = None;
        }
        *seats.version += 1;
    }
}

impl Place {
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Waits for a seat.
    pub async fn enter(self) -> Result<Held, Refusal> {
        self.hall.enter(self.number).await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.hall.leave(self.number);
    }
}
