//! `Barrier`: BAR, N-37, and the rows X about wakers, in the list of behaviours (README.md).
//!
//! Rows, or parts of rows, that are not here:
//!
//! | row | why |
//! |---|---|
//! | BAR-01, a negative number | `usize` has none; too large a one is tested |
//! | BAR-06, the opposite contract | not ours: a cancelled arrival is taken back; that is tested |
//! | BAR-22, every schedule | the loom models; here are real threads, in any schedule |

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::error::Error;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;

use async_monitor::future::BarrierWait;
use async_monitor::{Barrier, BarrierWaitResult, BrokenBarrier};
use futures::channel::oneshot;
use futures::executor::block_on;
use futures::future::{Either, select};

use crate::scheduled::Scheduled;
use crate::support::{
    InlineTasks, On, Task, Waiter, cases, hooked, impls, leaked, poll_with, queued, taken, waiter,
};

type Wait<'a> = Waiter<BarrierWait<'a>>;

/// The result of a wait that was let through.
#[track_caller]
fn index<F>(wait: &mut Waiter<F>) -> usize
where
    F: Future<Output = Result<BarrierWaitResult, BrokenBarrier>>,
{
    wait.ready().expect("let through").index()
}

/// The results of waits that were let through.
#[track_caller]
fn indices<'w, 'b: 'w>(waits: impl IntoIterator<Item = &'w mut Wait<'b>>) -> Vec<usize> {
    waits.into_iter().map(index).collect()
}

/// One poll that must be an error.
#[track_caller]
fn broken(wait: &mut Wait<'_>) {
    wait.ready().expect_err("driven out");
}

/// Whether each of the waits has been woken that many times.
fn woken(waits: &[Wait<'_>], times: usize) -> bool {
    waits.iter().all(|wait| wait.wakes() == times)
}

/// That many tasks that have arrived and wait.
fn arrived(barrier: &Barrier, count: usize) -> Vec<Wait<'_>> {
    (0..count).map(|_| queued(barrier.wait())).collect()
}

/// The barrier lets a full generation through, and nobody earlier.
#[track_caller]
fn assert_as_new(barrier: &Barrier) {
    assert!(!barrier.is_broken());
    assert_eq!(barrier.n_waiting(), 0);
    let mut waits = arrived(barrier, barrier.parties() - 1);
    assert!(woken(&waits, 0));
    assert_eq!(barrier.n_waiting(), barrier.parties() - 1);
    let last = taken(barrier.wait()).expect("let through").index();
    assert_eq!(last, barrier.parties() - 1);
    assert!(woken(&waits, 1));
    assert!(indices(&mut waits).into_iter().eq(0..last));
    assert_eq!(barrier.n_waiting(), 0);
}

#[test]
fn bar_01_one_party_never_waits() {
    // `0` is treated as `1`.
    for parties in [0, 1] {
        let barrier = Barrier::new(parties);
        assert_eq!(barrier.parties(), 1);
        for _ in 0..100 {
            let passed = taken(barrier.wait()).expect("let through");
            assert!(passed.is_leader());
            assert_eq!(barrier.n_waiting(), 0);
        }
    }
}

#[test]
#[cfg(target_pointer_width = "64")]
fn bar_01_too_many_parties() {
    let many = u32::MAX as usize;
    assert_eq!(Barrier::new(many - 1).parties(), many - 1);
    catch_unwind(|| Barrier::new(many)).expect_err("it panics");
}

#[test]
fn bar_02_the_last_arrival_lets_all_through() {
    let barrier = Barrier::new(3);
    assert_eq!(barrier.n_waiting(), 0);
    let mut first = queued(barrier.wait());
    assert_eq!(barrier.n_waiting(), 1);
    let mut second = queued(barrier.wait());
    assert_eq!(barrier.n_waiting(), 2);

    let mut last = waiter(barrier.wait());
    assert!(last.ready().is_ok());
    assert_eq!((first.wakes(), second.wakes(), last.wakes()), (1, 1, 0));
    assert_eq!(barrier.n_waiting(), 0);
    assert!(first.ready().is_ok());
    assert!(second.ready().is_ok());
    assert_eq!((first.wakes(), second.wakes()), (1, 1));
}

