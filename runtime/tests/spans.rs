//! The feature `tracing`: a span for each section.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::thread;

use async_monitor::{Guarded, Lock, Mutex, synchronized, watch, with_lock};
use futures::executor::block_on;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps what it is told.
#[derive(Clone, Default)]
struct Listener(Arc<StdMutex<Told>>);

#[derive(Default)]
struct Told {
    spans: Vec<Seen>,
    /// Those that are entered, on all threads.
    entered: Vec<u64>,
}

#[derive(Default, Clone, Debug)]
struct Seen {
    parent: Option<u64>,
    fields: BTreeMap<&'static str, String>,
    entries: usize,
    references: usize,
}

impl Listener {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().expect("nothing panics in it")
    }

    fn hear<T>(&self, f: impl FnOnce() -> T) -> T {
        tracing::subscriber::with_default(self.clone(), f)
    }

    /// All spans are closed, and none is entered.
    #[track_caller]
    fn ended(&self) -> Vec<Seen> {
        let told = self.told();
        assert!(told.entered.is_empty(), "{:?}", told.entered);
        assert!(
            told.spans.iter().all(|span| span.references == 0),
            "{:#?}",
            told.spans
        );
        told.spans.clone()
    }

    /// What the outcomes were.
    #[track_caller]
    fn outcomes(&self) -> Vec<(String, String)> {
        let spans = self.ended();
        let outcome = |span: &Seen| {
            (
                span.fields["section"].clone(),
                span.fields["outcome"].clone(),
            )
        };
        spans.iter().map(outcome).collect()
    }
}

impl Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.into());
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "async_monitor"
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut told = self.told();
        let mut span = Seen {
            parent: told.entered.last().copied(),
            references: 1,
            ..Seen::default()
        };
        assert_eq!(attributes.metadata().name(), "section");
        assert_eq!(*attributes.metadata().level(), Level::TRACE);
        attributes.record(&mut span);
        told.spans.push(span);
        Id::from_u64(told.spans.len() as u64)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        values.record(&mut self.told().spans[id.into_u64() as usize - 1]);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, id: &Id) {
        let mut told = self.told();
        told.entered.push(id.into_u64());
        told.spans[id.into_u64() as usize - 1].entries += 1;
    }

    fn exit(&self, id: &Id) {
        // The last to be entered is the first to be exited.
        assert_eq!(self.told().entered.pop(), Some(id.into_u64()));
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.told().spans[id.into_u64() as usize - 1].references += 1;
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut told = self.told();
        let span = &mut told.spans[id.into_u64() as usize - 1];
        span.references -= 1;
        span.references == 0
    }
}

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

impl Account {
    #[synchronized(ledger)]
    async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
    }

    #[synchronized(ledger)]
    async fn hold(&self) {
        *ledger.balance += 1;
        pause().await;
    }

    #[synchronized(ledger)]
    async fn hold_and_deposit(&self, other: &Account) {
        *ledger.balance += 1;
        other.deposit(1).await;
    }

    #[synchronized(ledger, blocking)]
    fn deposit_blocking(&self, amount: i64) {
        *ledger.balance += amount;
    }

    #[cfg(feature = "smol")]
    #[synchronized(ledger, timeout = std::time::Duration::from_millis(5))]
    async fn deposit_in_time(&self) -> Result<(), async_monitor::Elapsed> {
        *ledger.balance += 1;
        Ok(())
    }

    #[synchronized(ledger, blocking)]
    fn panic(&self) {
        *ledger.balance += 1;
        panic!("in a section");
    }
}

