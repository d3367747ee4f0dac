//! The hangs that are hangs of threads, too, under the detectors for the locks of threads.

macro_rules! hangs_under {
    ($detector:ident, $locks:path, $spawn:path, $unwrapped:expr) => {
        pub mod $detector {
            use std::sync::{Arc, Barrier};

            use $locks::{Mutex, RwLock};

            use crate::tasks::global;

            pub const ALL: &[(&str, fn())] = &[
                ("relock_in_another_file", relock),
                ("read_then_write", read_then_write),
                ("read_again_behind_a_writer", read_again),
                ("abba_over_two_methods", || cycle(2)),
                ("cycle_of_three", || cycle(3)),
                ("guard_forgotten", guard_forgotten),
            ];

            macro_rules! take {
                ($result:expr) => {
                    $unwrapped($result)
                };
            }

            fn spawn(run: impl FnOnce() + Send + 'static) {
                $spawn(run);
            }

            fn relock() {
                let mutex = global(Mutex::new(0));
                spawn(move || {
                    let _held = take!(mutex.lock());
                    drop(take!(mutex.lock()));
                });
            }

            fn read_then_write() {
                let lock = global(RwLock::new(0));
                spawn(move || {
                    let _held = take!(lock.read());
                    drop(take!(lock.write()));
                });
            }

            fn read_again() {
                let lock = global(RwLock::new(0));
                spawn(move || {
                    let _held = take!(lock.read());
                    spawn(move || drop(take!(lock.write())));
                    std::thread::sleep(std::time::Duration::from_millis(50));
                    drop(take!(lock.read()));
                });
            }

            fn cycle(count: usize) {
                let locks = global((0..count).map(|_| Mutex::new(0)).collect::<Vec<_>>());
                let all_hold = Arc::new(Barrier::new(count));
                for index in 0..count {
                    let all_hold = Arc::clone(&all_hold);
                    spawn(move || {
                        let _held = take!(locks[index].lock());
                        all_hold.wait();
                        drop(take!(locks[(index + 1) % count].lock()));
                    });
                }
            }

            fn guard_forgotten() {
                let mutex = global(Mutex::new(0));
                spawn(move || {
                    std::mem::forget(take!(mutex.lock()));
                    spawn(move || drop(take!(mutex.lock())));
                });
            }
        }
    };
}

hangs_under!(
    tracing_mutex,
    ::tracing_mutex::stdsync,
    std::thread::spawn,
    Result::unwrap
);
hangs_under!(
    deloxide,
    ::deloxide,
    ::deloxide::thread::spawn,
    std::convert::identity
);