#[test]
fn bar_02_more_than_are_woken_in_one_go() {
    let barrier = Barrier::new(100);
    let mut waits = arrived(&barrier, 99);
    assert_eq!(index(&mut waiter(barrier.wait())), 99);
    assert!(woken(&waits, 1));
    assert!(indices(&mut waits).into_iter().eq(0..99));
    assert_as_new(&barrier);
}

/// A new waker replaces the old one.
#[test]
fn bar_02_only_the_last_waker_is_woken() {
    let barrier = Barrier::new(2);
    let mut wait = queued(barrier.wait());
    let former = std::mem::replace(&mut wait.task, Task::new());
    wait.pending();
    assert_eq!(former.clones(), 0);
    assert_eq!(barrier.n_waiting(), 1);
    taken(barrier.wait()).expect("let through");
    assert_eq!((former.wakes(), wait.wakes()), (0, 1));
    assert_eq!(index(&mut wait), 0);
}

#[test]
fn bar_03_indices_are_the_order_of_arrival() {
    let barrier = Barrier::new(4);
    let mut waits = arrived(&barrier, 3);
    waits.push(waiter(barrier.wait()));
    let results: Vec<_> = waits
        .iter_mut()
        // The last one lets the others through.
        .rev()
        .map(|wait| wait.ready().expect("let through"))
        .collect();
    let indices: Vec<_> = results.iter().map(BarrierWaitResult::index).collect();
    assert_eq!(indices, [3, 2, 1, 0]);
    for result in results {
        assert_eq!(result.is_leader(), result.index() == 0);
    }
}

#[test]
fn bar_04_generations_do_not_mix() {
    const TASKS: usize = 100;
    const ROUNDS: usize = 10;

    let barrier = Barrier::new(TASKS);
    let came = [const { Cell::new(0) }; ROUNDS];
    let indices = [const { RefCell::new(BTreeSet::new()) }; ROUNDS];
    let task = async || {
        for (came, indices) in came.iter().zip(&indices) {
            came.set(came.get() + 1);
            let passed = barrier.wait().await.expect("let through");
            assert_eq!(came.get(), TASKS);
            assert!(indices.borrow_mut().insert(passed.index()));
        }
    };
    let mut tasks: Vec<_> = (0..TASKS).map(|_| Scheduled::new(task())).collect();
    Scheduled::run(&mut tasks);
    assert!(tasks.iter().all(Scheduled::is_done));
    assert!(
        indices
            .iter()
            .all(|indices| indices.borrow().iter().copied().eq(0..TASKS))
    );
}

/// A task that passes waits again at once, before the others of its generation run.
#[test]
fn bar_04_two_waits_in_a_row() {
    let barrier = Barrier::new(2);
    let mut slow = queued(barrier.wait());
    assert_eq!(index(&mut waiter(barrier.wait())), 1);
    let mut fast = queued(barrier.wait());
    assert_eq!((slow.wakes(), fast.wakes(), barrier.n_waiting()), (1, 0, 1));
    assert_eq!(index(&mut slow), 0);
    assert_eq!(index(&mut waiter(barrier.wait())), 1);
    assert_eq!(fast.wakes(), 1);
    assert_eq!(index(&mut fast), 0);
}

#[test]
fn bar_05_a_cancelled_waiter_is_not_counted() {
    let barrier = Barrier::new(3);
    let mut first = queued(barrier.wait());
    let second = queued(barrier.wait());
    drop(second);
    assert_eq!((barrier.n_waiting(), first.wakes()), (1, 0));
    assert!(!barrier.is_broken());

    let mut third = queued(barrier.wait());
    assert_eq!(barrier.n_waiting(), 2);
    let mut fourth = waiter(barrier.wait());
    assert!(fourth.ready().is_ok());
    assert_eq!((first.wakes(), third.wakes()), (1, 1));
    assert!(first.ready().is_ok());
    assert!(third.ready().is_ok());
    assert_as_new(&barrier);
}

