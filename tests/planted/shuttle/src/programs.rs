//! The programs, with the bugs. The mended ones are not run: a sample proves nothing.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use shuttle::future::{block_on, yield_now};
use tokio::sync::{Mutex, MutexGuard, Notify, RwLock, Semaphore};
use tokio::task::{JoinHandle, spawn};

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Each with its name.
macro_rules! programs {
    ($($name:ident)*) => {
        pub const ALL: &[(&str, fn())] = &[$((stringify!($name), $name)),*];
    };
}

programs! {
    aba_on_a_flag
    abba_over_two_instances
    abba_over_two_methods
    check_then_act
    close_between_check_and_wait
    close_that_misses_a_waiter
    cycle_of_three
    event_set_too_early
    flag_kept_after_a_cancel
    half_changed_by_a_cancel
    invariant_broken_for_a_reader
    join_in_a_section
    left_to_who_is_done
    lost_update
    made_twice
    more_than_fits
    notify_before_anyone_waits
    notify_one_of_two
    permit_used_twice
    read_again_behind_a_writer
    refunded_twice
    single_flight_without_its_loader
    token_lost_by_a_cancel
    two_semaphores_in_opposite_orders
    upgrade_against_upgrade
    waiting_list_overtaken
    wake_up_cleared_too_late
}

/// What all share: some state, and a way to tell that it has changed.
#[derive(Default)]
struct Shared<T> {
    state: Mutex<T>,
    changed: Notify,
}

impl<T: Send> Shared<T> {
    fn new(value: T) -> Arc<Self> {
        Arc::new(Shared {
            state: Mutex::new(value),
            changed: Notify::new(),
        })
    }

    async fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut *self.state.lock().await);
        self.changed.notify_waiters();
        result
    }

    /// Waits until something is true.
    async fn until(&self, is_true: impl Fn(&T) -> bool) -> MutexGuard<'_, T> {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let state = self.state.lock().await;
            if is_true(&state) {
                return state;
            }
            drop(state);
            changed.await;
        }
    }
}

/// Runs tasks at the same time, and then what is to be true.
fn run<const N: usize>(tasks: [Task; N], finally: impl Future<Output = ()> + Send + 'static) {
    block_on(async {
        let tasks: Vec<JoinHandle<()>> = tasks.into_iter().map(spawn).collect();
        for task in tasks {
            task.await.expect("it does not panic");
        }
        finally.await;
    });
}

/// Runs a task that is aborted sooner or later, beside others.
fn run_aborted<const N: usize>(
    aborted: Task,
    tasks: [Task; N],
    finally: impl Future<Output = ()> + Send + 'static,
) {
    block_on(async {
        let aborted = spawn(aborted);
        let tasks: Vec<JoinHandle<()>> = tasks.into_iter().map(spawn).collect();
        aborted.abort();
        let _ = aborted.await;
        for task in tasks {
            task.await.expect("it does not panic");
        }
        finally.await;
    });
}

async fn nothing() {}

/// A task, which has its own handle of what is shared.
macro_rules! task {
    ($shared:ident, $body:block) => {{
        let $shared = Arc::clone(&$shared);
        Box::pin(async move { $body }) as Task
    }};
}

fn abba_over_two_methods() {
    let shop = Arc::new((Mutex::new(0), Mutex::new(0)));
    run(
        [
            task!(shop, {
                let mut stock = shop.0.lock().await;
                *stock -= 1;
                *shop.1.lock().await += 1;
            }),
            task!(shop, {
                let mut orders = shop.1.lock().await;
                *orders -= 1;
                *shop.0.lock().await += 1;
            }),
        ],
        nothing(),
    );
}

fn abba_over_two_instances() {
    let accounts = Arc::new([Mutex::new(0), Mutex::new(0)]);
    let pay = |from: usize| {
        task!(accounts, {
            let mut balance = accounts[from].lock().await;
            *balance -= 1;
            *accounts[1 - from].lock().await += 1;
        })
    };
    run([pay(0), pay(1)], nothing());
}

