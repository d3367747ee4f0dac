//! `Condition`: C1 to C3.

use std::pin::pin;
use std::sync::Arc;

use async_monitor::{Condition, Mutex};
use loom::future::block_on;
use loom::thread;

use crate::{model, poll_once};

/// A counter, and the condition that it is not zero.
#[derive(Default)]
struct Stock {
    count: Mutex<usize>,
    not_empty: Condition,
}

impl Stock {
    async fn take(&self) {
        let guard = self.count.lock().await;
        let mut guard = self.not_empty.wait_for(guard, |count| *count > 0).await;
        *guard -= 1;
    }

    async fn put(&self) {
        let mut guard = self.count.lock().await;
        *guard += 1;
        self.not_empty.notify_one(&guard);
    }
}

#[test]
fn no_change_is_missed() {
    model(|| {
        let stock = Arc::new(Stock::default());
        let taker = {
            let stock = Arc::clone(&stock);
            thread::spawn(move || block_on(stock.take()))
        };
        block_on(stock.put());
        taker.join().unwrap();
        assert_eq!(*stock.count.try_lock().unwrap(), 0);
    });
}

/// A waiter that goes away while it is notified gives the notification on.
#[test]
fn notify_against_cancel() {
    model(|| {
        let stock = Arc::new(Stock::default());
        let mut first = Box::pin({
            let stock = Arc::clone(&stock);
            async move { stock.take().await }
        });
        assert!(poll_once(first.as_mut()).is_pending());
        let mut second = pin!(stock.take());
        assert!(poll_once(second.as_mut()).is_pending());
        let putter = {
            let stock = Arc::clone(&stock);
            thread::spawn(move || block_on(stock.put()))
        };
        drop(first);
        block_on(second);
        putter.join().unwrap();
        assert_eq!(*stock.count.try_lock().unwrap(), 0);
    });
}

/// The same, where the first waiter is already on its way to the lock.
#[test]
fn re_acquire_against_cancel() {
    model(|| {
        let stock = Arc::new(Stock::default());
        let mut first = Box::pin({
            let stock = Arc::clone(&stock);
            async move { stock.take().await }
        });
        assert!(poll_once(first.as_mut()).is_pending());
        let second = {
            let stock = Arc::clone(&stock);
            let mut second = Box::pin(async move { stock.take().await });
            assert!(poll_once(second.as_mut()).is_pending());
            second
        };
        let mut guard = stock.count.try_lock().unwrap();
        *guard += 1;
        stock.not_empty.notify_one(&guard);
        assert!(poll_once(first.as_mut()).is_pending());
        let thread = thread::spawn(move || block_on(second));
        let dropper = thread::spawn(move || drop(first));
        drop(guard);
        thread.join().unwrap();
        dropper.join().unwrap();
        assert_eq!(*stock.count.try_lock().unwrap(), 0);
    });
}