#[test]
fn bar_05_all_waiters_are_cancelled() {
    let barrier = Barrier::new(50);
    for _ in 0..3 {
        drop(arrived(&barrier, 49));
        assert_eq!(barrier.n_waiting(), 0);
    }
    assert_as_new(&barrier);
}

#[test]
fn bar_06_an_arrival_is_taken_back() {
    let barrier = Barrier::new(2);
    drop(queued(barrier.wait()));
    let mut next = queued(barrier.wait());
    assert_eq!(barrier.n_waiting(), 1);
    taken(barrier.wait()).expect("let through");
    assert_eq!(next.wakes(), 1);
    assert_eq!(index(&mut next), 0);
}

/// Once let through, nobody is missed: the others pass, and the next generation
/// is a full one.
#[test]
fn bar_06_cancelled_after_the_last_arrival() {
    let barrier = Barrier::new(3);
    let mut waits = arrived(&barrier, 2);
    taken(barrier.wait()).expect("let through");
    let next = queued(barrier.wait());
    drop(waits.remove(0));
    assert_eq!((barrier.n_waiting(), next.wakes()), (1, 0));
    assert!(woken(&waits, 1));
    assert_eq!(indices(&mut waits), [1]);
    drop(next);
    assert_as_new(&barrier);
}

#[test]
fn bar_07_indices_are_distinct_whoever_was_replaced() {
    for leaves in 0..3 {
        let barrier = Barrier::new(4);
        let mut waits = arrived(&barrier, 3);
        drop(waits.remove(leaves));
        waits.extend(arrived(&barrier, 1));
        waits.push(waiter(barrier.wait()));
        waits.reverse();
        assert_eq!(indices(&mut waits), [3, 2, 1, 0]);
    }
}

#[test]
fn bar_11_reset_with_nobody_waiting() {
    let barrier = Barrier::new(3);
    barrier.reset();
    assert_as_new(&barrier);
    barrier.reset();
    assert_as_new(&barrier);
}

#[test]
fn bar_12_reset_drives_out_those_who_wait() {
    let barrier = Barrier::new(50);
    let mut waits = arrived(&barrier, 49);
    barrier.reset();
    assert!(woken(&waits, 1));
    assert_eq!(barrier.n_waiting(), 0);
    assert!(!barrier.is_broken());
    waits.iter_mut().for_each(broken);
    assert!(woken(&waits, 1));
    assert_as_new(&barrier);
}

/// An abort does not affect waiters that were let through, nor the last arrival.
#[test]
fn bar_12_reset_after_the_last_arrival() {
    let barrier = Barrier::new(3);
    let mut waits = arrived(&barrier, 2);
    let last = taken(barrier.wait());
    let mut next = queued(barrier.wait());
    barrier.reset();
    assert_eq!(last.expect("let through").index(), 2);
    assert_eq!(indices(&mut waits), [0, 1]);
    assert_eq!(next.wakes(), 1);
    broken(&mut next);
    assert_as_new(&barrier);
}

#[test]
fn bar_13_who_comes_during_a_reset_is_not_counted() {
    let barrier = Barrier::new(3);
    let [mut x, mut y] = [(); 2].map(|()| queued(barrier.wait()));
    barrier.reset();
    broken(&mut x);

    // Enough for a generation; but one waiter has not left yet.
    let mut joined = arrived(&barrier, 3);
    assert_eq!(barrier.n_waiting(), 0);
    assert!(woken(&joined, 0));
    broken(&mut y);
    assert!(woken(&joined, 1));
    assert_eq!(indices(&mut joined), [0, 1, 2]);
    assert_as_new(&barrier);
}

