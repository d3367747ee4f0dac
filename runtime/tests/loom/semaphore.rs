//! `Semaphore`: S1.

use std::pin::pin;
use std::sync::Arc;

use async_monitor::{BoundedSemaphore, Semaphore};
use loom::future::block_on;
use loom::thread;

use crate::{model, poll_once};

#[test]
fn two_releases_wake_two() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let semaphore = Arc::clone(&semaphore);
                thread::spawn(move || block_on(async { semaphore.acquire().await.forget() }))
            })
            .collect();
        semaphore.add_permits(1);
        semaphore.add_permits(1);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(semaphore.available_permits(), 0);
    });
}

#[test]
fn release_against_cancel() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let canceller = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || {
                let mut future = pin!(semaphore.acquire());
                let _ = poll_once(future.as_mut());
            })
        };
        semaphore.add_permits(1);
        canceller.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
        assert!(!semaphore.is_locked());
    });
}

#[test]
fn cancelled_large_request_lets_small_ones_in() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let mut large = Box::pin(semaphore.acquire_many_owned(3));
        assert!(poll_once(large.as_mut()).is_pending());
        let small = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || block_on(async { semaphore.acquire().await.forget() }))
        };
        drop(large);
        small.join().unwrap();
        assert_eq!(semaphore.available_permits(), 0);
    });
}

#[test]
fn many_at_once_against_one_by_one() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let large = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || block_on(async { drop(semaphore.acquire_many(2).await) }))
        };
        let adder = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || semaphore.add_permits(1))
        };
        semaphore.add_permits(1);
        large.join().unwrap();
        adder.join().unwrap();
        assert_eq!(semaphore.available_permits(), 2);
    });
}

#[test]
fn bounded_stays_bounded() {
    model(|| {
        let semaphore = Arc::new(BoundedSemaphore::new(1));
        semaphore.try_acquire().unwrap().forget();
        let other = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || semaphore.release(1).is_ok())
        };
        let ours = semaphore.release(1).is_ok();
        assert!(ours ^ other.join().unwrap());
        assert_eq!(semaphore.available_permits(), 1);
    });
}
