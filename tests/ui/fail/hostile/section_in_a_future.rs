//! Macros of the user's, by the names of others, get what stands in the body of a section. What
//! they make of it cannot take the section away, nor outlive it.

use std::future::{Future, ready};
use std::pin::Pin;

use async_monitor::{Mutex, synchronized};

macro_rules! with_lock {
    ($lock:expr, $body:tt) => {
        Box::pin(async move { async_monitor::with_lock!(inner = $lock, $body) })
    };
}

#[synchronized(outer)]
async fn taken_away(
    outer: &'static Mutex<u32>,
    inner: &'static Mutex<u32>,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    with_lock!(inner, { ready(()).await })
}

macro_rules! format {
    (with_lock!(inner = $lock:expr, { $($body:tt)* }), $later:expr) => {
        async_monitor::with_lock!(inner = $lock, {
            $($body)*
            // On another thread.
            drop(async { $later });
        })
    };
}

#[synchronized(outer)]
async fn on_two_threads(outer: &Mutex<u32>, inner: &Mutex<u32>) {
    format!(with_lock!(inner = inner, {}), ready(()).await)
}

macro_rules! write {
    ($name:ident, $later:expr) => {
        let $name = async { $later };
    };
}

#[synchronized(outer)]
async fn while_the_body_goes_on(outer: &Mutex<u32>) {
    write!(later, ready(()).await);
    // On another thread, and this one runs what follows.
    on_another_thread(later);
}

fn on_another_thread(_: impl Future + Send) {}

fn main() {}
