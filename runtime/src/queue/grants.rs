//! The index of granted nodes by task: a treap inside the nodes.
//!
//! A gate that admits several requests at once may have any number of unused grants. With
//! the queue locked, a waiting future must find those of its own task without
//! walking over the others. So granted nodes are linked
//! into a search tree. It is ordered by the parts of their wakers and then by ticket, the
//! oldest grant first, and balanced by priorities that are hashes of the addresses (Aragon and
//! Seidel, "Randomized Search Trees", 1989). The expected number of steps of every operation
//! is logarithmic in the number of grants. With one grant, which is the usual case, it
//! takes a handful of instructions.
//!
//! # Invariants
//!
//! - **X1** Exactly the granted nodes of a queue are in its index, hence they are alive (Q1).
//!   Parts of the waker, ticket and address of a node do not change while it is
//!   granted (Q2).
//! - **X2** `left` and `right` of a node are touched under its queue lock
//!   only, and set before they are read.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU32};
use core::task::Waker;

use super::node::{Lazy, Node, Request, key_of};
use crate::platform::Ordering;

/// The links of a node in the index.
pub(crate) struct TreeLinks<R: Request> {
    left: Lazy<*const Node<R>>,
    right: Lazy<*const Node<R>>,
}

impl<R: Request> Default for TreeLinks<R> {
    #[inline]
    fn default() -> Self {
        TreeLinks {
            left: Lazy::new(),
            right: Lazy::new(),
        }
    }
}

/// The root of the index, and the number of grants so far. Used under the queue lock only.
pub(crate) struct GrantIndex<R: Request<Links = TreeLinks<R>>> {
    root: AtomicPtr<Node<R>>,
    grants: AtomicU32,
}

/// The location of a pointer to a subtree.
enum Slot<'t, R: Request<Links = TreeLinks<R>>> {
    Root(&'t AtomicPtr<Node<R>>),
    Left(NonNull<Node<R>>),
    Right(NonNull<Node<R>>),
}

impl<R: Request<Links = TreeLinks<R>>> Slot<'_, R> {
    /// # Safety
    ///
    /// X1 and X2: the queue is locked, and the node of the slot is in the index.
    #[inline]
    unsafe fn get(&self) -> Option<NonNull<Node<R>>> {
        // SAFETY: the caller's promise.
        let child = unsafe {
            match self {
                Slot::Root(root) => root.load(Ordering::Relaxed).cast_const(),
                Slot::Left(node) => (*node.as_ptr()).links.left.get(),
                Slot::Right(node) => (*node.as_ptr()).links.right.get(),
            }
        };
        NonNull::new(child.cast_mut())
    }

    /// # Safety
    ///
    /// As for [`get`](Self::get).
    #[inline]
    unsafe fn set(&self, child: Option<NonNull<Node<R>>>) {
        let child = child.map_or(ptr::null_mut(), NonNull::as_ptr);
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Slot::Root(root) => root.store(child, Ordering::Relaxed),
                Slot::Left(node) => (*node.as_ptr()).links.left.set(child),
                Slot::Right(node) => (*node.as_ptr()).links.right.set(child),
            }
        }
    }
}

/// The order of nodes: by the parts of a waker, the ticket, the address.
type Key = ((usize, usize), u32, usize);

/// # Safety
///
/// The node is linked and has been given a waker; its queue is locked.
#[inline]
unsafe fn key<R: Request>(node: NonNull<Node<R>>) -> Key {
    // SAFETY: the caller's promise.
    let (task, ticket) = unsafe { ((*node.as_ptr()).waker.key(), (*node.as_ptr()).ticket.get()) };
    (task, ticket, node.addr().get())
}

/// The priority of a node: greater ones are nearer to the root.
#[inline]
fn priority<R: Request>(node: NonNull<Node<R>>) -> usize {
    // The multiplier of Fibonacci hashing. The high half of the product depends on
    // all bits of the address.
    let hash = node
        .addr()
        .get()
        .wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as usize);
    hash.rotate_left(usize::BITS / 2)
}

impl<R: Request<Links = TreeLinks<R>>> GrantIndex<R> {
    #[inline]
    pub(crate) const fn new() -> Self {
        GrantIndex {
            root: AtomicPtr::new(ptr::null_mut()),
            grants: AtomicU32::new(0),
        }
    }

    /// Gives a node a ticket, and adds it.
    ///
    /// # Safety
    ///
    /// The queue is locked; the node has just been granted, and is not in the index.
    #[inline]
    pub(crate) unsafe fn insert(&self, node: NonNull<Node<R>>) {
        // Zero is not a ticket.
        let ticket = self.grants.load(Ordering::Relaxed).wrapping_add(1).max(1);
        self.grants.store(ticket, Ordering::Relaxed);
        // SAFETY: Q2.
        unsafe { (*node.as_ptr()).ticket.set(ticket) };
        if self.root.load(Ordering::Relaxed).is_null() {
            // SAFETY: X2.
            unsafe {
                Slot::Left(node).set(None);
                Slot::Right(node).set(None);
                Slot::Root(&self.root).set(Some(node));
            }
        } else {
            // SAFETY: passed on.
            unsafe { self.insert_among(node) }
        }
    }

