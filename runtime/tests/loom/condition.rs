//! `Condition`: C1 to C3.

use std::pin::pin;
use std::sync::Arc;

use async_monitor::{Condition, Lock, Mutex, RwLock};
use loom::future::block_on;
use loom::thread;

use crate::{Boxed, PollsAnother, Task, leak, model, model_within, poll_once, queued};

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

/// A waiter that is dropped while it is notified passes the notification on.
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

/// The same, if the first waiter already reacquires the lock.
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

/// A lock, and a condition without a predicate.
#[derive(Default)]
struct Bell {
    lock: Arc<Lock>,
    condition: Condition,
}

impl Bell {
    /// Waits for the bell, and releases the lock.
    fn waiter(self: &Arc<Self>, task: &Task) -> Boxed<()> {
        let bell = Arc::clone(self);
        queued(task, async move {
            let guard = bell.lock.acquire().await;
            bell.condition.wait(guard).await.release();
        })
    }

    fn ring(&self, count: usize) {
        let guard = self.lock.acquire_blocking();
        self.condition.notify(&guard, count);
    }
}

/// The notified waiter is dropped, and another joins: too late for the notification.
#[test]
fn notify_against_cancel_and_a_late_wait() {
    model(|| {
        let bell = Arc::new(Bell::default());
        let (early, late) = (Task::new(), Task::new());
        let first = bell.waiter(&early);
        bell.ring(1);
        let canceller = thread::spawn(move || drop(first));
        let mut second = bell.waiter(&late);
        canceller.join().unwrap();
        assert_eq!(late.wakes(), 0, "the notification was not for it");
        assert!(late.poll(second.as_mut()).is_pending());
        bell.ring(1);
        assert_eq!(late.wakes(), 1);
        assert!(late.poll(second.as_mut()).is_ready());
        assert!(!bell.lock.is_locked());
        assert!(early.is_forgotten());
    });
}

/// One of two waiters is notified and dropped; the other gets the notification,
/// in any order.
#[test]
fn notification_is_given_on() {
    model(|| {
        let bell = Arc::new(Bell::default());
        let (one, two) = (Task::new(), Task::new());
        let first = bell.waiter(&one);
        let mut second = bell.waiter(&two);
        let ringer = {
            let bell = Arc::clone(&bell);
            thread::spawn(move || bell.ring(1))
        };
        drop(first);
        ringer.join().unwrap();
        assert_eq!(two.wakes(), 1);
        assert!(two.poll(second.as_mut()).is_ready());
        assert!(one.is_forgotten() && !bell.lock.is_locked());
    });
}

/// Both notified waiters go on, one after the other, while one is dropped.
#[test]
fn notify_all_against_cancel() {
    model(|| {
        let bell = Arc::new(Bell::default());
        let tasks = [Task::new(), Task::new(), Task::new()];
        let first = bell.waiter(&tasks[0]);
        let second = bell.waiter(&tasks[1]);
        let mut third = bell.waiter(&tasks[2]);
        let canceller = thread::spawn(move || drop(first));
        let runner = thread::spawn(move || block_on(second));
        bell.ring(usize::MAX);
        canceller.join().unwrap();
        runner.join().unwrap();
        assert_eq!(tasks[2].wakes(), 1);
        assert!(tasks[2].poll(third.as_mut()).is_ready());
        assert!(!bell.lock.is_locked());
    });
}

/// A notified waiter is queued for the lock, and is dropped while the lock
/// is released: the lock and the notification are both passed on.
#[test]
fn release_against_cancel_on_the_way_back() {
    model(|| {
        let bell = Arc::new(Bell::default());
        let (one, two) = (Task::new(), Task::new());
        let mut first = bell.waiter(&one);
        let mut second = bell.waiter(&two);
        let guard = bell.lock.try_acquire_owned().unwrap();
        bell.condition.notify_one(&guard);
        assert!(one.poll(first.as_mut()).is_pending());
        let releaser = thread::spawn(move || drop(guard));
        drop(first);
        releaser.join().unwrap();
        assert_eq!(two.wakes(), 1);
        assert!(two.poll(second.as_mut()).is_ready());
        assert!(one.is_forgotten() && !bell.lock.is_locked());
    });
}

/// The waker of the last poll is woken, or that poll is notified.
#[test]
fn last_waker_is_woken() {
    model(|| {
        let bell = Arc::new(Bell::default());
        let (first, last) = (Task::new(), Task::new());
        let mut waiter = bell.waiter(&first);
        let ringer = {
            let bell = Arc::clone(&bell);
            thread::spawn(move || bell.ring(1))
        };
        let ready = last.poll(waiter.as_mut()).is_ready();
        ringer.join().unwrap();
        // By the notification, or by the lock that it came with.
        assert!(ready || last.wakes() == 1);
        assert!(ready || last.poll(waiter.as_mut()).is_ready());
        assert!(!bell.lock.is_locked());
        drop(waiter);
        assert!(first.is_forgotten() && last.is_forgotten());
    });
}