fn cycle_of_three() {
    let forks = Arc::new([Mutex::new(()), Mutex::new(()), Mutex::new(())]);
    let eat = |index: usize| {
        task!(forks, {
            let _left = forks[index].lock().await;
            let _right = forks[(index + 1) % 3].lock().await;
        })
    };
    run([eat(0), eat(1), eat(2)], nothing());
}

fn upgrade_against_upgrade() {
    let permits = Arc::new(Semaphore::new(2));
    let task = || {
        task!(permits, {
            let _read = permits.acquire().await;
            let _write = permits.acquire().await;
        })
    };
    run([task(), task()], nothing());
}

fn read_again_behind_a_writer() {
    let map = Arc::new(RwLock::new(0));
    run(
        [
            task!(map, {
                let _outer = map.read().await;
                let _inner = map.read().await;
            }),
            task!(map, { *map.write().await += 1 }),
        ],
        nothing(),
    );
}

fn two_semaphores_in_opposite_orders() {
    let host = Arc::new((Semaphore::new(1), Semaphore::new(1)));
    run(
        [
            task!(host, {
                let _disk = host.0.acquire().await;
                let _network = host.1.acquire().await;
            }),
            task!(host, {
                let _network = host.1.acquire().await;
                let _disk = host.0.acquire().await;
            }),
        ],
        nothing(),
    );
}

fn notify_before_anyone_waits() {
    let mailbox = Shared::new(0);
    run(
        [
            task!(mailbox, { mailbox.change(|letters| *letters += 1).await }),
            task!(mailbox, {
                mailbox.changed.notified().await;
                *mailbox.state.lock().await -= 1;
            }),
        ],
        nothing(),
    );
}

/// As `wait_for`, over a `Notify` that wakes one.
async fn wait_for<T>(shared: &Shared<T>, is_true: impl Fn(&T) -> bool) {
    loop {
        let mut changed = pin!(shared.changed.notified());
        {
            let state = shared.state.lock().await;
            if is_true(&state) {
                return;
            }
            changed.as_mut().enable();
        }
        changed.await;
    }
}

fn notify_one_of_two() {
    let queue = Shared::new(0);
    let until = |count: usize| task!(queue, { wait_for(&queue, |items| *items >= count).await });
    run(
        [
            until(1),
            until(2),
            task!(queue, {
                for _ in 0..2 {
                    let mut items = queue.state.lock().await;
                    *items += 1;
                    queue.changed.notify_one();
                }
            }),
        ],
        nothing(),
    );
}

fn close_that_misses_a_waiter() {
    let queue = Shared::new(false);
    let take = || task!(queue, { wait_for(&queue, |closed| *closed).await });
    run(
        [
            take(),
            take(),
            task!(queue, {
                let mut closed = queue.state.lock().await;
                *closed = true;
                queue.changed.notify_one();
            }),
        ],
        nothing(),
    );
}

fn close_between_check_and_wait() {
    // Items, and whether it is closed.
    let queue = Shared::new((0, false));
    run(
        [
            task!(queue, {
                if !queue.state.lock().await.1 {
                    queue.until(|state| state.0 > 0).await.0 -= 1;
                }
            }),
            task!(queue, { queue.change(|state| state.1 = true).await }),
        ],
        nothing(),
    );
}

fn event_set_too_early() {
    let ready = Shared::new(false);
    run(
        [
            task!(ready, { ready.change(|is_set| *is_set = true).await }),
            task!(ready, {
                ready.change(|is_set| *is_set = false).await;
                drop(ready.until(|is_set| *is_set).await);
            }),
        ],
        nothing(),
    );
}

fn wake_up_cleared_too_late() {
    let inbox = Arc::new((Mutex::new(0), Shared::<bool>::default()));
    run(
        [
            task!(inbox, {
                for _ in 0..2 {
                    let mut letters = inbox.0.lock().await;
                    *letters += 1;
                    inbox.1.change(|has_more| *has_more = true).await;
                }
            }),
            task!(inbox, {
                let mut read = 0;
                while read < 2 {
                    drop(inbox.1.until(|has_more| *has_more).await);
                    read += std::mem::take(&mut *inbox.0.lock().await);
                    inbox.1.change(|has_more| *has_more = false).await;
                }
            }),
        ],
        nothing(),
    );
}

