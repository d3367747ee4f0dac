//! `Event`: E1 to E3.

use std::pin::pin;
use std::sync::Arc;

use async_monitor::Event;
use loom::future::block_on;
use loom::thread;

use crate::{Exclusive, model, poll_once};

#[test]
fn set_lets_everybody_through() {
    model(|| {
        let event = Arc::new(Event::new());
        let value = Exclusive::new();
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let (event, value) = (Arc::clone(&event), value.clone());
                thread::spawn(move || {
                    block_on(event.wait());
                    value.get()
                })
            })
            .collect();
        value.add_one();
        event.set();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), 1);
        }
    });
}

#[test]
fn clear_takes_nothing_back() {
    model(|| {
        let event = Arc::new(Event::new());
        let mut waiter = pin!(event.wait());
        assert!(poll_once(waiter.as_mut()).is_pending());
        let setter = {
            let event = Arc::clone(&event);
            thread::spawn(move || {
                event.set();
                event.clear();
            })
        };
        block_on(waiter);
        setter.join().unwrap();
        assert!(!event.is_set());
        assert!(poll_once(pin!(event.wait())).is_pending());
    });
}

#[test]
fn two_sets_against_a_clear_and_a_wait() {
    model(|| {
        let event = Arc::new(Event::new());
        let setter = {
            let event = Arc::clone(&event);
            thread::spawn(move || event.set())
        };
        let waiter = {
            let event = Arc::clone(&event);
            thread::spawn(move || block_on(event.wait()))
        };
        event.clear();
        event.set();
        waiter.join().unwrap();
        setter.join().unwrap();
        assert!(event.is_set());
    });
}

#[test]
fn set_against_cancel() {
    model(|| {
        let event = Arc::new(Event::new());
        let canceller = {
            let event = Arc::clone(&event);
            thread::spawn(move || {
                let _ = poll_once(pin!(event.wait()));
            })
        };
        event.set();
        canceller.join().unwrap();
        event.clear();
        let mut late = pin!(event.wait());
        assert!(poll_once(late.as_mut()).is_pending());
        event.set();
        assert!(poll_once(late.as_mut()).is_ready());
    });
}

/// Who has seen the flag and cleared it is not let through by the call that set
/// it, however long that takes (E3).
#[test]
fn set_against_a_clear_and_a_late_wait() {
    model(|| {
        let event = Arc::new(Event::new());
        let mut early = pin!(event.wait());
        assert!(poll_once(early.as_mut()).is_pending());
        let setter = {
            let event = Arc::clone(&event);
            thread::spawn(move || event.set())
        };
        if event.is_set() {
            event.clear();
            let mut late = pin!(event.wait());
            assert!(poll_once(late.as_mut()).is_pending());
            setter.join().unwrap();
            assert!(poll_once(late.as_mut()).is_pending());
        } else {
            setter.join().unwrap();
        }
        assert!(poll_once(early.as_mut()).is_ready());
    });
}
