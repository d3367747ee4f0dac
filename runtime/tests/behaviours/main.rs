//! What the test suites of the field check of asyncio's primitives and their
//! kin, one test for each behaviour, polled by hand with counting wakers. The
//! names of the tests begin with the number of the behaviour in our list.
#![cfg(not(any(async_monitor_loom, async_monitor_shuttle)))]

mod model;
mod scheduled;
mod support;
mod when;

mod barrier;
mod condition;
mod cross;
mod event;
mod lock;
mod rwlock;
mod semaphore;
