//! Letting others in: what happens when the word changes.

use super::policy::{Front, Policy};
use super::{FLAGS, Gate, PARKED_BIT, QUEUED};
use crate::queue::{LockedQueue, Node, PARKED, WAITING};
use crate::sync::Ordering;
use crate::wake::WakeBatch;

impl<P: Policy> Gate<P> {
    /// Changes the word in a way that may let others in, unless `change` refuses
    /// to. Returns whether it did. `news` says that there may be something new
    /// to see for those who are parked.
    #[inline]
    pub(crate) fn change(&self, news: bool, change: impl Fn(usize) -> Option<usize>) -> bool {
        let wanted = if news { FLAGS } else { QUEUED };
        match self.try_change(wanted, &change) {
            Some(changed) => changed,
            None => self.change_with_news(news, change),
        }
    }

    /// Changes the word, unless `change` refuses to, if nobody waits for it, as
    /// the bits in `wanted` say.
    #[inline]
    fn try_change(&self, wanted: usize, change: impl Fn(usize) -> Option<usize>) -> Option<bool> {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & wanted != 0 {
                return None;
            }
            let Some(changed) = change(word & !FLAGS) else {
                return Some(false);
            };
            let changed = changed | (word & FLAGS);
            // Release: pairs with the Acquire of those who enter. Acquire is
            // not needed: the one who leaves reads nothing that others left.
            match self.word.compare_exchange_weak(
                word,
                changed,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(true),
                Err(now) => word = now,
            }
        }
    }

    #[cold]
    fn change_with_news(&self, news: bool, change: impl Fn(usize) -> Option<usize>) -> bool {
        let mut queue = self.queue.lock();
        if news {
            self.unpark_all(&mut queue);
        }
        self.change_queued(queue, None, change)
    }

    /// Changes the word, unless `change` refuses to, and serves those who wait,
    /// of whom the first is `from` or behind it, where that is given.
    #[cold]
    pub(super) fn change_queued<'q>(
        &'q self,
        mut queue: LockedQueue<'q, P::Request>,
        from: Option<&'q Node<P::Request>>,
        change: impl Fn(usize) -> Option<usize>,
    ) -> bool {
        // Where nobody waits, nobody can begin to while we hold the lock (G1).
        if let Some(changed) = self.try_change(QUEUED, &change) {
            return changed;
        }
        let mut batch = WakeBatch::new();
        let Some(mut more) = self.serve(&mut queue, from, &mut batch, change) else {
            return false;
        };
        drop(queue);
        batch.wake_all();
        while more {
            let mut queue = self.queue.lock();
            more = self
                .serve(&mut queue, None, &mut batch, Some)
                .unwrap_or(false);
            drop(queue);
            batch.wake_all();
        }
        true
    }

    /// All who are parked wait again, where they stand: there is something new
    /// to see.
    fn unpark_all(&self, queue: &mut LockedQueue<'_, P::Request>) {
        if self.word.load(Ordering::Relaxed) & PARKED_BIT == 0 {
            return;
        }
        let mut first = None;
        // SAFETY: nothing is unlinked here; a node that is unparked is parked.
        unsafe {
            let mut next = queue.head();
            // Nobody is parked behind the first one that waits (G6).
            while let Some(node) = next.filter(|node| queue.state_of(node) != WAITING) {
                if queue.state_of(node) == PARKED {
                    queue.unpark(node);
                    first = first.or(Some(node));
                }
                next = queue.next(node);
            }
        }
        // The bit may outlast those who were parked, if they were cancelled.
        if first.is_some() {
            self.front.set(first);
            self.replace_flags(0, QUEUED);
        }
        self.replace_flags(PARKED_BIT, 0);
    }

    /// Under the lock of the queue: takes some flags out of the word and puts
    /// others in.
    pub(super) fn replace_flags(&self, out: usize, new: usize) {
        let mut word = self.word.load(Ordering::Relaxed);
        while let Err(now) = self.word.compare_exchange_weak(
            word,
            (word & !out) | new,
            Ordering::Relaxed,
            Ordering::Relaxed,
        ) {
            word = now;
        }
    }

    /// Changes the word and grants whom it then admits, in order. Returns
    /// whether the batch was full before all were served, or `None` if `change`
    /// refused.
    ///
    /// Does nothing, not even the change, where nobody waits.
    fn serve<'q>(
        &self,
        queue: &mut LockedQueue<'q, P::Request>,
        from: Option<&'q Node<P::Request>>,
        batch: &mut WakeBatch,
        change: impl Fn(usize) -> Option<usize>,
    ) -> Option<bool> {
        let before = self.word.load(Ordering::Relaxed);
        if before & QUEUED == 0 {
            return Some(false);
        }
        let mut word = change(before & !FLAGS)?;
        let mut more = false;
        // SAFETY: nothing is unlinked here, and the lock is held throughout.
        let mut first = unsafe { self.front.get(queue, from) };
        while let Some(node) = first {
            let Some(entered) = P::admit(word, node.request) else {
                break;
            };
            if batch.is_full() {
                more = true;
                break;
            }
            word = entered;
            // SAFETY: nodes from the front on wait (see the module); `next` as
            // above.
            unsafe {
                batch.push(queue.grant(node));
                first = queue.next(node);
            }
        }
        self.front.set(first);
        word |= before & PARKED_BIT;
        if first.is_some() {
            word |= QUEUED;
        }
        if word != before {
            // We have the word to ourselves (G2). Release: the change may be
            // one of a leaver. Acquire: what it orders may be passed on.
            self.word.swap(word, Ordering::AcqRel);
        }
        Some(more)
    }
}
