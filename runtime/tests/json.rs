//! Reports as JSON. The names of the fields are part of the interface.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use async_monitor::{AsyncLock, Guarded, Lock, Semaphore, synchronized, watch};
use serde_json::{Value, json};

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

impl Account {
    #[synchronized(ledger)]
    async fn hold(&self) {
        *ledger.balance += 1;
        std::future::pending().await
    }

    #[synchronized(ledger, when = *ledger.balance > 5)]
    async fn at_least_five(&self) {}

    #[synchronized(ledger)]
    async fn deposit(&self) {
        *ledger.balance += 1;
    }
}

fn wait(future: Pin<&mut impl Future>) {
    let mut cx = Context::from_waker(Waker::noop());
    assert!(future.poll(&mut cx).is_pending());
}

/// What waits, and what is counted, is of the whole process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Times are what they are, and lines are not of interest.
fn mask(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "since_ms" if value.is_u64() => *value = json!("some"),
                    "line" | "column" if value.is_u64() => *value = json!(1),
                    _ => mask(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(mask),
        _ => {}
    }
}

#[test]
fn every_field_has_its_name() {
    if !watch::IS_ON {
        return;
    }
    let _alone = alone();
    let account = Account::default();
    let mut holds = pin!(account.hold());
    wait(holds.as_mut());
    let mut waits = pin!(account.at_least_five());
    wait(waits.as_mut());
    let permits = Semaphore::new(1);
    let mut several = pin!(permits.acquire_many(2));
    wait(several.as_mut());

    let mut report = serde_json::to_value(watch::report()).expect("it serializes");
    mask(&mut report);
    let id = report["waits"][0]["id"].clone();
    let address = id.as_str().and_then(|id| id.strip_prefix("0x"));
    assert!(address.is_some_and(|address| u64::from_str_radix(address, 16).is_ok()));
    let place = json!({ "file": "runtime/tests/json.rs", "line": 1, "column": 1 });
    let section = |name: &str, condition: Value| json!({ "name": name, "place": place, "condition": condition });
    assert_eq!(
        report,
        json!({
            "kind": "snapshot",
            "waits": [
                {
                    "resource": "when",
                    "name": "Account.ledger",
                    "instance": null,
                    "id": id,
                    "mode": "exclusive",
                    "place": place,
                    "section": section("at_least_five", json!("*ledger.balance > 5")),
                    "since_ms": "some",
                    "granted": false,
                    "has_condition_false": false,
                    "last_acquired": place,
                    "last_section": section("hold", Value::Null),
                    "last_holder": null,
                    "holding": [],
                    "behind": null,
                    "circle": null,
                },
                {
                    "resource": "semaphore",
                    "name": "Semaphore",
                    "instance": null,
                    "id": serde_json::to_value(AsyncLock::id(&permits)).expect("it serializes"),
                    "mode": { "permits": 2 },
                    "place": place,
                    "section": null,
                    "since_ms": "some",
                    "granted": false,
                    "has_condition_false": false,
                    "last_acquired": null,
                    "last_section": null,
                    "last_holder": null,
                    "holding": [],
                    "behind": null,
                    "circle": null,
                },
            ],
            "held": [{
                "lock": "Account.ledger",
                "instance": null,
                "id": id,
                "mode": "exclusive",
                "place": place,
                "section": section("hold", Value::Null),
                "since_ms": "some",
            }],
            "orders": [],
        })
    );
}

#[test]
fn metrics_serialize() {
    if !watch::IS_ON {
        return;
    }
    let _alone = alone();
    watch::set_metrics(true);
    let account = Account::default();
    let mut holds = Box::pin(account.hold());
    wait(holds.as_mut());
    let mut waits = pin!(account.deposit());
    wait(waits.as_mut());
    drop(holds);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(waits.poll(&mut cx).is_ready());
    watch::set_metrics(false);

    let mut metrics = serde_json::to_value(watch::metrics()).expect("they serialize");
    for times in ["wait", "held"] {
        let times = &mut metrics[0][times];
        let mut counts = 0;
        for bucket in times["histogram"].as_array().expect("buckets") {
            assert!(
                bucket["at_most_ns"]
                    .as_u64()
                    .is_some_and(u64::is_power_of_two)
            );
            counts += bucket["count"].as_u64().expect("a number");
        }
        times["histogram"] = json!(counts);
        for time in ["total_ns", "max_ns"] {
            assert!(times[time].as_u64().is_some_and(|nanos| nanos > 0));
            times[time] = json!("some");
        }
    }
    let times = |count: u64| json!({ "count": count, "total_ns": "some", "max_ns": "some", "histogram": count });
    assert_eq!(
        metrics,
        json!([{
            "lock": "Account.ledger",
            "type_name": "json::Account",
            "acquired": 2,
            "wait": times(1),
            "held": times(2),
        }])
    );
}
