//! Values that are dropped on another thread.

use std::sync::{Condvar, Mutex as StdMutex};
use std::thread;

use super::held::Held;
use super::requests::Asking;
use super::world::Rules;
use crate::random::Random;

/// What the crowd throws away.
pub(crate) struct Bin<'w> {
    inside: StdMutex<Inside<'w>>,
    changed: Condvar,
    takes_guards: bool,
}

#[derive(Default)]
struct Inside<'w> {
    held: Vec<Held<'w>>,
    futures: Vec<Asking<'w>>,
    closed: bool,
}

impl<'w> Bin<'w> {
    pub(crate) fn new(rules: &Rules) -> Self {
        Bin {
            inside: StdMutex::default(),
            changed: Condvar::new(),
            // Where a worker that is to empty it may park, what is in it must not be what
            // it waits for.
            takes_guards: rules.janitor || rules.may_park == 0,
        }
    }

    pub(crate) fn takes_guards(&self) -> bool {
        self.takes_guards
    }

    pub(crate) fn drop_held(&self, held: Held<'w>) {
        self.inside.lock().expect("no panic").held.push(held);
        self.changed.notify_one();
    }

    pub(crate) fn drop_future(&self, future: Asking<'w>) {
        self.inside.lock().expect("no panic").futures.push(future);
        self.changed.notify_one();
    }

    /// Drops one of each.
    pub(crate) fn empty_some(&self, random: &mut Random) {
        let mut inside = self.inside.lock().expect("no panic");
        let held = random.take(&mut inside.held);
        let future = random.take(&mut inside.futures);
        drop(inside);
        drop(future);
        if let Some(held) = held {
            held.release(random);
        }
    }

    /// Drops everything that is in there.
    pub(crate) fn empty(&self, random: &mut Random) {
        loop {
            let inside = self.inside.lock().expect("no panic");
            if inside.held.is_empty() && inside.futures.is_empty() {
                return;
            }
            drop(inside);
            self.empty_some(random);
        }
    }

    /// Drops everything, until nothing more comes.
    pub(crate) fn empty_until_closed(&self, random: &mut Random) {
        loop {
            self.empty(random);
            let inside = self.inside.lock().expect("no panic");
            let nothing = |inside: &mut Inside<'_>| {
                inside.held.is_empty() && inside.futures.is_empty() && !inside.closed
            };
            let inside = self.changed.wait_while(inside, nothing).expect("no panic");
            if inside.closed {
                drop(inside);
                return self.empty(random);
            }
            drop(inside);
            if random.one_in(4) {
                thread::yield_now();
            }
        }
    }

    pub(crate) fn close(&self) {
        self.inside.lock().expect("no panic").closed = true;
        self.changed.notify_all();
    }

    /// What is in there.
    pub(crate) fn describe(&self) -> String {
        match self.inside.try_lock() {
            Ok(inside) => format!("{:?}, {} futures", inside.held, inside.futures.len()),
            Err(_) => "in use".to_owned(),
        }
    }
}
