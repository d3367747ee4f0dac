//! What watching and the command say of the locks.

use std::future::Future;
use std::pin::{Pin, pin};
use std::process::Command;
use std::task::{Context, Waker};

use async_monitor::{synchronized, watch};
use async_monitor_distributed::LockError;
use futures::FutureExt;

use crate::{LONG, NAME, SHORT, Store, StoreLock, eventually, space};

struct Invoice {
    billing: StoreLock,
}

impl Invoice {
    fn new(store: &Store, key: &str) -> Self {
        Invoice {
            billing: store.lock(key),
        }
    }

    #[synchronized(self.billing?)]
    async fn pay(&self) -> Result<(), LockError> {
        std::future::pending().await
    }

    #[synchronized(self.billing?)]
    async fn pay_within(&self, other: &Invoice) -> Result<(), LockError> {
        other.pay().await
    }
}

fn poll(mut future: Pin<&mut impl Future>) {
    let mut cx = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut cx).is_pending());
}

/// Other tests have locks, too.
fn lines(of: &str) -> (Vec<String>, Vec<String>) {
    let report = watch::report();
    let waits = report.waits.iter().map(ToString::to_string);
    let held = report.held.iter().map(ToString::to_string);
    let of_it = |lines: Vec<String>| lines.into_iter().filter(|line| line.contains(of)).collect();
    (of_it(waits.collect()), of_it(held.collect()))
}

#[tokio::test]
async fn a_report_names_the_key_and_the_store_and_who_holds_it() {
    let Some(space) = space() else { return };
    if !watch::IS_ON {
        return;
    }
    let (one, other) = (space.store(LONG).await, space.store(LONG).await);
    let holds = Invoice::new(&one, "billing/42");
    let waits = Invoice::new(&other, "billing/42");
    let (mut holds, mut waits) = (pin!(holds.pay()), pin!(waits.pay()));
    let instance = format!(r#"`self.billing` "billing/42" on {NAME}"#);
    let instance = &*instance;
    eventually(SHORT, "one holds it", async || {
        poll(holds.as_mut());
        lines(instance).1.len() == 1
    })
    .await;
    let (_, held) = lines(instance);
    let start = format!("{instance}, acquired by `pay` (");
    assert!(held[0].starts_with(&start), "{}", held[0]);

    let pid = std::process::id();
    let holder = |line: &String| line.ends_with(&format!(" pid {pid}"));
    eventually(SHORT, "the other knows who holds it", async || {
        poll(waits.as_mut());
        lines(instance).0.iter().any(holder)
    })
    .await;
    let (waiting, _) = lines(instance);
    let [wait] = &waiting[..] else {
        panic!("one wait: {waiting:#?}");
    };
    assert!(wait.starts_with("`pay` ("), "{wait}");
    let holder = format!("{instance} was last known to be held by ");
    assert!(wait.contains(&holder), "{wait}");
    // What a wait for the lock, or for its loss, is made of is not listed.
    let report = watch::report();
    let inner = |wait: &watch::Wait| wait.place.file().contains("distributed/src");
    assert!(!report.waits.iter().any(inner), "{report}");
}

/// The process would wait for itself.
#[tokio::test]
async fn a_section_that_asks_for_the_key_that_it_holds_panics_at_once() {
    let Some(space) = space() else { return };
    if !watch::IS_ON {
        return;
    }
    let store = space.store(LONG).await;
    let invoice = Invoice::new(&store, "twice");
    let nested = invoice.pay_within(&invoice);
    let nested = std::panic::AssertUnwindSafe(nested).catch_unwind();
    let panicked = tokio::time::timeout(SHORT, nested).await;
    let panicked = panicked.expect("at once").unwrap_err();
    let message = panicked.downcast_ref::<String>().unwrap();
    let held = format!(r#"`self.billing` "twice" on {NAME} is held by the section `pay_within`"#);
    assert!(
        message.starts_with(&format!("deadlock: {held}")),
        "{message}"
    );
    // Both requests are withdrawn.
    let again = tokio::time::timeout(SHORT, invoice.billing.acquire()).await;
    drop(again.expect("it is free").unwrap());
}

#[tokio::test]
async fn a_command_lists_who_holds_and_waits() {
    let Some(space) = space() else { return };
    let list = async || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_async-monitor-locks"));
        command.args(space.arguments());
        let run = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = run.await.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let store = space.store(LONG).await;
    assert_eq!(list().await, "nobody holds or waits for a lock\n");
    let lock = store.lock("billing/42");
    let guard = lock.acquire().await.unwrap();
    let other = space.store(LONG).await.lock("billing/42");
    let waiting = tokio::spawn(async move { other.acquire().await.map(drop) });
    let mut text = String::new();
    eventually(3 * SHORT, "both are listed", async || {
        text = list().await;
        text.lines().count() == 2
    })
    .await;
    let lines: Vec<_> = text.lines().collect();
    let pid = format!(" pid {} for ", std::process::id());
    assert!(lines[0].starts_with(r#""billing/42" held by "#), "{text}");
    assert!(lines[0].contains(&pid), "{text}");
    let fence = format!(", fence {}, lease ends in ", guard.fence.number());
    assert!(lines[0].contains(&fence), "{text}");
    assert!(
        lines[1].starts_with(r#""billing/42" waited for by "#),
        "{text}"
    );
    assert!(lines[1].contains(&pid), "{text}");
    waiting.abort();

    let nothing = Command::new(env!("CARGO_BIN_EXE_async-monitor-locks")).output();
    assert_eq!(nothing.unwrap().status.code(), Some(2));
}
