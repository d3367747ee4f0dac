//! Conditional waiters: G6 and G7 of the gate.

use std::future::Future;
use std::sync::Arc;

use async_monitor::__private::{ConditionalLock, when};
use async_monitor::{Mutex, MutexGuard};
use loom::future::block_on;
use loom::thread;

use crate::{model, poll_once};

/// Enters when the number is not zero.
fn not_zero(mutex: &Mutex<usize>) -> impl Future<Output = MutexGuard<'_, usize>> {
    // SAFETY: the guard is of the mutex, and holds nothing but it.
    unsafe {
        when(
            mutex.place(),
            || mutex.granted(),
            |guard: &mut MutexGuard<'_, usize>| **guard > 0,
        )
    }
}

#[test]
fn no_change_is_missed() {
    model(|| {
        let mutex = Arc::new(Mutex::new(0));
        let taker = {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || block_on(async { *not_zero(&mutex).await -= 1 }))
        };
        block_on(async { *mutex.lock().await += 1 });
        taker.join().unwrap();
        assert_eq!(*mutex.try_lock().unwrap(), 0);
    });
}

#[test]
fn news_against_cancel() {
    model(|| {
        let mutex = Arc::new(Mutex::new(0));
        let mut first = Box::pin({
            let mutex = Arc::clone(&mutex);
            async move { *not_zero(&mutex).await -= 1 }
        });
        assert!(poll_once(first.as_mut()).is_pending());
        let second = {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || block_on(async { *not_zero(&mutex).await -= 1 }))
        };
        let putter = {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || block_on(async { *mutex.lock().await += 1 }))
        };
        drop(first);
        second.join().unwrap();
        putter.join().unwrap();
        assert_eq!(*mutex.try_lock().unwrap(), 0);
    });
}

#[test]
fn a_look_against_a_change() {
    model(|| {
        let mutex = Arc::new(Mutex::new(0));
        let takers: Vec<_> = (0..2)
            .map(|_| {
                let mutex = Arc::clone(&mutex);
                thread::spawn(move || block_on(async { *not_zero(&mutex).await -= 1 }))
            })
            .collect();
        block_on(async { *mutex.lock().await += 2 });
        for taker in takers {
            taker.join().unwrap();
        }
        assert_eq!(*mutex.try_lock().unwrap(), 0);
    });
}
