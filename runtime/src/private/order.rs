//! The order in which a section acquires several locks.

use crate::LockId;
use crate::checking;

/// The indices of `locks` in the order of their ids. Every section of the program
/// acquires in this order, so no two sections can wait for each other.
///
/// # Panics
///
/// If two of them are the same lock: the section would wait for itself
/// to release it. Each lock comes with its expression in the source.
#[track_caller]
#[inline]
pub fn in_order<const N: usize>(locks: [(LockId, &'static str); N]) -> InOrder<N> {
    const { assert!(N < u8::MAX as usize, "too many locks") };
    let locks = locks.map(|(id, name)| (checking::in_fixed_order(id), name));
    let mut order = core::array::from_fn(|index| index as u8);
    if N == 2 {
        if locks[1].0 < locks[0].0 {
            order.swap(0, 1);
        }
    } else {
        order.sort_unstable_by_key(|&index| (locks[usize::from(index)].0, index));
    }
    for pair in order.windows(2) {
        let [first, second] = [pair[0], pair[1]].map(|index| locks[usize::from(index)]);
        if first.0 == second.0 {
            same_lock(first.1, second.1);
        }
    }
    InOrder { order, next: 0 }
}

/// The indices of locks in an order. Small, as a future keeps it while it acquires the locks.
#[derive(Clone, Debug)]
pub struct InOrder<const N: usize> {
    order: [u8; N],
    next: u8,
}

impl<const N: usize> Iterator for InOrder<N> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let index = self.order.get(usize::from(self.next))?;
        self.next += 1;
        Some(usize::from(*index))
    }
}

#[cold]
#[track_caller]
#[inline]
fn same_lock(first: &str, second: &str) -> ! {
    panic!(
        "`{first}` and `{second}` are the same lock: a section that acquired it twice would wait \
         for itself for ever"
    )
}

/// The guard that the loop over [`in_order`] has put in its slot.
#[inline]
pub fn taken<G>(slot: Option<G>) -> G {
    match slot {
        Some(guard) => guard,
        None => unreachable!("every index is in the order once"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline]
    fn key(key: u64) -> LockId {
        LockId::from_key(key)
    }

    #[test]
    fn indices_come_in_the_order_of_the_ids() {
        assert!(in_order([(key(1), "a"), (key(2), "b")]).eq([0, 1]));
        assert!(in_order([(key(2), "a"), (key(1), "b")]).eq([1, 0]));
        assert!(in_order([(key(9), "a"), (key(1), "b"), (key(5), "c")]).eq([1, 2, 0]));
    }

    #[test]
    #[should_panic(expected = "`from.ledger` and `to.ledger` are the same lock")]
    fn the_same_lock_twice_names_both() {
        in_order([
            (key(7), "from.ledger"),
            (key(1), "x"),
            (key(7), "to.ledger"),
        ]);
    }
}