#[test]
fn bar_13_who_comes_during_a_reset_is_counted_afterwards() {
    let barrier = Barrier::new(3);
    let mut trapped = arrived(&barrier, 2);
    barrier.reset();
    let mut joined = arrived(&barrier, 3);
    // One of them leaves; it was not counted.
    drop(joined.remove(1));
    broken(&mut trapped[1]);
    assert_eq!((barrier.n_waiting(), woken(&joined, 0)), (0, true));
    broken(&mut trapped[0]);
    assert_eq!((barrier.n_waiting(), woken(&joined, 0)), (2, true));

    assert_eq!(index(&mut waiter(barrier.wait())), 2);
    assert!(woken(&joined, 1));
    assert_eq!(indices(&mut joined), [0, 1]);
    assert_as_new(&barrier);
}

#[test]
fn bar_13_several_generations_come_during_a_reset() {
    let barrier = Barrier::new(40);
    let mut trapped = queued(barrier.wait());
    barrier.reset();
    let mut joined = arrived(&barrier, 95);
    broken(&mut trapped);
    assert_eq!(barrier.n_waiting(), 15);
    assert!(woken(&joined[..80], 1) && woken(&joined[80..], 0));
    assert!(
        indices(&mut joined[..80])
            .into_iter()
            .eq((0..40).chain(0..40))
    );
    joined.drain(80..).for_each(|mut wait| wait.pending());
    assert_as_new(&barrier);
}

#[test]
fn bar_13_reset_after_reset() {
    let barrier = Barrier::new(3);
    let [mut x, mut y] = [(); 2].map(|()| queued(barrier.wait()));
    barrier.reset();
    broken(&mut x);
    let mut joined = queued(barrier.wait());
    barrier.reset();
    assert_eq!((y.wakes(), joined.wakes()), (1, 1));

    let late = queued(barrier.wait());
    broken(&mut y);
    assert_eq!((barrier.n_waiting(), late.wakes()), (0, 0));
    broken(&mut joined);
    assert_eq!((barrier.n_waiting(), late.wakes()), (1, 0));
    drop(late);
    assert_as_new(&barrier);
}

#[test]
fn bar_14_the_last_one_trapped_is_cancelled() {
    let barrier = Barrier::new(3);
    let [mut x, y] = [(); 2].map(|()| queued(barrier.wait()));
    barrier.reset();
    broken(&mut x);
    let mut joined = arrived(&barrier, 3);
    assert!(woken(&joined, 0));
    drop(y);
    assert!(woken(&joined, 1));
    assert_eq!(indices(&mut joined), [0, 1, 2]);
    assert_as_new(&barrier);
}

#[test]
fn bar_14_all_that_are_trapped_are_cancelled() {
    let barrier = Barrier::new(50);
    let trapped = arrived(&barrier, 49);
    barrier.reset();
    let mut joined = queued(barrier.wait());
    drop(trapped);
    assert_eq!((barrier.n_waiting(), joined.wakes()), (1, 0));
    joined.pending();
    drop(joined);
    assert_as_new(&barrier);
}

#[test]
fn bar_19_a_task_that_fails_aborts() {
    struct AbortOnPanic<'a>(&'a Barrier);

    impl Drop for AbortOnPanic<'_> {
        fn drop(&mut self) {
            if thread::panicking() {
                self.0.abort();
            }
        }
    }

    let barrier = Barrier::new(3);
    let [mut x, mut y] = [(); 2].map(|()| queued(barrier.wait()));
    let mut failing = waiter(async {
        let _abort = AbortOnPanic(&barrier);
        panic!("before the third arrival")
    });
    catch_unwind(AssertUnwindSafe(|| failing.pending())).expect_err("it panics");

    assert_eq!((x.wakes(), y.wakes()), (1, 1));
    assert!(barrier.is_broken());
    assert_eq!(barrier.n_waiting(), 0);
    broken(&mut x);
    for _ in 0..3 {
        taken(barrier.wait()).expect_err("nobody waits");
    }
    broken(&mut y);

    // All of it again has the same outcome.
    barrier.abort();
    taken(barrier.wait()).expect_err("nobody waits");
    assert!(barrier.is_broken());
    barrier.reset();
    assert_as_new(&barrier);
}

