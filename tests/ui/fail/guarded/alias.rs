//! The type that is written between the brackets is the type that is guarded:
//! an alias cannot slip another one in, of which nobody has asked whether it is
//! `Sync`.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};

use async_monitor::RwLock;

pub struct Counted<T>(Cell<u64>, T);

impl<T> Deref for Counted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.set(self.0.get() + 1);
        &self.1
    }
}

impl<T> DerefMut for Counted<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.1
    }
}

type Guarded<T> = async_monitor::Guarded<Counted<T>>;

#[derive(async_monitor::Guarded)]
pub struct Table {
    #[lock(rw)]
    lock: RwLock<()>,
    #[guarded_by(lock)]
    rows: Guarded<u32>,
}

fn main() {}
