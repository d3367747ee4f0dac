//! The office over HTTP.
//!
//! | | | |
//! |---|---|---|
//! | `GET /` | the hall as a page | |
//! | `GET /events` | what has changed, as server-sent events | |
//! | `POST /orders` | puts a seat aside: `{"seat": 3}`, or any: `{}` | 201, 404, 409, 503 |
//! | `GET /waiting-list` | waits for a seat, as server-sent events `place`, and `seat` or `refused` | 200 |
//! | `POST /orders/N/payment` | pays, and waits for the bank | 200, 402, 404, 410, 503, 504 |
//! | `POST /orders/N/refund` | refunds the order, and waits for the bank | 200, 404, 409, 410, 503 |
//! | `DELETE /orders/N` | gives the seat back | 204, 404, 409, 410 |
//! | `GET /metrics` | metrics in Prometheus' text format; also of the locks, in builds that watch | |
//! | `GET /locks` | the waits for locks | |

use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use async_monitor::watch;
use axum::extract::{Path, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use futures::stream::{self, Stream, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::hall::{End, Held, Number, Refusal, View};
use crate::office::Office;
use crate::prometheus::Prometheus;
use crate::statistics::Summary;

/// Changes that come faster are shown together.
const FRAME: Duration = Duration::from_millis(50);

pub fn routes(office: Arc<Office>) -> Router {
    watch::set_metrics(true);
    Router::new()
        .route("/", get(async || Html(include_str!("page.html"))))
        .route("/events", get(events))
        .route("/orders", post(hold))
        .route("/waiting-list", get(wait))
        .route("/orders/{order}/payment", post(pay))
        .route("/orders/{order}/refund", post(refund))
        .route("/orders/{order}", delete(give_back))
        .route("/metrics", get(metrics))
        .route("/locks", get(locks))
        .with_state(office)
}

/// A refusal, in the words for the customer.
#[derive(Serialize)]
struct Problem {
    error: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self {
            Refusal::NoSuchSeat | Refusal::NoSuchOrder => StatusCode::NOT_FOUND,
            Refusal::Taken | Refusal::SoldOut | Refusal::NotSold | Refusal::NotHeld => {
                StatusCode::CONFLICT
            }
            Refusal::Closed => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Over(End::Declined) => StatusCode::PAYMENT_REQUIRED,
            Refusal::Over(End::TimedOut) => StatusCode::GATEWAY_TIMEOUT,
            Refusal::Over(End::Expired | End::GivenBack | End::Refunded) => StatusCode::GONE,
        };
        let error = self.to_string();
        (status, Json(Problem { error })).into_response()
    }
}

#[derive(Deserialize)]
struct Wish {
    seat: Option<usize>,
}

/// The seat of an order.
#[derive(Serialize)]
struct Seat {
    order: Number,
    seat: usize,
}

async fn hold(
    Shared(office): Shared<Arc<Office>>,
    Json(wish): Json<Wish>,
) -> Result<(StatusCode, Json<Held>), Refusal> {
    Ok((StatusCode::CREATED, Json(office.hold(wish.seat)?)))
}

async fn pay(
    Shared(office): Shared<Arc<Office>>,
    Path(order): Path<Number>,
) -> Result<Json<Seat>, Refusal> {
    let seat = office.pay(order).await?;
    Ok(Json(Seat { order, seat }))
}

async fn refund(
    Shared(office): Shared<Arc<Office>>,
    Path(order): Path<Number>,
) -> Result<Json<Seat>, Refusal> {
    let seat = office.refund(order).await?;
    Ok(Json(Seat { order, seat }))
}

async fn give_back(
    Shared(office): Shared<Arc<Office>>,
    Path(order): Path<Number>,
) -> Result<StatusCode, Refusal> {
    office.give_back(order)?;
    Ok(StatusCode::NO_CONTENT)
}

type Events = Result<Event, Infallible>;

/// Who hangs up leaves the list: the stream is dropped, and the place with it.
async fn wait(Shared(office): Shared<Arc<Office>>) -> Sse<impl Stream<Item = Events>> {
    let place = office.hall.join();
    office.statistics.count(|counts| counts.waited += 1);
    let number = Event::default()
        .event("place")
        .data(place.number().to_string());
    let seat = async move {
        let entered = place.enter().await;
        if entered.is_ok() {
            office.statistics.count(|counts| counts.held += 1);
        }
        Ok(match entered {
            Ok(held) => event("seat", &held),
            Err(refusal) => event(
                "refused",
                &Problem {
                    error: refusal.to_string(),
                },
            ),
        })
    };
    let events = stream::iter([Ok(number)]).chain(stream::once(seat));
    Sse::new(events).keep_alive(KeepAlive::default())
}

fn event(name: &str, data: &impl Serialize) -> Event {
    Event::default()
        .event(name)
        .json_data(data)
        .expect("it has a form in JSON")
}

/// What the page shows.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    hall: View,
    #[serde(flatten)]
    statistics: Summary,
    price: u64,
}