#[test]
fn bar_19_abort_with_nobody_waiting() {
    let barrier = Barrier::new(1);
    barrier.abort();
    taken(barrier.wait()).expect_err("broken");
    barrier.reset();
    assert_as_new(&barrier);
}

/// A task that has arrived meanwhile is removed, too.
#[test]
fn bar_19_abort_during_a_reset() {
    let barrier = Barrier::new(3);
    let mut trapped = queued(barrier.wait());
    barrier.reset();
    let mut joined = arrived(&barrier, 2);
    barrier.abort();
    assert!(woken(&joined, 1));
    assert_eq!(trapped.wakes(), 1);
    taken(barrier.wait()).expect_err("broken");
    broken(&mut trapped);
    joined.iter_mut().for_each(broken);
    assert!(barrier.is_broken());
    barrier.reset();
    assert_as_new(&barrier);
}

/// The waiters that an abort removed are waited for like those of a reset.
#[test]
fn bar_19_reset_after_abort() {
    let barrier = Barrier::new(2);
    let mut trapped = queued(barrier.wait());
    barrier.abort();
    barrier.reset();
    assert!(!barrier.is_broken());
    let mut joined = arrived(&barrier, 2);
    assert_eq!(trapped.wakes(), 1);
    broken(&mut trapped);
    assert!(woken(&joined, 1));
    assert_eq!(indices(&mut joined), [0, 1]);
    assert_as_new(&barrier);
}

#[test]
fn bar_19_the_error_says_what_happened() {
    let barrier = Barrier::new(2);
    barrier.abort();
    let error: Box<dyn Error> = taken(barrier.wait()).expect_err("broken").into();
    let message = error.to_string();
    assert!(message.contains("barrier"), "{message}");
    assert!(message.contains("aborted"), "{message}");
}

#[test]
fn bar_20_a_deadline_is_a_plain_cancel() {
    let barrier = Barrier::new(3);
    let mut partner = queued(barrier.wait());
    let (alarm, deadline) = oneshot::channel();
    let mut hasty = queued(async {
        match select(Box::pin(barrier.wait()), deadline).await {
            Either::Left(_) => panic!("let through"),
            Either::Right((alarm, _wait)) => alarm,
        }
    });
    assert_eq!(barrier.n_waiting(), 2);

    alarm.send(()).expect("waited for");
    assert_eq!(hasty.wakes(), 1);
    assert_eq!(hasty.ready(), Ok(()));
    assert!(!barrier.is_broken());
    assert_eq!((barrier.n_waiting(), partner.wakes()), (1, 0));
    partner.pending();
    drop(partner);
    assert_as_new(&barrier);
}

