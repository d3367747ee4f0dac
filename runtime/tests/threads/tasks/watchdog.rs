//! Prints what each task waits for, if there is no progress any more.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process;
use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex as StdMutex, Once};
use std::thread;
use std::time::{Duration, Instant};

use super::Slot;
use super::bin::Bin;
use super::world::World;

/// How long without an acquisition counts as hanging.
const PATIENCE: Duration = Duration::from_secs(if cfg!(miri) { 600 } else { 60 });

/// Prints how to repeat the crowd, if its final state is wrong.
pub(crate) struct Seed(pub(crate) u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if thread::panicking() {
            say(&once_more(self.0));
        }
    }
}

fn once_more(seed: u64) -> String {
    format!("once more: ASYNC_MONITOR_SEED={seed} ASYNC_MONITOR_STEPS=1, and this test\n")
}

#[derive(Default)]
pub(crate) struct Watchdog {
    over: StdMutex<bool>,
    changed: Condvar,
}

impl Watchdog {
    pub(crate) fn is_over(&self) {
        *self.over.lock().expect("no panic") = true;
        self.changed.notify_all();
    }

    /// Watches until the crowd ends, and ends the process if it hangs.
    pub(crate) fn watch(&self, world: &World, bin: &Bin<'_>, slots: &[Slot<'_>]) {
        let patience =
            super::variable("ASYNC_MONITOR_PATIENCE").map_or(PATIENCE, Duration::from_secs);
        let mut over = self.over.lock().expect("no panic");
        let (mut last, mut since) = (0, Instant::now());
        while !*over {
            let pause = Duration::from_millis(100);
            over = self.changed.wait_timeout(over, pause).expect("no panic").0;
            let now = world.served.load(Ordering::Relaxed);
            if now != last {
                (last, since) = (now, Instant::now());
            } else if since.elapsed() > patience {
                say(&report(world, bin, slots));
                // Where the internals are locked for ever, that cannot be shown.
                thread::spawn(|| {
                    thread::sleep(Duration::from_secs(5));
                    process::exit(101);
                });
                say(&format!("{world:?}"));
                process::exit(101);
            }
        }
    }
}

/// What each task waits for, and holds.
fn report(world: &World, bin: &Bin<'_>, slots: &[Slot<'_>]) -> String {
    let mut text = format!("\nit hangs: {:?}\n", world.rules);
    text += &once_more(world.rules.seed);
    for (number, slot) in slots.iter().enumerate() {
        let _ = match slot.task.try_lock() {
            Ok(task) => match &*task {
                Some(task) => writeln!(text, "task {number}: {task:?}"),
                None => writeln!(text, "task {number} has ended"),
            },
            Err(_) => writeln!(text, "task {number} is being polled: {:?}", slot.handle),
        };
    }
    if let Ok(waits) = world.waits.try_lock() {
        for (who, what) in &*waits {
            let _ = writeln!(text, "{who} is parked for {what}");
        }
    }
    let _ = writeln!(text, "to be dropped: {}", bin.describe());
    text
}

/// Past what the test harness keeps for itself until a test ends.
fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// A thread that panics leaves the others behind, so it ends them.
pub(crate) fn speak_up() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let thread = thread::current();
            let name = thread.name().unwrap_or("?");
            let Some(rest) = name.strip_prefix("crowd of seed ") else {
                return before(info);
            };
            let seed = rest.split(',').next().and_then(|seed| seed.parse().ok());
            let again = seed.map(once_more).unwrap_or_default();
            let backtrace = std::backtrace::Backtrace::capture();
            say(&format!("\n{name}: {info}\n{backtrace}\n{again}"));
            process::exit(101);
        }));
    });
}