async fn events(Shared(office): Shared<Arc<Office>>) -> Sse<impl Stream<Item = Events>> {
    // No version is the highest number there is: what is there is shown at once.
    let views = stream::unfold(Some(u64::MAX), move |seen| {
        let office = Arc::clone(&office);
        async move {
            let seen = seen?;
            if seen != u64::MAX {
                sleep(FRAME).await;
            }
            // Without a change, once in a while: the chart goes on.
            let changed = office.hall.changed(seen);
            let hall = match tokio::time::timeout(Duration::from_secs(1), changed).await {
                Ok(view) => view,
                Err(_elapsed) => office.hall.view(),
            };
            let next = (!hall.is_closed).then_some(hall.version);
            let shown = Shown {
                hall,
                statistics: office.statistics.summary(),
                price: office.setup.price,
            };
            Some((Ok(event("hall", &shown)), next))
        }
    });
    Sse::new(views).keep_alive(KeepAlive::default())
}

async fn metrics(Shared(office): Shared<Arc<Office>>) -> impl IntoResponse {
    let view = office.hall.view();
    let counts = office.statistics.summary().counts;
    let mut text = String::new();
    let mut counter = |name: &str, help: &str, value: u64| {
        let _ = writeln!(
            text,
            "# HELP ticket_office_{name}_total {help}\n\
             # TYPE ticket_office_{name}_total counter\n\
             ticket_office_{name}_total {value}"
        );
    };
    counter("held", "Seats put aside.", counts.held);
    counter("sold", "Seats sold.", counts.sold);
    counter(
        "declined",
        "Payments declined by the bank.",
        counts.declined,
    );
    counter(
        "timed_out",
        "Payments without an answer in time.",
        counts.timed_out,
    );
    counter("expired", "Seats not paid in time.", counts.expired);
    counter("given_back", "Seats given back.", counts.given_back);
    counter("refunded", "Seats refunded.", counts.refunded);
    counter(
        "waited",
        "Customers who joined the waiting list.",
        counts.waited,
    );
    let mut gauge = |name: &str, help: &str, value: u64| {
        let _ = writeln!(
            text,
            "# HELP ticket_office_{name} {help}\n\
             # TYPE ticket_office_{name} gauge\n\
             ticket_office_{name} {value}"
        );
    };
    let seats = |letter| view.seats.bytes().filter(|seat| *seat == letter).count() as u64;
    gauge("seats_free", "Free seats.", seats(b'f'));
    gauge("seats_sold", "Sold seats.", seats(b's'));
    gauge(
        "takings_cents",
        "Money taken for what is sold, in cents.",
        view.takings,
    );
    gauge(
        "waiting",
        "Customers on the waiting list.",
        view.waiting.len() as u64,
    );
    let _ = write!(text, "{}", Prometheus(watch::metrics()));
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

async fn locks() -> String {
    if !watch::IS_ON {
        return "This build does not watch its locks: build it with `--features watch`.\n".into();
    }
    format!("{}\n", watch::report())
}
