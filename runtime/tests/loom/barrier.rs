//! `Barrier`: B1 to B3.

use std::pin::pin;
use std::sync::Arc;

use async_monitor::Barrier;
use loom::future::block_on;
use loom::thread;

use crate::{model, poll_once};

#[test]
fn one_leader_for_each_generation() {
    model(|| {
        let barrier = Arc::new(Barrier::new(2));
        let thread = {
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || [(); 2].map(|()| block_on(barrier.wait()).unwrap().index()))
        };
        let ours = [(); 2].map(|()| block_on(barrier.wait()).unwrap().index());
        let theirs = thread.join().unwrap();
        for (ours, theirs) in ours.into_iter().zip(theirs) {
            assert_eq!(ours + theirs, 1);
        }
        assert_eq!(barrier.n_waiting(), 0);
    });
}

#[test]
fn trip_against_cancel() {
    model(|| {
        let barrier = Arc::new(Barrier::new(2));
        let canceller = {
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || {
                let mut wait = pin!(barrier.wait());
                let _ = poll_once(wait.as_mut());
            })
        };
        let mut wait = Box::pin(barrier.wait());
        let passed = poll_once(wait.as_mut()).is_ready();
        canceller.join().unwrap();
        // Either the two met, or the canceller never counted.
        let passed = passed || poll_once(wait.as_mut()).is_ready();
        assert_eq!(barrier.n_waiting(), usize::from(!passed));
    });
}

#[test]
fn reset_against_wait() {
    model(|| {
        let barrier = Arc::new(Barrier::new(2));
        let waiter = {
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || block_on(barrier.wait()).is_ok())
        };
        barrier.reset();
        let mut wait = Box::pin(barrier.wait());
        let ours = poll_once(wait.as_mut());
        if ours.is_pending() {
            // The other came first and was driven out, or has yet to come.
            let theirs = waiter.join().unwrap();
            assert_eq!(poll_once(wait.as_mut()).is_ready(), theirs);
        } else {
            assert!(waiter.join().unwrap());
        }
    });
}
