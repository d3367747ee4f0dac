//! A load of many customers at once, and an audit of the books afterwards.

use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use hyper::{Method, StatusCode};
use tokio::time::{sleep, timeout};

use crate::client::{Client, Error, Events};
use crate::office::Office;

/// What a customer has come for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    Buys,
    /// Hangs up before the seat is put aside, or before the answer is there.
    HangsUpOnHold,
    /// Hangs up while the bank is asked.
    HangsUpOnPayment,
    /// Pays on two connections at once.
    PaysTwice,
    /// Buys, and wants the money back.
    Refunds,
    /// Takes a seat and forgets it.
    Forgets,
}

impl Habit {
    fn of(customer: usize) -> Self {
        match customer % 10 {
            1 => Habit::HangsUpOnHold,
            3 => Habit::HangsUpOnPayment,
            5 => Habit::PaysTwice,
            7 => Habit::Refunds,
            9 => Habit::Forgets,
            _ => Habit::Buys,
        }
    }
}

/// What has become of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Has this seat, as far as the customer knows.
    Bought(usize),
    /// Has nothing, and knows it.
    Left(&'static str),
    /// Has hung up, and does not know.
    HungUp,
}

/// What came of the load.
#[derive(Debug)]
pub struct Summary {
    pub customers: usize,
    pub seconds: f64,
    bought: usize,
    left: Vec<(&'static str, usize)>,
    hung_up: usize,
    sold: usize,
    takings: u64,
    balance: u64,
    /// What does not add up.
    pub faults: Vec<String>,
}

/// `customers` come at once, and each stays for as long as it takes, at most for `patience` on
/// the waiting list.
pub async fn run(
    office: &Arc<Office>,
    address: SocketAddr,
    customers: usize,
    patience: Duration,
) -> Summary {
    let begun = Instant::now();
    let tasks = (0..customers).map(|customer| {
        tokio::spawn(async move { visit(address, Habit::of(customer), patience).await })
    });
    let mut faults = Vec::new();
    let mut outcomes = Vec::new();
    for (customer, task) in join_all(tasks).await.into_iter().enumerate() {
        match task.expect("no customer panics") {
            Ok(outcome) => outcomes.push(outcome),
            Err(error) => faults.push(format!("customer {customer}: {error}")),
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    settle(office, &mut faults).await;

    let books = office.hall.audit();
    let balance = office.bank.balance();
    let mut seats = HashSet::new();
    let mut bought = 0;
    let mut hung_up = 0;
    let mut left: Vec<(&'static str, usize)> = Vec::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Bought(seat) => {
                bought += 1;
                if !seats.insert(seat) {
                    faults.push(format!("seat {seat} was sold twice"));
                }
            }
            Outcome::HungUp => hung_up += 1,
            Outcome::Left(why) => match left.iter_mut().find(|(other, _)| *other == why) {
                Some((_, number)) => *number += 1,
                None => left.push((why, 1)),
            },
        }
    }
    let sold = office.hall.view().seats;
    for seat in seats {
        if sold.as_bytes().get(seat) != Some(&b's') {
            faults.push(format!("seat {seat} was paid, and is not sold"));
        }
    }
    if books.takings != balance {
        faults.push(format!(
            "the hall has taken {}, the bank has {balance}",
            books.takings
        ));
    }
    if books.open > 0 {
        faults.push(format!("{} orders are still open", books.open));
    }
    left.sort_unstable();
    Summary {
        customers,
        seconds,
        bought,
        left,
        hung_up,
        sold: books.sold,
        takings: books.takings,
        balance,
        faults,
    }
}

/// Waits until nothing is held or paid any more.
async fn settle(office: &Office, faults: &mut Vec<String>) {
    let at_most = office.setup.hold_time + office.setup.patience + Duration::from_secs(30);
    let settled = async {
        while office.hall.audit().open > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    if timeout(at_most, settled).await.is_err() {
        faults.push(format!("orders are open after {at_most:?}"));
    }
}

async fn visit(address: SocketAddr, habit: Habit, patience: Duration) -> Result<Outcome, Error> {
    let mut client = Client::connect(address).await?;
    if habit == Habit::HangsUpOnHold {
        let hold = client.post("/orders", "{}");
        let _ = timeout(Duration::from_micros(300), hold).await;
        return Ok(Outcome::HungUp);
    }
    let answer = client.post("/orders", "{}").await?;
    let order = match answer.status {
        StatusCode::CREATED => answer.number("order")?,
        StatusCode::CONFLICT => match wait(address, patience).await? {
            Some(order) => order,
            None => return Ok(Outcome::Left("sold out")),
        },
        _ => return Err(format!("to hold a seat: {answer:?}").into()),
    };
    if habit == Habit::Forgets {
        return Ok(Outcome::Left("forgot to pay"));
    }

    let payment = format!("/orders/{order}/payment");
    if habit == Habit::HangsUpOnPayment {
        let _ = timeout(Duration::from_millis(3), client.post(&payment, "")).await;
        return Ok(Outcome::HungUp);
    }
    let answer = if habit == Habit::PaysTwice {
        let mut other = Client::connect(address).await?;
        let (one, two) = tokio::join!(client.post(&payment, ""), other.post(&payment, ""));
        let (one, two) = (one?, two?);
        if one.status != two.status {
            return Err(format!("paid twice, with two answers: {one:?}, {two:?}").into());
        }
        one
    } else {
        client.post(&payment, "").await?
    };
    let seat = match answer.status {
        StatusCode::OK => answer.number("seat")?,
        StatusCode::PAYMENT_REQUIRED => return Ok(Outcome::Left("declined by the bank")),
        StatusCode::GATEWAY_TIMEOUT => return Ok(Outcome::Left("no answer from the bank")),
        StatusCode::GONE | StatusCode::NOT_FOUND => return Ok(Outcome::Left("too late")),
        _ => return Err(format!("to pay: {answer:?}").into()),
    };
    if habit == Habit::Refunds {
        let refund = format!("/orders/{order}/refund");
        let answer = client.post(&refund, "").await?;
        if answer.status != StatusCode::OK {
            return Err(format!("to refund: {answer:?}").into());
        }
        return Ok(Outcome::Left("refunded"));
    }
    Ok(Outcome::Bought(usize::try_from(seat)?))
}

/// Waits on the list for a seat.
async fn wait(address: SocketAddr, patience: Duration) -> Result<Option<u64>, Error> {
    let mut client = Client::connect(address).await?;
    let mut events = Events::new(client.send(Method::GET, "/waiting-list", "").await?);
    let seat = async {
        while let Some((name, data)) = events.next().await? {
            match name.as_str() {
                "seat" => return Ok(data["order"].as_u64()),
                "refused" => return Ok(None),
                _ => {}
            }
        }
        Ok(None)
    };
    match timeout(patience, seat).await {
        Ok(order) => order,
        // Hangs up, and may have got a seat in this moment: its time will be up.
        Err(_elapsed) => Ok(None),
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "customers:       {}", self.customers)?;
        writeln!(f, "  bought:        {}", self.bought)?;
        writeln!(f, "  hung up:       {}", self.hung_up)?;
        for (why, number) in &self.left {
            writeln!(f, "  left:          {number} ({why})")?;
        }
        writeln!(f, "seconds:         {:.2}", self.seconds)?;
        writeln!(f, "seats sold:      {}", self.sold)?;
        writeln!(f, "money taken:     {}", money(self.takings))?;
        writeln!(f, "money at bank:   {}", money(self.balance))?;
        for fault in &self.faults {
            writeln!(f, "fault:           {fault}")?;
        }
        f.write_str(match self.faults.is_empty() {
            true => "the books balance",
            false => "THE BOOKS DO NOT BALANCE",
        })
    }
}

fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
