//! The office over real connections.

mod page;
#[cfg(feature = "check")]
mod schedules;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::{Method, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::client::{Client, Events};
use crate::hall::{End, Hall, Refusal};
use crate::load;
use crate::office::{Office, Setup};

const SETUP: Setup = Setup {
    seats: 3,
    price: 100,
    hold_time: Duration::from_secs(3600),
    cashiers: 2,
    latency: Duration::from_millis(1),
    patience: Duration::from_secs(60),
};

/// An office at a free port.
struct Served {
    office: Arc<Office>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Served {
    async fn new(setup: Setup) -> Self {
        let office = Office::new(setup);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(crate::serve(listener, Arc::clone(&office), stopped));
        Served {
            office,
            address,
            stop,
            server,
        }
    }

    async fn client(&self) -> Client {
        Client::connect(self.address).await.expect("it listens")
    }

    /// Stops, and looks into the books.
    async fn close(self) {
        self.stop.send_replace(true);
        let server = timeout(Duration::from_secs(60), self.server).await;
        let served = server.expect("it stops").expect("it does not panic");
        served.expect("it could listen");
        assert_eq!(self.office.hall.audit().takings, self.office.bank.balance());
    }
}

/// The number of an order for a seat that somebody holds now.
async fn hold(client: &mut Client) -> u64 {
    let answer = client.post("/orders", "{}").await.expect("it answers");
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer.number("order").expect("it has one")
}

/// Holds seats and pays until the bank has accepted a payment; returns that order. The bank
/// declines some.
async fn buy(client: &mut Client) -> u64 {
    loop {
        let order = hold(client).await;
        let payment = format!("/orders/{order}/payment");
        let answer = client.post(&payment, "").await.expect("it answers");
        match answer.status {
            StatusCode::OK => return order,
            StatusCode::PAYMENT_REQUIRED => {}
            _ => panic!("{answer:?}"),
        }
    }
}

#[tokio::test]
async fn a_seat_is_sold_and_refunded() {
    let served = Served::new(SETUP).await;
    let mut client = served.client().await;
    let order = buy(&mut client).await;
    assert_eq!(served.office.hall.audit().sold, 1);
    assert_eq!(served.office.bank.balance(), 100);

    // To pay again is to be told so again.
    let payment = format!("/orders/{order}/payment");
    let again = client.post(&payment, "").await.expect("it answers");
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(served.office.bank.balance(), 100);

    let refund = format!("/orders/{order}/refund");
    let answer = client.post(&refund, "").await.expect("it answers");
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(served.office.bank.balance(), 0);
    let late = client.post(&payment, "").await.expect("it answers");
    assert_eq!(late.status, StatusCode::GONE);
    served.close().await;
}

#[tokio::test]
async fn what_is_taken_is_refused() {
    let served = Served::new(SETUP).await;
    let mut client = served.client().await;
    for (body, status) in [
        (r#"{"seat": 1}"#, StatusCode::CREATED),
        (r#"{"seat": 1}"#, StatusCode::CONFLICT),
        (r#"{"seat": 3}"#, StatusCode::NOT_FOUND),
        ("{}", StatusCode::CREATED),
        ("{}", StatusCode::CREATED),
        ("{}", StatusCode::CONFLICT),
    ] {
        let answer = client.post("/orders", body).await.expect("it answers");
        assert_eq!(answer.status, status, "{body}: {answer:?}");
    }
    for (method, path) in [
        (Method::POST, "/orders/99/payment"),
        (Method::POST, "/orders/99/refund"),
        (Method::DELETE, "/orders/99"),
    ] {
        let answer = client.ask(method, path, "").await.expect("it answers");
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(
            answer.body["error"]
                .as_str()
                .is_some_and(|error| error.contains("no such order"))
        );
    }
    served.close().await;
}

#[tokio::test]
async fn who_waits_gets_the_next_seat_in_order() {
    let served = Served::new(Setup { seats: 1, ..SETUP }).await;
    let mut client = served.client().await;
    let order = hold(&mut client).await;

    let mut lists = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut waiting = served.client().await;
        let response = waiting.send(Method::GET, "/waiting-list", "").await;
        let mut events = Events::new(response.expect("it answers"));
        let (name, _) = events.next().await.expect("an event").expect("a place");
        assert_eq!(name, "place");
        lists.push(events);
        clients.push(waiting);
    }
    assert_eq!(served.office.hall.view().waiting.len(), 3);

    // The first one hangs up, and leaves the list.
    drop((lists.remove(0), clients.remove(0)));
    while served.office.hall.view().waiting.len() > 2 {
        sleep(Duration::from_millis(1)).await;
    }
    let path = format!("/orders/{order}");
    let answer = client
        .ask(Method::DELETE, &path, "")
        .await
        .expect("it answers");
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let (name, held) = lists[0].next().await.expect("an event").expect("a seat");
    assert_eq!((name.as_str(), &held["seat"]), ("seat", &0.into()));

    // Closing time: the other one is told.
    served.stop.send_replace(true);
    let (name, _) = lists[1].next().await.expect("an event").expect("the last");
    assert_eq!(name, "refused");
    served.close().await;
}

#[tokio::test]
async fn a_customer_who_hangs_up_has_paid_or_not() {
    let served = Served::new(Setup {
        latency: Duration::from_millis(40),
        ..SETUP
    })
    .await;
    let mut client = served.client().await;
    let order = hold(&mut client).await;
    let payment = format!("/orders/{order}/payment");
    let hung_up = timeout(Duration::from_millis(5), client.post(&payment, "")).await;
    assert!(hung_up.is_err(), "the bank takes longer");
    drop(client);
    while served.office.hall.audit().open > 0 {
        sleep(Duration::from_millis(1)).await;
    }
    // `close` compares what the hall and the bank have taken.
    served.close().await;
}

#[tokio::test]
async fn a_hold_expires() {
    let served = Served::new(Setup {
        hold_time: Duration::from_millis(20),
        ..SETUP
    })
    .await;
    let mut client = served.client().await;
    let order = hold(&mut client).await;
    while served.office.hall.view().seats.contains('h') {
        sleep(Duration::from_millis(1)).await;
    }
    let payment = format!("/orders/{order}/payment");
    let answer = client.post(&payment, "").await.expect("it answers");
    assert_eq!(answer.status, StatusCode::GONE, "{answer:?}");
    assert_eq!(served.office.statistics.summary().counts.expired, 1);
    served.close().await;
}

#[tokio::test]
async fn the_page_follows_the_hall() {
    let served = Served::new(SETUP).await;
    let mut client = served.client().await;
    let mut watching = served.client().await;
    let response = watching.send(Method::GET, "/events", "").await;
    let mut events = Events::new(response.expect("it answers"));
    let (_, view) = events.next().await.expect("an event").expect("the hall");
    assert_eq!(view["seats"], "fff");
    client
        .post("/orders", r#"{"seat": 2}"#)
        .await
        .expect("it answers");
    let (_, view) = events.next().await.expect("an event").expect("the hall");
    assert_eq!(view["seats"], "ffh");
    served.close().await;
}

#[tokio::test]
async fn numbers_and_locks_can_be_asked_for() {
    let served = Served::new(SETUP).await;
    let mut client = served.client().await;
    buy(&mut client).await;
    let locks = match async_monitor::watch::IS_ON {
        true => "lock_held_seconds_count{lock=\"Hall.seats\",",
        false => "# TYPE lock_held_seconds histogram\n",
    };
    for (path, expected) in [
        ("/metrics", "ticket_office_sold_total 1\n"),
        ("/metrics", "ticket_office_takings_cents 100\n"),
        ("/metrics", locks),
        ("/locks", "\n"),
        ("/", "<title>Ticket office</title>"),
    ] {
        let response = client
            .send(Method::GET, path, "")
            .await
            .expect("it answers");
        assert_eq!(response.status(), StatusCode::OK);
        let body = http_body_util::BodyExt::collect(response.into_body()).await;
        let body = body.expect("it comes to its end").to_bytes();
        let text = std::str::from_utf8(&body).expect("text");
        assert!(text.contains(expected), "{path}: {text}");
    }
    served.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_books_balance_after_a_crowd() {
    let setup = Setup {
        seats: 20,
        hold_time: Duration::from_millis(100),
        cashiers: 8,
        latency: Duration::from_millis(4),
        patience: Duration::from_millis(30),
        ..SETUP
    };
    let served = Served::new(setup).await;
    let patience = Duration::from_secs(2);
    let summary = load::run(&served.office, served.address, 80, patience).await;
    assert!(summary.faults.is_empty(), "{summary}");
    served.close().await;
}

#[test]
fn nobody_overtakes_the_waiting_list() {
    let hall = Arc::new(Hall::new(1, 100, Duration::from_secs(3600)));
    let held = hall.hold(None).expect("a seat is free");
    let place = hall.join();
    hall.give_back(held.order).expect("it is held");
    assert_eq!(hall.hold(None), Err(Refusal::SoldOut));
    drop(place);
    assert!(hall.hold(None).is_ok());
}

#[test]
fn what_is_over_is_remembered_for_a_while() {
    let hall = Hall::new(1, 100, Duration::from_secs(1));
    let held = hall.hold(None).expect("a seat is free");
    let now = Instant::now();
    assert_eq!(hall.expire(now).0, 0);
    assert_eq!(hall.expire(now + Duration::from_secs(2)).0, 1);
    assert_eq!(hall.pay(held.order), Err(Refusal::Over(End::Expired)));
    hall.expire(now + Duration::from_secs(3600));
    assert_eq!(hall.pay(held.order), Err(Refusal::NoSuchOrder));
}
