//! The queue of the index, in every schedule and with every cancel.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use async_monitor::check::Check;
use futures::FutureExt;

use super::Queue;

/// A thread that pushes, and two tasks that pop until it is closed.
#[test]
fn what_is_pushed_is_popped_once() {
    let outcome = Check::new().every_schedule(|run| {
        let queue = Arc::new(Queue::new(1));
        let pushing = Arc::clone(&queue);
        run.thread("reader", move || {
            pushing.push_blocking(1);
            pushing.push_blocking(2);
            pushing.close();
        });
        let popped: Rc<RefCell<Vec<u32>>> = Rc::default();
        for name in ["task 1", "task 2"] {
            let (queue, popped) = (Arc::clone(&queue), Rc::clone(&popped));
            run.spawn(name, async move {
                while let Some(item) = queue.pop().await {
                    popped.borrow_mut().push(item);
                }
            });
        }
        run.finally(move || {
            let mut items = popped.borrow().clone();
            while let Some(Some(item)) = queue.pop().now_or_never() {
                items.push(item);
            }
            items.sort_unstable();
            assert_eq!(items, [1, 2], "an item was lost or doubled");
        });
    });
    assert!(outcome.is_proof());
}
