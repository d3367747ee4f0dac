//! A program without std, an allocator or an operating system: it links only if none of its
//! dependencies uses std, as a program has one panic handler.

#![no_std]

use core::future::Future;
use core::panic::PanicInfo;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use no_std::{Account, Counter, Ring, Sensor, transfer};

static FROM: Account = Account::new(1, 10);
static TO: Account = Account::new(2, 0);
static RING: Ring = Ring::new();
static SENSOR: Sensor = Sensor::new();

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// The whole of an executor.
fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

/// What a reset handler would call.
#[unsafe(no_mangle)]
pub extern "C" fn firmware() -> i64 {
    run(async {
        let _ = transfer(&FROM, &TO, 4).await;
        RING.push(TO.withdraw(1).await as u32).await;
        SENSOR.measure(RING.pop().await).await;
        let counted = Counter::default().add().await;
        SENSOR.take().await.map_or(0, i64::from) + i64::from(counted)
    })
}
