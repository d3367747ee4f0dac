//! What can be awaited in plain code can be awaited in a section.

#![deny(warnings)]

use std::fmt::Write;
use std::future::{Future, IntoFuture, Ready, ready};
use std::pin::{Pin, pin};

use async_monitor::{Mutex, synchronized, with_lock};

/// Is awaited, and no future.
struct Request(u32);

impl IntoFuture for Request {
    type Output = u32;
    type IntoFuture = Ready<u32>;

    fn into_future(self) -> Ready<u32> {
        ready(self.0)
    }
}

struct Held<F>(F);

async fn number() -> u32 {
    3
}

/// A name that is a keyword elsewhere.
fn raw(number: u32) -> Held<Ready<u32>> {
    Held(ready(number))
}

/// A fn to be called in an `unsafe` block.
unsafe fn promised() -> Ready<u32> {
    ready(3)
}

/// Variables whose types are known later, or only once they are awaited.
#[synchronized(lock)]
async fn late(lock: &Mutex<u32>, first: bool) -> u32 {
    let future;
    if first {
        future = Box::pin(number()) as Pin<Box<dyn Future<Output = u32> + Send>>;
    } else {
        future = Box::pin(async { 2 });
    }
    let sum = future.await;

    let value = async { Default::default() };
    let value: u32 = value.await;

    let mut kept = None;
    let mut is_kept = false;
    while is_kept {
        let taken: Option<_> = kept.take();
        if let Some(taken) = taken {
            taken.await;
        }
        is_kept = false;
    }
    kept = Some(ready(()));
    let _ = (kept, is_kept);
    let unknown;
    unknown = number();
    *lock + sum + value + unknown.await
}

/// References, boxes, and what is made into a future.
#[synchronized(lock)]
async fn by_reference(lock: &Mutex<u32>) -> u32 {
    let mut boxed = Box::pin(number());
    let reference = &mut boxed;
    let pinned = pin!(number());
    let dynamic: Box<dyn Future<Output = u32> + Unpin + Send> = Box::new(ready(3));
    let closure = |number| async move { number };
    let made = closure(3_u8);
    let request = Request(1);
    let held = Held((number(), [ready(2_u32)]));
    let sum = reference.await + pinned.await + dynamic.await + u32::from(made.await);
    *lock + sum + request.await + Request(2).await + held.0.0.await + (&mut { held.0.1 }[0]).await
}

/// In front of it stands what begins with it, or does not.
#[synchronized(lock)]
async fn operands(lock: &Mutex<u32>) -> Option<u32> {
    let list = [ready(1), ready(2)];
    let f = || Some(number());
    let g = || number;
    let mut sum = -i64::from(f()?.await) + i64::from(g()().await);
    for _ in 0..number().await {
        sum += 1;
    }
    for number in list {
        if !(number.await > 1) {
            continue;
        }
    }
    #[allow(unused_parens)]
    let x = (number()).await;
    if x > 3 {}
    (ready(())).await;
    let _ = 0..x.min(number().await);
    let y = unsafe { promised() }.await;
    let z = std::convert::identity::<Ready<u32>>(ready(3)).await;
    let z = <u32 as std::ops::Add>::add(z, ::core::future::ready(2).await);
    let held = Held { 0: number() }.0.await + raw(3).0.await;
    let choice = match x {
        3 => (ready(1)).await,
        _ if ready(true).await => return None,
        _ => ready(1).await,
    };
    let found = 'found: {
        break 'found (ready(1)).await;
    };
    sum = sum.wrapping_add(i64::from(y + z + held + choice + found));
    u32::try_from(sum).ok().map(|sum| sum + *lock)
}

async fn length(text: String) -> u32 {
    text.len() as u32
}

/// Within arguments of what is awaited, what has no beginning that can be told.
#[synchronized(lock)]
async fn within_arguments(lock: &Mutex<u32>) -> u32 {
    let text = length(format!("{}", number().await)).await;
    let inner = Mutex::new(3);
    let sum = ready(text + with_lock!(m = inner, { *m })).await;
    ready(*lock + sum + unsafe { promised() }.await).await + ready((number()).await).await
}

/// Arguments of macros.
#[synchronized(lock)]
async fn arguments(lock: &Mutex<u32>) -> String {
    let name = "name";
    assert!(number().await == 3);
    assert!(number().await == 3, "{name} {}", number().await);
    debug_assert_eq!(number().await, 3, "{name}");
    assert!(matches!(number().await, 1 | 3 if number().await == 3), "");
    let numbers = vec![number().await; 3];
    let mut text = format!("{name}{lock} {0:?} {other}", numbers, other = number().await);
    let _ = write!(text, "{}", with_lock!(m = Mutex::new(3), { *m }));
    text
}

fn is_send<T: Send>(_: T) {}

fn main() {
    let lock = Mutex::new(1);
    is_send(late(&lock, true));
    is_send(by_reference(&lock));
    is_send(operands(&lock));
    is_send(within_arguments(&lock));
    is_send(arguments(&lock));
}
