//! The circular list: its links, and walks along them.

use core::ptr::{self, NonNull};

use super::{LockedQueue, NodePtr, Request, State};

impl<R: Request> LockedQueue<'_, R> {
    /// The first node.
    #[inline]
    pub(crate) fn head(&self) -> Option<NodePtr<R>> {
        NonNull::new(self.guard.head())
    }

    /// The node behind `node`, or `None` at the end.
    ///
    /// # Safety
    ///
    /// `node` is linked here.
    #[inline]
    pub(crate) unsafe fn next(&self, node: NodePtr<R>) -> Option<NodePtr<R>> {
        // SAFETY: Q2; a linked node is alive (Q1).
        let next = unsafe { (*node.as_ptr()).next.get() };
        if ptr::eq(next, self.guard.head()) {
            None
        } else {
            NonNull::new(next.cast_mut())
        }
    }

    /// The node before `node`, or `None` at the head.
    ///
    /// # Safety
    ///
    /// As for [`next`](Self::next).
    #[inline]
    pub(crate) unsafe fn prev(&self, node: NodePtr<R>) -> Option<NodePtr<R>> {
        if ptr::eq(self.guard.head(), node.as_ptr()) {
            return None;
        }
        // SAFETY: as in `next`.
        let prev = unsafe { (*node.as_ptr()).prev.get() };
        NonNull::new(prev.cast_mut())
    }

    /// The last node.
    #[inline]
    pub(crate) fn last(&self) -> Option<NodePtr<R>> {
        let head = self.head()?;
        // SAFETY: Q2; a linked node is alive (Q1). The list is circular.
        NonNull::new(unsafe { (*head.as_ptr()).prev.get() }.cast_mut())
    }

    /// Links a node before another, or at the end.
    ///
    /// # Safety
    ///
    /// `node` is not linked, `before` is linked here.
    #[inline]
    pub(super) unsafe fn link(&mut self, before: Option<NodePtr<R>>, node: NodePtr<R>) {
        let head = self.head();
        let node_ptr = node.as_ptr().cast_const();
        // SAFETY: Q2 for every node touched; neighbours are alive (Q1). In a
        // circular list the end is where the head's `prev` is.
        unsafe {
            let Some(next) = before.or(head) else {
                (*node_ptr).prev.set(node_ptr);
                (*node_ptr).next.set(node_ptr);
                self.guard.set_head(node_ptr.cast_mut());
                return;
            };
            let next_ptr = next.as_ptr().cast_const();
            let prev = (*next_ptr).prev.get();
            (*node_ptr).prev.set(prev);
            (*node_ptr).next.set(next_ptr);
            (*prev).next.set(node_ptr);
            (*next_ptr).prev.set(node_ptr);
            if before.is_some() && before == head {
                self.guard.set_head(node_ptr.cast_mut());
            }
        }
    }

    /// Takes a node out of the list. Leaves its state and waker to the caller.
    ///
    /// # Safety
    ///
    /// The node is linked here.
    #[inline]
    pub(super) unsafe fn unlink(&mut self, node: NodePtr<R>) {
        let node = node.as_ptr().cast_const();
        // SAFETY: Q2 for every node touched; neighbours are alive (Q1).
        unsafe {
            let next = (*node).next.get();
            if ptr::eq(next, node) {
                self.guard.set_head(ptr::null_mut());
            } else {
                let prev = (*node).prev.get();
                (*prev).next.set(next);
                (*next).prev.set(prev);
                if ptr::eq(self.guard.head(), node) {
                    self.guard.set_head(next.cast_mut());
                }
            }
        }
    }

    /// Replaces the pointers to a linked node by this one, which may have provenance for
    /// more than the node.
    ///
    /// # Safety
    ///
    /// The node is linked here.
    pub(super) unsafe fn relink(&mut self, node: NodePtr<R>) {
        let this = node.as_ptr();
        // SAFETY: Q2 for the node and its neighbours, which are linked, hence alive (Q1).
        unsafe {
            let (prev, next) = ((*this).prev.get(), (*this).next.get());
            (*prev).next.set(this);
            (*next).prev.set(this);
        }
        if ptr::eq(self.guard.head(), this) {
            self.guard.set_head(this);
        }
    }

    /// The number of nodes whose state satisfies `matches`. Walks the whole list.
    pub(crate) fn count(&self, matches: impl Fn(State) -> bool) -> usize {
        let mut count = 0;
        let mut next = self.head();
        while let Some(node) = next {
            // SAFETY: nodes reached from the head are linked.
            unsafe {
                count += usize::from(matches(self.state_of(node)));
                next = self.next(node);
            }
        }
        count
    }
}