    #[cold]
    unsafe fn insert_among(&self, node: NonNull<Node<R>>) {
        let mut slot = Slot::Root(&self.root);
        // SAFETY: X1 and X2: nodes reached from the root are granted, and the queue is
        // locked.
        unsafe {
            let new = key(node);
            let mut rest = slot.get();
            while let Some(top) = rest.filter(|top| priority(*top) >= priority(node)) {
                slot = if new < key(top) {
                    Slot::Left(top)
                } else {
                    Slot::Right(top)
                };
                rest = slot.get();
            }
            // The node takes the place of this subtree, which is split between its
            // two sides.
            slot.set(Some(node));
            let (mut less, mut greater) = (Slot::Left(node), Slot::Right(node));
            while let Some(top) = rest {
                if key(top) < new {
                    less.set(Some(top));
                    less = Slot::Right(top);
                    rest = less.get();
                } else {
                    greater.set(Some(top));
                    greater = Slot::Left(top);
                    rest = greater.get();
                }
            }
            less.set(None);
            greater.set(None);
        }
    }

    /// # Safety
    ///
    /// The queue is locked, and the node is in the index.
    #[inline]
    pub(crate) unsafe fn remove(&self, node: NonNull<Node<R>>) {
        let mut slot = Slot::Root(&self.root);
        // SAFETY: X1 and X2: nodes reached from the root are granted, and the queue is
        // locked. The node is found where its key leads.
        unsafe {
            let (mut left, mut right) = (Slot::Left(node).get(), Slot::Right(node).get());
            while let Some(top) = slot.get().filter(|top| *top != node) {
                slot = if key(node) < key(top) {
                    Slot::Left(top)
                } else {
                    Slot::Right(top)
                };
            }
            debug_assert!(slot.get() == Some(node), "the key has changed (X1)");
            // The two subtrees of the node are merged into its place.
            while let (Some(less), Some(greater)) = (left, right) {
                if priority(less) >= priority(greater) {
                    slot.set(left);
                    slot = Slot::Right(less);
                    left = slot.get();
                } else {
                    slot.set(right);
                    slot = Slot::Left(greater);
                    right = slot.get();
                }
            }
            slot.set(left.or(right));
        }
    }

    /// The oldest grant behind `after`, or the oldest of all, whose node was registered with
    /// a waker of these parts.
    ///
    /// # Safety
    ///
    /// The queue is locked; `after` is in the index.
    pub(crate) unsafe fn next_of(
        &self,
        waker: &Waker,
        after: Option<NonNull<Node<R>>>,
    ) -> Option<NonNull<Node<R>>> {
        let task = key_of(waker);
        // SAFETY: as the caller promises.
        let least = after.map_or((task, 0, 0), |after| unsafe { key(after) });
        let mut found = None;
        // SAFETY: X1 and X2: nodes reached from the root are granted, and the queue is
        // locked.
        unsafe {
            let mut next = Slot::Root(&self.root).get();
            while let Some(top) = next {
                next = if key(top) > least {
                    found = Some(top);
                    Slot::Left(top).get()
                } else {
                    Slot::Right(top).get()
                };
            }
            found.filter(|found| (*found.as_ptr()).waker.key() == task)
        }
    }
}

#[cfg(test)]
mod tests {
    use core::ptr::NonNull;
    use std::boxed::Box;
    use std::sync::Arc;
    use std::task::{Wake, Waker};
    use std::vec::Vec;

    use super::{GrantIndex, TreeLinks};
    use crate::queue::{Node, Request};

    #[derive(Clone, Copy)]
    struct Asked;

    impl Request for Asked {
        type Links = TreeLinks<Asked>;
    }

    struct Task;

    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    /// Inserts and removes nodes of a few tasks at random, beside sets.
    #[test]
    fn finds_what_was_inserted() {
        const NODES: usize = 200;
        let tasks: Vec<Waker> = (0..7).map(|_| Waker::from(Arc::new(Task))).collect();
        let nodes: Vec<Box<Node<Asked>>> = (0..NODES)
            .map(|i| {
                let node = Box::new(Node::new(Asked));
                // SAFETY: nobody else has the node.
                unsafe { node.waker.put(tasks[i % tasks.len()].clone()) };
                node
            })
            .collect();
        let index = GrantIndex::new();
        // In the order of their grants.
        let mut inside: Vec<Vec<NonNull<Node<Asked>>>> = vec![Vec::new(); tasks.len()];
        let mut random = 0x2545_F491_4F6C_DD1D_u64;
        for _ in 0..20_000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let i = (random % NODES as u64) as usize;
            let (node, task) = (nodes[i].as_ptr(), i % tasks.len());
            // SAFETY: one thread, and only nodes that are inside are removed.
            unsafe {
                if let Some(at) = inside[task].iter().position(|other| *other == node) {
                    inside[task].remove(at);
                    index.remove(node);
                } else {
                    inside[task].push(node);
                    index.insert(node);
                }
                let mut found = Vec::new();
                let mut next = index.next_of(&tasks[task], None);
                while let Some(node) = next {
                    found.push(node);
                    next = index.next_of(&tasks[task], Some(node));
                }
                assert_eq!(found, inside[task]);
            }
        }
        for node in &nodes {
            // SAFETY: nobody else has the node, and the waker is not taken again.
            drop(unsafe { node.waker.take() });
        }
    }
}
