//! The bounded buffer, in every schedule and with every cancel.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use async_monitor::check::Check;

use super::Buffer;

/// Two producers and two consumers at a buffer for one.
fn check(cancels: usize) {
    let outcome = Check::new().cancels(cancels).every_schedule(|run| {
        let buffer = Arc::new(Buffer::new(1));
        let put = Rc::new(RefCell::new(Vec::new()));
        let taken = Rc::new(RefCell::new(Vec::new()));
        for (name, item) in [("p", 1_u64), ("q", 2)] {
            let (buffer, put) = (Arc::clone(&buffer), Rc::clone(&put));
            run.spawn(name, async move {
                buffer.put(item).await;
                put.borrow_mut().push(item);
            });
        }
        for name in ["c", "d"] {
            let (buffer, taken) = (Arc::clone(&buffer), Rc::clone(&taken));
            run.spawn(name, async move {
                let item = buffer.take().await.expect("it is not closed");
                taken.borrow_mut().push(item);
            });
        }
        run.finally(move || {
            let mut left = buffer.try_acquire_state().expect("nobody has it");
            taken.borrow_mut().extend(left.fields().items.drain(..));
            put.borrow_mut().sort_unstable();
            taken.borrow_mut().sort_unstable();
            assert_eq!(put, taken, "an item was lost or doubled");
        });
    });
    assert!(outcome.is_proof());
}

#[test]
fn items_are_neither_lost_nor_doubled() {
    check(0);
}

#[test]
fn nor_are_they_where_a_task_is_cancelled() {
    check(1);
}

/// Whoever waits is told that it is closed, and what was put in before comes out.
#[test]
fn closing_tells_all_consumers() {
    let outcome = Check::new().every_schedule(|run| {
        let buffer = Arc::new(Buffer::new(1));
        let taken = Rc::new(Cell::new(0));
        for name in ["c", "d"] {
            let (buffer, taken) = (Arc::clone(&buffer), Rc::clone(&taken));
            run.spawn(name, async move {
                while let Some(item) = buffer.take().await {
                    taken.set(taken.get() + item);
                }
            });
        }
        let (closing, put) = (Arc::clone(&buffer), Rc::new(Cell::new(0)));
        let all = Rc::clone(&put);
        run.spawn("p", async move {
            closing.put(1).await;
            put.set(1);
            closing.close().await;
        });
        run.finally(move || {
            let mut left = buffer.try_acquire_state().expect("nobody has it");
            let left: u64 = left.fields().items.iter().sum();
            assert_eq!(taken.get() + left, all.get(), "an item was lost or doubled");
        });
    });
    assert!(outcome.is_proof());
}
