//! The bounded buffer, in every schedule and with every cancel.

use std::cell::RefCell;
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