#[test]
fn bar_21_the_types_are_send_and_sync() {
    const {
        assert!(impls!(Barrier: Send) && impls!(Barrier: Sync));
        assert!(impls!(BarrierWait<'static>: Send));
        assert!(impls!(BarrierWaitResult: Send) && impls!(BrokenBarrier: Send));
        assert!(!impls!(BarrierWait<'static>: Unpin));
    }
}

/// Also while it lets tasks through or removes them.
#[test]
fn bar_21_the_state_is_readable_at_any_time() {
    static BARRIER: Barrier = Barrier::new(2);
    static SEEN: Mutex<Vec<(usize, usize, bool)>> = Mutex::new(Vec::new());

    let look = || {
        let seen = (BARRIER.parties(), BARRIER.n_waiting(), BARRIER.is_broken());
        SEEN.lock().unwrap().push(seen);
    };
    let waker = hooked(On::Wake, look);
    let waiting = || {
        let mut wait = Box::pin(BARRIER.wait());
        assert!(poll_with(&waker, wait.as_mut()).is_pending());
        look();
        wait
    };

    let _through = waiting();
    taken(BARRIER.wait()).expect("let through");
    drop(waiting());
    let out = waiting();
    BARRIER.reset();
    drop(out);
    let _out = waiting();
    BARRIER.abort();
    assert_eq!(
        SEEN.lock().unwrap().as_slice(),
        [
            (2, 1, false),
            (2, 0, false), // let through
            (2, 1, false),
            (2, 1, false),
            (2, 0, false), // reset
            (2, 1, false),
            (2, 0, true), // abort
        ]
    );
}

#[test]
fn bar_21_the_debug_form() {
    let barrier = Barrier::new(3);
    let mut wait = queued(barrier.wait());
    assert_eq!(format!("{barrier:?}"), "Barrier { parties: 3, waiting: 1 }");
    barrier.abort();
    assert_eq!(
        format!("{barrier:?}"),
        "Barrier { parties: 3, broken: true }"
    );
    broken(&mut wait);
}

#[test]
fn bar_22_more_threads_than_parties() {
    const PARTIES: usize = 3;
    const GENERATIONS: usize = 2;

    for _ in 0..40 {
        let barrier = Barrier::new(PARTIES);
        let leaders = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..PARTIES * GENERATIONS {
                scope.spawn(|| {
                    let passed = block_on(barrier.wait()).expect("let through");
                    leaders.fetch_add(usize::from(passed.is_leader()), Ordering::Relaxed);
                });
            }
        });
        assert_eq!(leaders.into_inner(), GENERATIONS);
        assert_eq!(barrier.n_waiting(), 0);
    }
}

#[test]
fn bar_22_threads_that_wait_again_and_again() {
    const PARTIES: usize = 3;
    const ROUNDS: usize = 300;

    let barrier = Barrier::new(PARTIES);
    let sums = [const { AtomicUsize::new(0) }; ROUNDS];
    thread::scope(|scope| {
        for _ in 0..PARTIES {
            scope.spawn(|| {
                for sum in &sums {
                    let passed = block_on(barrier.wait()).expect("let through");
                    // Distinct numbers below 3 are these three.
                    sum.fetch_add(1 << (8 * passed.index()), Ordering::Relaxed);
                }
            });
        }
    });
    assert!(sums.into_iter().all(|sum| sum.into_inner() == 0x01_01_01));
}

/// A waker panics while a generation is woken, in the middle of a batch: it is
/// the last arrival that sees the panic, and everybody else passes.
#[test]
fn x_05_a_waker_panics_in_the_middle() {
    let barrier = Barrier::new(100);
    let mut waits = arrived(&barrier, 40);
    // Only one panic can go on. The payload of the other one is forgotten, so here
    // it takes no memory.
    let wakes: [fn(); 2] = [|| panic!("one"), || resume_unwind(Box::new(()))];
    for wake in wakes {
        let mut wait = waiter(barrier.wait());
        let waker = hooked(On::Wake, wake);
        assert!(poll_with(&waker, wait.future.as_mut()).is_pending());
        waits.push(wait);
        waits.extend(arrived(&barrier, 20));
    }
    waits.extend(arrived(&barrier, 17));

    let mut last = waiter(barrier.wait());
    let panic = catch_unwind(AssertUnwindSafe(|| last.poll().is_ready()));
    let message = panic.expect_err("it panics").downcast::<&str>();
    assert_eq!(*message.expect("a message"), "one", "the first panic");
    for (place, wait) in waits.iter().enumerate() {
        let with_counter = ![40, 61].contains(&place);
        assert_eq!(wait.wakes(), usize::from(with_counter), "of {place}");
    }
    assert_eq!(barrier.n_waiting(), 0);
    drop(last);
    assert!(indices(&mut waits).into_iter().eq(0..99));
    assert_as_new(&barrier);
}

#[test]
fn x_05_a_waker_panics_during_a_reset() {
    let barrier = Barrier::new(100);
    let mut first = waiter(barrier.wait());
    let waker = hooked(On::Wake, || panic!("the waker"));
    assert!(poll_with(&waker, first.future.as_mut()).is_pending());
    let mut waits = arrived(&barrier, 60);

    catch_unwind(AssertUnwindSafe(|| barrier.reset())).expect_err("it panics");
    assert!(woken(&waits, 1));
    broken(&mut first);
    waits.iter_mut().for_each(broken);
    assert_as_new(&barrier);
}

/// While a generation is woken batch by batch, its first waker drops one, polls
/// another, waits anew and resets: those let through stay so.
#[test]
fn x_04_a_waker_uses_the_barrier_in_the_middle() {
    type Slot = Mutex<Option<Wait<'static>>>;

    static BARRIER: Barrier = Barrier::new(100);
    static DROPPED: Slot = Mutex::new(None);
    static POLLED: Slot = Mutex::new(None);
    static NEXT: Slot = Mutex::new(None);

    let arrive = |slot: &Slot| *slot.lock().unwrap() = Some(queued(BARRIER.wait()));
    let take = |slot: &Slot| slot.lock().unwrap().take();
    let mut first = Box::pin(BARRIER.wait());
    let waker = hooked(On::Wake, move || {
        drop(take(&DROPPED));
        assert_eq!(take(&POLLED).as_mut().map(index), Some(71));
        arrive(&NEXT);
        assert_eq!(BARRIER.n_waiting(), 1);
        BARRIER.reset();
    });
    assert!(poll_with(&waker, first.as_mut()).is_pending());
    let mut waits = arrived(&BARRIER, 69);
    arrive(&DROPPED);
    arrive(&POLLED);
    waits.extend(arrived(&BARRIER, 27));

    assert_eq!(index(&mut waiter(BARRIER.wait())), 99);
    assert!(woken(&waits, 1));
    assert!(indices(&mut waits).into_iter().eq((1..70).chain(72..99)));
    let mut next = take(&NEXT).expect("it was put there");
    assert_eq!(next.wakes(), 1);
    broken(&mut next);
    assert_as_new(&BARRIER);
}

/// A waiter that is let through is polled by a new task before it is woken. The
/// old waker is dropped with no lock held, as it may use the barrier.
#[test]
fn x_03_a_new_task_polls_in_the_middle() {
    static BARRIER: Barrier = Barrier::new(100);
    static MOVED: Mutex<Option<Wait<'static>>> = Mutex::new(None);

    let mut first = Box::pin(BARRIER.wait());
    let waker = hooked(On::Wake, || {
        let moved = MOVED.lock().unwrap().take();
        assert_eq!(
            moved
                .expect("it was put there")
                .ready()
                .map(|passed| passed.index()),
            Ok(50)
        );
    });
    assert!(poll_with(&waker, first.as_mut()).is_pending());
    let mut waits = arrived(&BARRIER, 49);
    let mut moved = waiter(BARRIER.wait());
    let former = hooked(On::Drop, || assert_eq!(BARRIER.n_waiting(), 0));
    assert!(poll_with(&former, moved.future.as_mut()).is_pending());
    *MOVED.lock().unwrap() = Some(moved);
    waits.extend(arrived(&BARRIER, 48));

    assert_eq!(index(&mut waiter(BARRIER.wait())), 99);
    drop(former);
    assert!(woken(&waits, 1));
    assert!(indices(&mut waits).into_iter().eq((1..50).chain(51..99)));
    assert_as_new(&BARRIER);
}

#[test]
fn n37_a_filler_is_cancelled() {
    let barrier = Barrier::new(3);
    let [x, mut y] = [(); 2].map(|()| queued(barrier.wait()));
    assert_eq!(barrier.n_waiting(), 2);
    drop(x);
    assert_eq!(barrier.n_waiting(), 1);
    assert!(!barrier.is_broken());
    assert_eq!(y.wakes(), 0);
    y.pending();

    let mut z = queued(barrier.wait());
    assert_eq!(barrier.n_waiting(), 2);
    let mut q = waiter(barrier.wait());
    let q = index(&mut q);
    assert_eq!((y.wakes(), z.wakes(), barrier.n_waiting()), (1, 1, 0));
    assert_eq!([index(&mut y), index(&mut z), q], [0, 1, 2]);
}

#[test]
fn n37_an_unpolled_wait_is_no_arrival() {
    let barrier = Barrier::new(2);
    let unpolled = waiter(barrier.wait());
    let mut wait = queued(barrier.wait());
    assert_eq!(barrier.n_waiting(), 1);
    drop(unpolled);
    assert_eq!((barrier.n_waiting(), wait.wakes()), (1, 0));
    wait.pending();
}

/// A call that lets a crowd through or removes it is atomic: a poll from
/// inside of another's wake has the same result as a poll afterwards.
#[test]
fn a_decision_is_seen_whole() {
    fn decide(
        distance: usize,
        decision: impl FnOnce(&'static Barrier),
    ) -> (&'static Barrier, Vec<(usize, Option<usize>)>) {
        let barrier = leaked(Barrier::new(151));
        let crowd = InlineTasks::queued((0..150).map(|_| async {
            let passed = barrier.wait().await;
            passed.ok().map(|passed| passed.index())
        }));
        crowd.notified(
            || decision(barrier),
            move |crowd, number| {
                let next = number + distance;
                assert!(!crowd.is_waiting(next) || crowd.poll(next), "{next} waits");
            },
        );
        crowd.poll_all();
        assert!((0..150).all(|number| crowd.wakes(number) <= 1));
        assert!((0..distance).all(|number| crowd.wakes(number) == 1));
        (barrier, crowd.taken())
    }

    for distance in cases([1, 31, 32, 40, 100, 149]) {
        let (barrier, passed) = decide(distance, |barrier| {
            let last = taken(barrier.wait()).expect("let through");
            assert_eq!(last.index(), 150);
        });
        assert!(
            passed
                .into_iter()
                .eq((0..150).map(|number| (number, Some(number))))
        );
        assert_as_new(barrier);

        let (barrier, passed) = decide(distance, Barrier::abort);
        assert!(passed.into_iter().eq((0..150).map(|number| (number, None))));
        assert!(barrier.is_broken());
        barrier.reset();
        assert_as_new(barrier);

        let (barrier, passed) = decide(distance, Barrier::reset);
        assert!(passed.into_iter().eq((0..150).map(|number| (number, None))));
        assert_as_new(barrier);
    }
}

/// Waiters that are polled or dropped by the wake of another leave; the last one
/// that leaves opens the barrier for the tasks that have arrived meanwhile.
#[test]
fn a_reset_within_a_reset() {
    let barrier = leaked(Barrier::new(151));
    let crowd = InlineTasks::queued((0..150).map(|_| barrier.wait()));
    let late = leaked(Mutex::new(Vec::new()));
    crowd.notified(
        || barrier.reset(),
        move |crowd, number| match number {
            0 => {
                *late.lock().unwrap() = arrived(barrier, 100);
                crowd.cancel(140);
                assert!(crowd.poll(141));
                assert_eq!(barrier.n_waiting(), 0);
            }
            10 => {
                barrier.reset();
                let mut late = late.lock().unwrap();
                assert!(woken(&late, 1));
                late.iter_mut().for_each(broken);
                *late = arrived(barrier, 3);
                assert_eq!(barrier.n_waiting(), 0);
            }
            _ => {}
        },
    );
    crowd.poll_all();
    assert!(crowd.taken().iter().all(|(_, passed)| passed.is_err()));
    assert_eq!(barrier.n_waiting(), 3);
    late.lock().unwrap().clear();
    assert_as_new(barrier);
}

/// A waiter that is let through needs no waker: none is cloned.
#[test]
fn let_through_by_an_early_poll_without_a_clone() {
    let barrier = leaked(Barrier::new(101));
    let crowd = InlineTasks::queued((0..99).map(|_| barrier.wait()));
    let behind = leaked(Mutex::new(queued(barrier.wait())));
    crowd.notified(
        || {
            taken(barrier.wait()).expect("let through");
        },
        move |_, number| {
            if number == 0 {
                let cloned = hooked(On::Clone, || panic!("a clone"));
                let mut behind = behind.lock().unwrap();
                let polled = poll_with(&cloned, behind.future.as_mut());
                assert!(matches!(polled, Poll::Ready(Ok(passed)) if passed.index() == 99));
            }
        },
    );
}