fn pause() -> impl Future<Output = ()> {
    let mut polled = false;
    poll_fn(move |_| match std::mem::replace(&mut polled, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
}

fn poll<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

#[track_caller]
fn waiting<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    assert!(poll(&mut future).is_pending());
    future
}

fn outcome(section: &str, outcome: &str) -> (String, String) {
    (section.into(), outcome.into())
}

#[test]
fn a_section_has_a_span_with_its_lock_and_times() {
    let listener = Listener::default();
    let (account, counter) = (Account::default(), Mutex::new(0));
    listener.hear(|| {
        block_on(account.deposit(1));
        block_on(async { with_lock!(a = account.ledger, b = counter, { *a.balance += *b }) });
    });
    let spans = listener.ended();
    let field = |name| {
        spans
            .iter()
            .map(|span| &*span.fields[name])
            .collect::<Vec<_>>()
    };
    assert_eq!(field("section"), ["deposit", "with_lock!"]);
    assert_eq!(field("lock"), ["Account.ledger", "Account.ledger, counter"]);
    assert_eq!(field("outcome"), ["entered", "entered"]);
    for span in &spans {
        assert!(span.entries > 0, "{span:?}");
        assert!(span.fields["place"].contains("spans.rs:"), "{span:?}");
        assert_eq!(span.fields["wait_us"], "0");
        assert!(span.fields["held_us"].parse::<u64>().is_ok(), "{span:?}");
    }
}

#[test]
fn it_is_entered_only_while_the_section_is_polled() {
    let listener = Listener::default();
    let account = Account::default();
    listener.hear(|| {
        let mut holds = waiting(account.hold());
        assert!(listener.told().entered.is_empty());
        let mut waits = waiting(account.deposit(1));
        assert!(listener.told().entered.is_empty());
        assert!(poll(&mut holds).is_ready());
        assert!(poll(&mut waits).is_ready());
    });
    assert_eq!(
        listener.outcomes(),
        [outcome("hold", "entered"), outcome("deposit", "entered")]
    );
    assert!(listener.ended()[0].entries >= 2);
}

#[test]
fn it_is_in_the_span_of_the_section_around() {
    let listener = Listener::default();
    let (outer, inner) = (Account::default(), Account::default());
    listener.hear(|| {
        block_on(outer.hold_and_deposit(&inner));
        // A block in the body of another.
        block_on(async {
            with_lock!(a = outer.ledger, {
                with_lock!(b = inner.ledger, {
                    *a.balance += *b.balance;
                    async {}.await
                })
            })
        });
    });
    let parents: Vec<_> = listener.ended().iter().map(|span| span.parent).collect();
    assert_eq!(parents[1], Some(1));
    assert_eq!(parents[2..], [None, Some(3)]);
}

#[test]
fn who_is_dropped_was_cancelled() {
    let listener = Listener::default();
    let account = Account::default();
    let other = Account::default();
    listener.hear(|| {
        let holds = waiting(account.hold());
        drop(waiting(account.deposit(1)));
        drop(waiting(other.hold_and_deposit(&account)));
        drop(holds);
    });
    assert_eq!(
        listener.outcomes(),
        [
            outcome("hold", "cancelled"),
            outcome("deposit", "cancelled"),
            outcome("hold_and_deposit", "cancelled"),
            outcome("deposit", "cancelled"),
        ]
    );
}

#[cfg(feature = "smol")]
#[test]
fn who_was_too_late_has_timed_out() {
    let listener = Listener::default();
    let account = Account::default();
    let counter = Mutex::new(0);
    listener.hear(|| {
        let guard = account.ledger.try_acquire();
        block_on(account.deposit_in_time()).expect_err("it is held");
        let limit = std::time::Duration::from_millis(5);
        let elapsed = block_on(async {
            with_lock!(a = account.ledger, b = counter, timeout = limit, {
                *a.balance += *b
            })
        });
        elapsed.expect_err("it is held");
        drop(guard);
        block_on(account.deposit_in_time()).expect("in time");
    });
    assert_eq!(
        listener.outcomes(),
        [
            outcome("deposit_in_time", "timed_out"),
            outcome("with_lock!", "timed_out"),
            outcome("deposit_in_time", "entered"),
        ]
    );
    assert!(!listener.ended()[0].fields.contains_key("held_us"));
    let waited = listener.ended()[0].fields["wait_us"].parse();
    assert!(waited.is_ok_and(|waited: u64| waited >= 5000));
}

#[test]
fn a_panic_is_told() {
    let listener = Listener::default();
    let account = Account::default();
    listener.hear(|| {
        catch_unwind(AssertUnwindSafe(|| account.panic())).expect_err("it panics");
        block_on(account.deposit(1));
    });
    assert_eq!(
        listener.outcomes(),
        [outcome("panic", "panicked"), outcome("deposit", "entered")]
    );
}

#[test]
fn a_section_goes_on_on_another_thread() {
    let listener = Listener::default();
    let account = Account::default();
    let mut holds = listener.hear(|| waiting(account.hold()));
    thread::scope(|scope| {
        scope.spawn(|| assert!(poll(&mut holds).is_ready()));
    });
    drop(holds);
    assert_eq!(listener.outcomes(), [outcome("hold", "entered")]);
}

#[test]
fn a_lock_keeps_no_span() {
    let listener = Listener::default();
    let account = Account::default();
    listener.hear(|| {
        let guard = account.ledger.try_acquire().expect("it is free");
        let mut waits = waiting(account.deposit(1));
        thread::scope(|scope| {
            scope.spawn(move || drop(guard));
        });
        assert!(poll(&mut waits).is_ready());
    });
    // While the lock is still there.
    assert_eq!(listener.outcomes(), [outcome("deposit", "entered")]);
    assert!(account.ledger.try_acquire().is_some());
}

#[test]
fn nobody_is_told_who_does_not_listen() {
    /// Listens to others.
    struct Deaf;

    impl Subscriber for Deaf {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            false
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            panic!("a span")
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    let account = Account::default();
    tracing::subscriber::with_default(Deaf, || block_on(account.deposit(1)));
    block_on(account.deposit(1));
    assert!(watch::metrics().is_empty());
}

/// A subscriber that has sections of its own, and panics where it is entered.
#[test]
fn a_subscriber_may_have_sections_and_panic() {
    #[derive(Default)]
    struct Counting {
        account: Account,
        panics: bool,
    }

    impl Subscriber for Counting {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target() == "async_monitor"
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            self.account.deposit_blocking(1);
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {
            self.account.deposit_blocking(1);
        }
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {}
        fn enter(&self, _: &Id) {
            self.account.deposit_blocking(1);
            assert!(!self.panics, "a subscriber that panics");
        }
        fn exit(&self, _: &Id) {
            self.account.deposit_blocking(1);
        }
    }

    let account = Account::default();
    tracing::subscriber::with_default(Counting::default(), || block_on(account.deposit(1)));
    let panicking = Counting {
        panics: true,
        ..Counting::default()
    };
    tracing::subscriber::with_default(panicking, || {
        let both = || with_lock!(account.ledger, blocking, { *ledger.balance += 1 });
        catch_unwind(AssertUnwindSafe(both)).expect_err("the subscriber panics");
        catch_unwind(AssertUnwindSafe(|| block_on(account.hold()))).expect_err("it does again");
    });
    // The list of the thread is as it was, and the lock is free.
    block_on(account.deposit(1));
    assert!(account.ledger.try_acquire().is_some());
}
