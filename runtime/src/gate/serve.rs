//! Letting others in: what happens when the word changes.

use core::task::Waker;

use super::policy::{Front, Policy};
use super::{Gate, PARKED_BIT, QUEUED};
use crate::queue::{LockedQueue, Node, PARKED, WAITING};
use crate::sync::{Flavour, Ordering};
use crate::wake::{WakeBatch, wake_one};

/// Those who wait, while they are served: the word, without flags, and the
/// first node that waits.
struct Line<'q, R> {
    word: usize,
    first: Option<&'q Node<R>>,
}

impl<P: Policy, F: Flavour> Gate<P, F> {
    /// Gives back what `request` has been granted.
    #[inline]
    pub(crate) fn leave(&self, request: P::Request) {
        let retract = |word| Some(P::retract(word, request));
        let wanted = Self::wanted(P::may_change(request));
        if self.try_change(wanted, retract).is_none() {
            self.leave_queued(request);
        }
    }

    #[cold]
    #[inline(never)]
    fn leave_queued(&self, request: P::Request) {
        let queue = self.lock_for_news(P::may_change(request));
        // As `change_queued`, but in one piece: this is every hand-over.
        let retract = |word| Some(P::retract(word, request));
        if self.try_change(QUEUED, retract).is_none() {
            let word = self.word.load(Ordering::Relaxed);
            self.serve_here(queue, None, P::retract(word & !P::FLAGS, request));
        }
    }

    /// Locks the queue. With `news`, all who are parked wait again.
    #[inline]
    fn lock_for_news(&self, news: bool) -> LockedQueue<'_, P::Request> {
        let mut queue = self.queue.lock();
        if news && self.word.load(Ordering::Relaxed) & PARKED_BIT & P::FLAGS != 0 {
            self.unpark_all(&mut queue);
        }
        queue
    }

    /// Changes the word in a way that may let others in, unless `change` refuses
    /// to. Returns whether it did. `news` says that there may be something new
    /// to see for those who are parked.
    #[inline]
    pub(crate) fn change(&self, news: bool, change: impl Fn(usize) -> Option<usize>) -> bool {
        match self.try_change(Self::wanted(news), &change) {
            Some(changed) => changed,
            None => self.change_with_news(news, change),
        }
    }

    /// The bits that say that somebody waits for a change of the word.
    #[inline]
    fn wanted(news: bool) -> usize {
        if news { P::FLAGS } else { QUEUED }
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
            let Some(changed) = change(word & !P::FLAGS) else {
                return Some(false);
            };
            let changed = changed | (word & P::FLAGS);
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
        self.change_queued(self.lock_for_news(news), None, change)
    }

    /// Changes the word, unless `change` refuses to, and serves those who wait,
    /// of whom the first is `from` or behind it, where that is given.
    #[inline]
    pub(super) fn change_queued<'q>(
        &'q self,
        queue: LockedQueue<'q, P::Request>,
        from: Option<&'q Node<P::Request>>,
        change: impl Fn(usize) -> Option<usize>,
    ) -> bool {
        // Where nobody waits, nobody can begin to while we hold the lock (G1).
        if let Some(changed) = self.try_change(QUEUED, &change) {
            return changed;
        }
        // Where somebody does, the word is ours (G2).
        let word = self.word.load(Ordering::Relaxed);
        let Some(changed) = change(word & !P::FLAGS) else {
            return false;
        };
        self.serve(queue, from, changed);
        true
    }

    /// Sets a word under which others may be let in, lets them in, in order, and
    /// wakes them.
    fn serve<'q>(
        &'q self,
        queue: LockedQueue<'q, P::Request>,
        from: Option<&'q Node<P::Request>>,
        word: usize,
    ) {
        self.serve_here(queue, from, word);
    }

    /// [`serve`](Self::serve), as part of the caller.
    #[inline(always)]
    fn serve_here<'q>(
        &'q self,
        mut queue: LockedQueue<'q, P::Request>,
        from: Option<&'q Node<P::Request>>,
        word: usize,
    ) {
        // SAFETY: nothing is unlinked while the node is known.
        let first = unsafe { self.front.get(&queue, from) };
        let mut line = Line { word, first };
        // Most often it is one: it needs no batch.
        let waker = self.grant_next(&mut queue, &mut line);
        if waker.is_some() && Self::admits_another(&line) {
            return self.serve_many(queue, line, waker);
        }
        self.end(&queue, &line, waker.is_some());
        drop(queue);
        if let Some(waker) = waker {
            wake_one(waker);
        }
    }

    #[cold]
    fn serve_many<'q>(
        &'q self,
        mut queue: LockedQueue<'q, P::Request>,
        mut line: Line<'q, P::Request>,
        waker: Option<Waker>,
    ) {
        let mut batch = WakeBatch::new();
        waker.into_iter().for_each(|waker| batch.push(waker));
        loop {
            while !batch.is_full() {
                match self.grant_next(&mut queue, &mut line) {
                    Some(waker) => batch.push(waker),
                    None => break,
                }
            }
            let more = Self::admits_another(&line);
            self.end(&queue, &line, true);
            drop(queue);
            batch.wake_all();
            if !more {
                return;
            }
            queue = self.queue.lock();
            let word = self.word.load(Ordering::Relaxed);
            if word & QUEUED == 0 {
                return;
            }
            line.word = word & !P::FLAGS;
            // SAFETY: as in `serve`.
            line.first = unsafe { self.front.get(&queue, None) };
        }
    }

    /// Whether the next one in line may enter.
    #[inline]
    fn admits_another(line: &Line<'_, P::Request>) -> bool {
        line.first
            .is_some_and(|node| P::admit(line.word, node.request).is_some())
    }

    /// Grants the next one in line what it waits for, if it may enter.
    #[inline]
    fn grant_next<'q>(
        &self,
        queue: &mut LockedQueue<'q, P::Request>,
        line: &mut Line<'q, P::Request>,
    ) -> Option<Waker> {
        let node = line.first?;
        line.word = P::admit(line.word, node.request)?;
        // SAFETY: nodes from the front on wait (see the module), and nothing is
        // unlinked here.
        unsafe {
            line.first = queue.next(node);
            Some(queue.grant(node))
        }
    }

    /// Writes back what has become of the line. `granted` says that some of it
    /// have been.
    #[inline]
    fn end(
        &self,
        _queue: &LockedQueue<'_, P::Request>,
        line: &Line<'_, P::Request>,
        granted: bool,
    ) {
        self.front.set(line.first);
        let before = self.word.load(Ordering::Relaxed);
        let mut word = line.word | (before & PARKED_BIT & P::FLAGS);
        // Where nobody can enter before this grant is given back, to say that
        // somebody waits keeps nobody out, and saves the next who joins to say so.
        if line.first.is_some() || (P::ONE_AT_A_TIME && granted) {
            word |= QUEUED;
        }
        if word != before {
            // A store suffices, as the word is ours (G2). Release: pairs with the
            // Acquire of those who enter.
            self.word.store(word, Ordering::Release);
        }
    }

    /// All who are parked wait again, where they stand: there is something new
    /// to see.
    #[cold]
    fn unpark_all(&self, queue: &mut LockedQueue<'_, P::Request>) {
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
        // Acquire: pairs with the Release of those who left, for whoever is let in
        // under the lock of the queue from here on.
        while let Err(now) = self.word.compare_exchange_weak(
            word,
            (word & !out) | new,
            Ordering::Acquire,
            Ordering::Relaxed,
        ) {
            word = now;
        }
    }
}
