//! Primitives that let tasks through at a signal: `Event`, `Condition`, `Barrier`.

use std::collections::VecDeque;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_monitor::{Barrier, Condition, Event, Mutex};

use crate::crowd::Member;
use crate::{crowd, patiently, wait};

/// A flag that is passed round: a thread that sees it set clears it, and sets the next one.
#[test]
fn events_in_a_ring() {
    const MEMBERS: usize = 3;
    crowd(
        MEMBERS,
        || {
            let ring: [Event; MEMBERS] = Default::default();
            ring[0].set();
            (ring, AtomicUsize::new(0))
        },
        |(ring, holder): &([Event; MEMBERS], AtomicUsize),
         Member {
             number,
             turns,
             random,
         }| {
            for _ in 0..turns {
                while patiently(random, ring[number].wait(), || ()).is_none() {}
                assert_eq!(holder.load(Ordering::SeqCst), number, "out of turn");
                ring[number].clear();
                let next = (number + 1) % MEMBERS;
                holder.store(next, Ordering::SeqCst);
                ring[next].set();
            }
        },
        |(ring, _)| {
            let set: Vec<_> = ring.iter().map(Event::is_set).collect();
            assert_eq!(set, [true, false, false]);
        },
    );
}

/// One opens and closes a door, and everybody gets through.
#[test]
fn event_set_and_cleared() {
    crowd(
        4,
        || (Event::new(), AtomicUsize::new(3)),
        |(door, left): &(Event, AtomicUsize),
         Member {
             number,
             turns,
             random,
         }| {
            if number != 0 {
                for _ in 0..turns {
                    patiently(random, door.wait(), || ());
                }
                left.fetch_sub(1, Ordering::SeqCst);
                return;
            }
            while left.load(Ordering::SeqCst) > 0 {
                door.set();
                door.clear();
                #[cfg(async_monitor_shuttle)]
                shuttle::thread::yield_now();
            }
        },
        |(door, _)| assert!(format!("{door:?}").contains("waiters: 0")),
    );
}

/// Items from producers to consumers, which may give up at any time.
#[derive(Default)]
struct Buffer {
    items: Mutex<VecDeque<usize>>,
    not_empty: Condition,
    not_full: Condition,
    put: AtomicUsize,
    taken: AtomicUsize,
}

#[test]
fn condition() {
    const CAPACITY: usize = 2;
    crowd(
        4,
        Buffer::default,
        |buffer: &Buffer,
         Member {
             number,
             turns,
             random,
         }| {
            let Buffer {
                items,
                not_empty,
                not_full,
                put,
                taken,
            } = buffer;
            for _ in 0..turns {
                let produce = || async {
                    let items = items.lock().await;
                    let has_room = |items: &VecDeque<_>| items.len() < CAPACITY;
                    let mut items = not_full.wait_for(items, has_room).await;
                    items.push_back(put.fetch_add(1, Ordering::Relaxed));
                    not_empty.notify_one(&items);
                };
                let consume = || async {
                    let items = items.lock().await;
                    let has_items = |items: &VecDeque<_>| !items.is_empty();
                    let mut items = not_empty.wait_for(items, has_items).await;
                    let item = items.pop_front();
                    let expected = taken.fetch_add(1, Ordering::Relaxed);
                    assert_eq!(item, Some(expected), "out of order");
                    not_full.notify_one(&items);
                };
                // As often as needed: as many are put as are taken.
                if number % 2 == 0 {
                    while patiently(random, produce(), || ()).is_none() {}
                } else {
                    while patiently(random, consume(), || ()).is_none() {}
                }
            }
        },
        |buffer| {
            let items = buffer.items.try_lock().expect("nobody has it");
            assert!(items.is_empty());
            assert!(format!("{:?}", buffer.not_empty).contains("waiters: 0"));
            assert!(format!("{:?}", buffer.not_full).contains("waiters: 0"));
        },
    );
}

/// A barrier, and who has passed it, as bits, in each of its generations.
#[test]
fn barrier() {
    const PARTIES: usize = 3;
    crowd(
        PARTIES,
        || (Barrier::new(PARTIES), StdMutex::new(Vec::new())),
        |(barrier, passed): &(Barrier, StdMutex<Vec<usize>>), member: Member<'_>| {
            let Member { turns, random, .. } = member;
            for turn in 0..turns {
                if random.one_in(16) {
                    barrier.reset();
                }
                // A removed waiter arrives again.
                let index = loop {
                    if let Ok(result) = wait(barrier.wait()) {
                        break result.index();
                    }
                };
                let mut passed = passed.lock().expect("nobody panics with it");
                let length = passed.len().max(turn + 1);
                passed.resize(length, 0);
                assert_eq!(passed[turn] & (1 << index), 0, "an index came twice");
                passed[turn] |= 1 << index;
            }
        },
        |(barrier, passed)| {
            assert_eq!(barrier.n_waiting(), 0);
            assert!(!barrier.is_broken());
            let passed = passed.lock().expect("nobody panics with it");
            assert!(passed.iter().all(|&all| all == (1 << PARTIES) - 1));
        },
    );
}

/// Some give up. The last to arrive passes at once, so that there is one for
/// each generation; of the others there may be fewer.
#[test]
fn barrier_with_cancels() {
    const PARTIES: usize = 2;
    crowd(
        PARTIES + 1,
        || {
            (
                Barrier::new(PARTIES),
                [const { AtomicUsize::new(0) }; PARTIES],
            )
        },
        |(barrier, passed): &(Barrier, [AtomicUsize; PARTIES]), member: Member<'_>| {
            let Member { turns, random, .. } = member;
            for _ in 0..turns {
                match patiently(random, barrier.wait(), || ()) {
                    Some(Ok(result)) => {
                        passed[result.index()].fetch_add(1, Ordering::SeqCst);
                    }
                    Some(Err(_)) => return,
                    None => {}
                }
            }
            // The others would wait for us in vain.
            barrier.abort();
        },
        |(barrier, passed)| {
            assert_eq!(barrier.n_waiting(), 0);
            assert!(barrier.is_broken());
            let [first, last] = passed.each_ref().map(|n| n.load(Ordering::SeqCst));
            assert!(first <= last);
        },
    );
}