/// A wait begins while a notifier requests the lock.
#[test]
fn wait_gives_the_lock_to_who_notifies() {
    model(|| {
        let bell = Arc::new(Bell::default());
        let guard = bell.lock.try_acquire().unwrap();
        let ringer = {
            let bell = Arc::clone(&bell);
            thread::spawn(move || bell.ring(1))
        };
        // The waiter joins before the lock is released.
        block_on(bell.condition.wait(guard)).release();
        ringer.join().unwrap();
        assert!(!bell.lock.is_locked());
    });
}

/// Two of three are notified, woken one at a time, while one of the two is dropped
/// and another thread polls: two go on (N4).
#[test]
fn notify_several_against_cancel_and_poll() {
    for cancelled in 0..2 {
        model_within(2, move || {
            let bell = Arc::new(Bell::default());
            let tasks = [Task::new(), Task::new(), Task::new()];
            let mut line: Vec<_> = tasks.iter().map(|task| bell.waiter(task)).collect();
            let leaver = line.remove(cancelled);
            let mut behind = line.pop().unwrap();
            let mut chosen = line.pop().unwrap();
            let ringer = {
                let bell = Arc::clone(&bell);
                thread::spawn(move || bell.ring(2))
            };
            let canceller = thread::spawn(move || drop(leaver));
            // If it is notified before it is polled, the poll is ready.
            let polled = tasks[1 - cancelled].poll(chosen.as_mut()).is_ready();
            ringer.join().unwrap();
            canceller.join().unwrap();
            assert!(polled || tasks[1 - cancelled].poll(chosen.as_mut()).is_ready());
            assert_eq!(tasks[2].wakes(), 1);
            assert!(tasks[2].poll(behind.as_mut()).is_ready());
            assert!(!bell.lock.is_locked());
            assert!(tasks.iter().all(Task::is_forgotten));
        });
    }
}

/// Two notifications for two, each complete before it wakes, by holders of a
/// shared lock: no waiter is notified twice, and none that joined in time is
/// left out.
#[test]
fn two_notifications_at_a_time() {
    model_within(2, || {
        let lock: &'static RwLock<()> = leak(RwLock::new(()));
        let condition: &'static Condition = leak(Condition::new());
        let waiter = |task: &Task| {
            queued(task, async {
                let guard = lock.read().await;
                drop(condition.wait(guard).await);
            })
        };
        let tasks = [
            Task::new(),
            Task::new(),
            Task::new(),
            Task::new(),
            Task::new(),
        ];
        let mut line = tasks.each_ref().map(waiter);
        let notify = move || condition.notify(&lock.try_read().unwrap(), 2);
        let other = thread::spawn(notify);
        notify();
        other.join().unwrap();
        let wakes = tasks.each_ref().map(Task::wakes);
        assert_eq!(wakes, [1, 1, 1, 1, 0]);
        for (task, waiter) in tasks.iter().zip(&mut line).take(4) {
            assert!(task.poll(waiter.as_mut()).is_ready());
        }
        assert!(tasks[4].poll(line[4].as_mut()).is_pending());
    });
}

/// Of three behind the first, one is polled by its waker and one is cancelled: two
/// are notified, in order, of those that are left.
#[test]
fn poll_inside_of_a_wake_against_cancel() {
    for cancelled in 0..2 {
        model_within(2, move || {
            let lock: &'static RwLock<()> = leak(RwLock::new(()));
            let condition: &'static Condition = leak(Condition::new());
            let wait = || async {
                let guard = lock.read().await;
                drop(condition.wait(guard).await);
            };
            let first = PollsAnother::new();
            let mut first_wait = Box::pin(wait());
            assert!(first.poll(first_wait.as_mut()).is_pending());
            let tasks = [Task::new(), Task::new(), Task::new()];
            let mut line = tasks.each_ref().map(|task| Some(queued(task, wait())));
            let leaver = line[cancelled].take();
            let mut early = line[1 - cancelled].take().unwrap();
            let task = tasks[1 - cancelled].clone();
            let is_ready = std::sync::Arc::new(std::sync::Mutex::new(None));
            let was_ready = std::sync::Arc::clone(&is_ready);
            first.on_wake(move || {
                let ready = task.poll(early.as_mut()).is_ready();
                // The second waiter is chosen before the first is woken.
                assert!(ready || cancelled == 0);
                *was_ready.lock().unwrap() = Some((ready, early));
            });
            let notifier = thread::spawn(move || condition.notify(&lock.try_read().unwrap(), 2));
            drop(leaver);
            notifier.join().unwrap();
            assert!(first.poll(first_wait.as_mut()).is_ready());
            let (ready, mut early) = is_ready.lock().unwrap().take().unwrap();
            let task = &tasks[1 - cancelled];
            assert!(ready || (task.wakes() == 1 && task.poll(early.as_mut()).is_ready()));
            let mut last = line[2].take().unwrap();
            assert_eq!(tasks[2].wakes(), 0);
            assert!(tasks[2].poll(last.as_mut()).is_pending());
        });
    }
}