fn join_in_a_section() {
    let server = Arc::new((Mutex::new(1), Shared::<bool>::default()));
    run(
        [
            task!(server, {
                let mut connections = server.0.lock().await;
                drop(server.1.until(|is_gone| *is_gone).await);
                *connections = 0;
            }),
            task!(server, {
                *server.0.lock().await -= 1;
                server.1.change(|is_gone| *is_gone = true).await;
            }),
        ],
        nothing(),
    );
}

/// The state of an entry, where somebody loads it.
#[derive(Default, PartialEq)]
enum Entry {
    #[default]
    Empty,
    Loading,
    Loaded,
}

fn single_flight_without_its_loader() {
    let cache = Arc::new(Shared::<Entry>::default());
    let get = || {
        task!(cache, {
            let mut entry = cache.until(|entry| *entry != Entry::Loading).await;
            if *entry == Entry::Empty {
                *entry = Entry::Loading;
                drop(entry);
                yield_now().await;
                cache.change(|entry| *entry = Entry::Loaded).await;
            }
        })
    };
    run_aborted(get(), [get()], nothing());
}

fn lost_update() {
    let account = Shared::new(0);
    let add = |amount: i64| {
        task!(account, {
            let seen = *account.state.lock().await;
            *account.state.lock().await = seen + amount;
        })
    };
    run([add(10), add(20)], {
        let account = Arc::clone(&account);
        async move { assert_eq!(*account.state.lock().await, 30) }
    });
}

fn half_changed_by_a_cancel() {
    let accounts = Arc::new([Mutex::new(10), Mutex::new(10)]);
    // In the order that is the same for all.
    let transfer = |amount: i64| {
        task!(accounts, {
            let mut one = accounts[0].lock().await;
            let mut other = accounts[1].lock().await;
            *one -= amount;
            yield_now().await;
            *other += amount;
        })
    };
    run_aborted(transfer(5), [transfer(-5)], {
        let accounts = Arc::clone(&accounts);
        async move {
            let total = *accounts[0].lock().await + *accounts[1].lock().await;
            assert_eq!(total, 20);
        }
    });
}

fn check_then_act() {
    let seat = Shared::new(0);
    let buy = || {
        task!(seat, {
            if *seat.state.lock().await == 0 {
                *seat.state.lock().await += 1;
            }
        })
    };
    run([buy(), buy(), buy()], {
        let seat = Arc::clone(&seat);
        async move { assert!(*seat.state.lock().await <= 1) }
    });
}

fn refunded_twice() {
    // Whether it is marked, and how often it was paid back.
    let order = Arc::new((Mutex::new(false), Mutex::new(0)));
    let refund = || {
        task!(order, {
            if !*order.0.lock().await {
                *order.1.lock().await += 1;
                *order.0.lock().await = true;
            }
        })
    };
    run([refund(), refund()], {
        let order = Arc::clone(&order);
        async move { assert!(*order.1.lock().await <= 1) }
    });
}

fn aba_on_a_flag() {
    // Words, whether they are changing, and their count.
    let index = Shared::new((0, false, None));
    run(
        [
            task!(index, {
                let (words, is_changing, _) = *index.state.lock().await;
                if !is_changing {
                    let mut state = index.state.lock().await;
                    if !state.1 {
                        state.2 = Some(words);
                    }
                }
            }),
            task!(index, {
                index
                    .change(|state| {
                        state.1 = true;
                        state.2 = None;
                    })
                    .await;
                index
                    .change(|state| {
                        state.0 += 1;
                        state.1 = false;
                    })
                    .await;
            }),
        ],
        {
            let index = Arc::clone(&index);
            async move {
                let (words, _, count) = *index.state.lock().await;
                assert!(count.is_none_or(|count| count == words));
            }
        },
    );
}

