//! Three tasks, and an interrupt that comes at any instruction of them: it deposits where the lock
//! is free, adds permits, and sets an event. Ends well if nothing is lost.

#![no_std]
#![no_main]

use core::future::{Future, poll_fn};
use core::panic::PanicInfo;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use async_monitor::with_lock;
use cortex_m::Peripherals;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::{entry, exception};
use cortex_m_semihosting::{debug, hprintln};
use no_std::{Account, Ring, Sensor, transfer};

/// How often the interrupt adds a permit, and how much is withdrawn.
const ROUNDS: u32 = 2_000;

static ACCOUNT: Account = Account::new(1, 0);
static SAVINGS: Account = Account::new(2, 0);
static RING: Ring = Ring::new();
static SENSOR: Sensor = Sensor::new();

static TICKS: AtomicU32 = AtomicU32::new(0);
static DEPOSITED: AtomicU32 = AtomicU32::new(0);
static REFUSED: AtomicU32 = AtomicU32::new(0);
static WOKEN: AtomicBool = AtomicBool::new(true);

#[exception]
fn SysTick() {
    let tick = TICKS.fetch_add(1, Relaxed) + 1;
    match ACCOUNT.try_acquire_ledger() {
        Some(mut ledger) => {
            *ledger.fields().balance += 1;
            DEPOSITED.fetch_add(1, Relaxed);
        }
        None => {
            REFUSED.fetch_add(1, Relaxed);
        }
    }
    if tick <= ROUNDS {
        SENSOR.slots.add_permits(1);
    }
    if tick == ROUNDS {
        SENSOR.ready.set();
    }
}

/// Takes a permit for each that the interrupt has added.
async fn take_permits() {
    for _ in 0..ROUNDS {
        SENSOR.slots.acquire().await.forget();
    }
    SENSOR.ready.wait().await;
}

/// Waits for what the interrupt deposits.
async fn withdraw() {
    for round in 0..ROUNDS {
        ACCOUNT.withdraw(1).await;
        SAVINGS.deposit(1).await;
        RING.push(round).await;
    }
}

/// Waits for the other task, and is in a section for so long that the interrupt finds it closed.
async fn save() {
    for round in 0..ROUNDS {
        assert_eq!(RING.pop().await, round);
        if round % 100 == 0 {
            with_lock!(ACCOUNT.ledger, {
                let refused = REFUSED.load(Relaxed);
                while REFUSED.load(Relaxed) == refused {
                    cortex_m::asm::wfi();
                }
                *ledger.balance += 0;
            });
        }
        if round % 3 == 0 {
            transfer(&SAVINGS, &ACCOUNT, 1).await.expect("savings");
        }
    }
}

#[entry]
fn main() -> ! {
    let mut timer = Peripherals::take().expect("the first time").SYST;
    // The processor has 12 MHz.
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(6_011);
    timer.clear_current();
    timer.enable_counter();
    timer.enable_interrupt();

    let tasks = [
        pin!(take_permits()) as Pin<&mut dyn Future<Output = ()>>,
        pin!(withdraw()),
        pin!(save()),
    ];
    run(tasks);
    timer.disable_interrupt();

    let moved = ROUNDS.div_ceil(3);
    let (left, _) = run_one(ACCOUNT.state());
    let (saved, _) = run_one(SAVINGS.state());
    let (deposited, refused) = (DEPOSITED.load(Relaxed), REFUSED.load(Relaxed));
    assert_eq!(left, i64::from(deposited + moved - ROUNDS));
    assert_eq!(saved, i64::from(ROUNDS - moved));
    assert_eq!(SENSOR.slots.available_permits(), 2);
    assert_eq!(deposited + refused, TICKS.load(Relaxed));
    hprintln!(
        "{ROUNDS} rounds; the interrupt came {deposited} times to a free lock and {refused} to one that was held"
    );
    debug::exit(debug::EXIT_SUCCESS);
    loop {}
}

/// Polls all tasks whenever one was woken, and sleeps in between.
fn run<const N: usize>(mut tasks: [Pin<&mut dyn Future<Output = ()>>; N]) {
    let mut has_ended = [false; N];
    run_one(poll_fn(|cx| {
        for (task, has_ended) in tasks.iter_mut().zip(&mut has_ended) {
            *has_ended = *has_ended || task.as_mut().poll(cx).is_ready();
        }
        match has_ended {
            all if all.iter().all(|ended| *ended) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }));
}

fn run_one<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = waker();
    let mut cx = Context::from_waker(&waker);
    WOKEN.store(true, Relaxed);
    loop {
        if WOKEN.swap(false, Relaxed) {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
        }
        // An interrupt that comes in here ends the sleep, and runs after it.
        cortex_m::interrupt::free(|_| {
            if !WOKEN.load(Relaxed) {
                cortex_m::asm::wfi();
            }
        });
    }
}

/// There is one: it sets `WOKEN`.
fn waker() -> Waker {
    const TABLE: RawWakerVTable = RawWakerVTable::new(|_| RAW, |_| wake(), |_| wake(), |_| {});
    const RAW: RawWaker = RawWaker::new(core::ptr::null(), &TABLE);
    fn wake() {
        WOKEN.store(true, Relaxed);
    }
    // SAFETY: nothing in the table looks at the pointer.
    unsafe { Waker::from_raw(RAW) }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    hprintln!("{info}");
    debug::exit(debug::EXIT_FAILURE);
    loop {}
}