fn permit_used_twice() {
    let job = Arc::new((Semaphore::new(0), Mutex::new(false)));
    let finish = || {
        task!(job, {
            let is_over = *job.1.lock().await;
            if !is_over {
                job.0.add_permits(1);
                *job.1.lock().await = true;
            }
        })
    };
    run([finish(), finish()], {
        let job = Arc::clone(&job);
        async move { assert!(job.0.available_permits() <= 1) }
    });
}

fn invariant_broken_for_a_reader() {
    let store = Arc::new((Mutex::new(1), Mutex::new(9)));
    run(
        [
            task!(store, {
                *store.1.lock().await -= 1;
                *store.0.lock().await += 1;
            }),
            task!(store, {
                let on_show = store.0.lock().await;
                let in_stock = store.1.lock().await;
                assert_eq!(*on_show + *in_stock, 10);
            }),
        ],
        nothing(),
    );
}

fn flag_kept_after_a_cancel() {
    let printer = Shared::new(false);
    let print = task!(printer, {
        printer.change(|is_busy| *is_busy = true).await;
        yield_now().await;
        printer.change(|is_busy| *is_busy = false).await;
    });
    run_aborted(print, [], {
        let printer = Arc::clone(&printer);
        async move { assert!(!*printer.state.lock().await) }
    });
}

fn token_lost_by_a_cancel() {
    let tokens = Arc::new(Semaphore::new(1));
    let task = || {
        task!(tokens, {
            tokens.acquire().await.expect("it is open").forget();
            yield_now().await;
            tokens.add_permits(1);
        })
    };
    run_aborted(task(), [task()], {
        let tokens = Arc::clone(&tokens);
        async move { assert_eq!(tokens.available_permits(), 1) }
    });
}

#[derive(Default)]
struct Hall {
    free: u32,
    waiting: u32,
    were_overtaken: bool,
}

fn waiting_list_overtaken() {
    let hall = Arc::new(Shared::<Hall>::default());
    run(
        [
            task!(hall, {
                hall.change(|hall| hall.waiting += 1).await;
                let mut hall = hall.until(|hall| hall.free > 0).await;
                hall.free -= 1;
                hall.waiting -= 1;
            }),
            task!(hall, {
                hall.change(|hall| {
                    if hall.free > 0 {
                        hall.were_overtaken |= hall.free <= hall.waiting;
                        hall.free -= 1;
                    }
                })
                .await;
            }),
            task!(hall, {
                hall.change(|hall| hall.free += 1).await;
                hall.change(|hall| hall.free += 1).await;
            }),
        ],
        {
            let hall = Arc::clone(&hall);
            async move { assert!(!hall.state.lock().await.were_overtaken) }
        },
    );
}

fn made_twice() {
    // The value, and how often it was made.
    let registry = Arc::new(RwLock::new((None, 0)));
    let get = || {
        task!(registry, {
            let is_there = registry.read().await.0.is_some();
            if !is_there {
                let mut state = registry.write().await;
                state.1 += 1;
                state.0 = Some(state.1);
            }
        })
    };
    run([get(), get()], {
        let registry = Arc::clone(&registry);
        async move { assert!(registry.read().await.1 <= 1) }
    });
}

fn more_than_fits() {
    let queue = Shared::new(0);
    let add = || {
        task!(queue, {
            let fits = *queue.state.lock().await < 1;
            if fits {
                *queue.state.lock().await += 1;
            }
        })
    };
    run([add(), add()], {
        let queue = Arc::clone(&queue);
        async move { assert!(*queue.state.lock().await <= 1) }
    });
}

fn left_to_who_is_done() {
    let log = Arc::new((Mutex::new(0), Mutex::new(())));
    let write = || {
        task!(log, {
            *log.0.lock().await += 1;
            if let Ok(_flush) = log.1.try_lock() {
                *log.0.lock().await = 0;
            }
        })
    };
    run([write(), write()], {
        let log = Arc::clone(&log);
        async move { assert_eq!(*log.0.lock().await, 0) }
    });
}
