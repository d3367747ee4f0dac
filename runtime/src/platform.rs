//! The sync types of the crate: those of `std`, loom's under
//! `--cfg async_monitor_loom`, or shuttle's under `--cfg async_monitor_shuttle`.
//! Nothing else in the crate names any of them.
//!
//! [`QueueLock`] is the lock of a wait queue: one word that is at the same time
//! the pointer to the first waiter and, in its lowest bit, a spin lock. It is
//! held for a few instructions only (longer where a list is walked: by `Debug`,
//! at a barrier, past the grants of tasks that have not run yet) and never while
//! user code runs. So a thread that finds it taken spins, and after a while
//! yields the processor, in case the holder was pre-empted. (That does not help
//! threads with different real-time priorities: the crate is not for such
//! threads.)
//!
//! Without `std`, a thread cannot yield: it spins until the holder, on another processor, is
//! done. An interrupt handler that finds the lock held by the code that it
//! interrupted would spin for ever. The feature `critical-section` is for that case: a queue
//! is then locked by a critical section, which cannot be interrupted, and the lowest bit is
//! always clear.
//!
//! # Flavours
//!
//! All code on top of [`Word`] and [`QueueLock`] serves two flavours. The flavour
//! [`Threads`] changes words by atomic read-modify-write operations, the flavour
//! [`Local`] by plain loads and stores of the same words, as no other thread
//! has them. So the protocols are written, and
//! modelled, once. Only the flavour `Threads` is `Sync`: the wait queue has the impl,
//! and every type with a wait queue inside follows.

#[cfg(all(feature = "critical-section", not(feature = "std")))]
mod critical;

use core::marker::PhantomData;

#[cfg(not(async_monitor_loom))]
pub(crate) use self::real::*;

#[cfg(async_monitor_loom)]
pub(crate) use self::modelled::*;

/// The flavour of a primitive: which tasks share it.
pub(crate) trait Flavour {
    /// Whether all of them are on one thread.
    const LOCAL: bool;
}

/// Any thread.
pub(crate) struct Threads;

/// The tasks of one thread.
pub(crate) struct Local;

impl Flavour for Threads {
    const LOCAL: bool = false;
}

impl Flavour for Local {
    const LOCAL: bool = true;
}

/// A word of a primitive.
///
/// For the flavour [`Local`], a plain load and a plain store make up a
/// read-modify-write: no other thread has the word, and nothing on this thread runs in
/// between.
pub(crate) struct Word<F>(AtomicUsize, PhantomData<fn() -> F>);

impl<F: Flavour> Word<F> {
    const_unless_loom! {
        pub(crate) const fn new(value: usize) -> Self {
            Word(AtomicUsize::new(value), PhantomData)
        }
    }

    #[inline]
    pub(crate) fn load(&self, ordering: Ordering) -> usize {
        self.0.load(ordering)
    }

    #[inline]
    pub(crate) fn store(&self, value: usize, ordering: Ordering) {
        self.0.store(value, ordering);
    }

    #[inline]
    pub(crate) fn compare_exchange_weak(
        &self,
        current: usize,
        new: usize,
        success: Ordering,
        failure: Ordering,
    ) -> Result<usize, usize> {
        if !F::LOCAL {
            return self.0.compare_exchange_weak(current, new, success, failure);
        }
        let now = self.0.load(Ordering::Relaxed);
        if now != current {
            return Err(now);
        }
        self.0.store(new, Ordering::Relaxed);
        Ok(now)
    }

    #[inline]
    pub(crate) fn fetch_add(&self, number: usize, ordering: Ordering) -> usize {
        if !F::LOCAL {
            return self.0.fetch_add(number, ordering);
        }
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(before.wrapping_add(number), Ordering::Relaxed);
        before
    }

    #[inline]
    pub(crate) fn fetch_or(&self, bits: usize, ordering: Ordering) -> usize {
        if !F::LOCAL {
            return self.0.fetch_or(bits, ordering);
        }
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(before | bits, Ordering::Relaxed);
        before
    }

    #[inline]
    pub(crate) fn fetch_and(&self, bits: usize, ordering: Ordering) -> usize {
        if !F::LOCAL {
            return self.0.fetch_and(bits, ordering);
        }
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(before & bits, Ordering::Relaxed);
        before
    }
}

#[cfg(not(async_monitor_loom))]
mod real {
    use core::cell::UnsafeCell;
    #[cfg(all(target_has_atomic = "ptr", not(async_monitor_shuttle)))]
    pub(crate) use core::sync::atomic::AtomicUsize;
    #[cfg(not(async_monitor_shuttle))]
    pub(crate) use core::sync::atomic::{AtomicU8, Ordering};
    #[cfg(async_monitor_shuttle)]
    pub(crate) use shuttle::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

    #[cfg(not(async_monitor_shuttle))]
    use core::hint;
    use core::marker::PhantomData;
    use core::ptr;
    #[cfg(not(async_monitor_shuttle))]
    use core::sync::atomic::AtomicPtr;
    #[cfg(async_monitor_shuttle)]
    use shuttle::{hint, sync::atomic::AtomicPtr, thread};
    #[cfg(all(feature = "std", not(async_monitor_shuttle)))]
    use std::thread;

    use super::Flavour;
    #[cfg(all(feature = "critical-section", not(feature = "std")))]
    use super::critical::CriticalSection;
    #[cfg(all(
        feature = "critical-section",
        not(feature = "std"),
        not(target_has_atomic = "ptr")
    ))]
    pub(crate) use super::critical::{AtomicU32, AtomicUsize};

    /// A value that many may access, one at a time.
    #[repr(transparent)]
    pub(crate) struct SharedCell<T>(UnsafeCell<T>);

    impl<T: Copy> SharedCell<T> {
        pub(crate) const fn new(value: T) -> Self {
            SharedCell(UnsafeCell::new(value))
        }

        /// # Safety
        ///
        /// Nobody calls [`set`](Self::set) at the same time.
        #[inline]
        pub(crate) unsafe fn get(&self) -> T {
            // SAFETY: no write is under way, as the caller promises.
            unsafe { *self.0.get() }
        }

        /// # Safety
        ///
        /// Nobody else calls `get` or `set` at the same time.
        #[inline]
        pub(crate) unsafe fn set(&self, value: T) {
            // SAFETY: no other access is under way, as the caller promises.
            unsafe { *self.0.get() = value }
        }
    }

    const LOCKED: usize = 1;

    /// How often a thread checks again before it yields its processor.
    const SPINS: u32 = 64;

    pub(crate) struct QueueLock<N, F> {
        /// The first node of the queue, or null; the lowest bit is the lock.
        head: AtomicPtr<N>,
        _flavour: PhantomData<fn() -> F>,
    }

    impl<N, F: Flavour> QueueLock<N, F> {
        pub(crate) const fn new() -> Self {
            // Alignment of at least two leaves the lowest bit free.
            assert!(align_of::<N>() > LOCKED);
            QueueLock {
                head: AtomicPtr::new(ptr::null_mut()),
                _flavour: PhantomData,
            }
        }

        #[inline]
        pub(crate) fn lock(&self) -> QueueLockGuard<'_, N> {
            let head = self.head.load(Ordering::Relaxed);
            if F::LOCAL {
                // The tag only tells a debug build that a guard exists.
                debug_assert!(head.addr() & LOCKED == 0, "locked twice by one thread");
                if cfg!(debug_assertions) {
                    self.head.store(tagged(head), Ordering::Relaxed);
                }
                return QueueLockGuard {
                    word: &self.head,
                    head,
                    #[cfg(all(feature = "critical-section", not(feature = "std")))]
                    _section: None,
                };
            }
            self.lock_shared(head)
        }

        /// Locks the queue by a critical section.
        #[cfg(all(feature = "critical-section", not(feature = "std")))]
        #[inline]
        fn lock_shared(&self, _head: *mut N) -> QueueLockGuard<'_, N> {
            let section = CriticalSection::enter();
            QueueLockGuard {
                word: &self.head,
                // Acquire: pairs with the Release of `QueueLockGuard::drop`.
                head: self.head.load(Ordering::Acquire),
                _section: Some(section),
            }
        }

        /// Locks the queue, whose word was `head` a moment ago.
        #[cfg(not(all(feature = "critical-section", not(feature = "std"))))]
        #[inline]
        fn lock_shared(&self, head: *mut N) -> QueueLockGuard<'_, N> {
            let head = untagged(head);
            // Acquire: pairs with the Release of `QueueLockGuard::drop`.
            let head = match self.head.compare_exchange_weak(
                head,
                tagged(head),
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(head) => head,
                Err(_) => self.lock_contended(),
            };
            QueueLockGuard {
                word: &self.head,
                head,
            }
        }

        #[cfg(not(all(feature = "critical-section", not(feature = "std"))))]
        #[cold]
        fn lock_contended(&self) -> *mut N {
            let mut spins = 0;
            loop {
                let head = self.head.load(Ordering::Relaxed);
                if head.addr() & LOCKED == 0 {
                    // Acquire: as in `lock`.
                    if let Ok(head) = self.head.compare_exchange_weak(
                        head,
                        tagged(head),
                        Ordering::Acquire,
                        Ordering::Relaxed,
                    ) {
                        return head;
                    }
                } else if spins < SPINS {
                    spins += 1;
                    hint::spin_loop();
                } else {
                    yield_now();
                }
            }
        }

        /// Whether there was no node in the queue a moment ago.
        #[inline]
        pub(crate) fn was_empty(&self) -> bool {
            untagged(self.head.load(Ordering::Relaxed)).is_null()
        }
    }

    /// Yields the processor.
    #[cfg(feature = "std")]
    fn yield_now() {
        thread::yield_now();
    }

    /// There is no other thread to yield to.
    #[cfg(all(not(feature = "std"), not(feature = "critical-section")))]
    fn yield_now() {
        hint::spin_loop();
    }

    fn tagged<N>(head: *mut N) -> *mut N {
        head.map_addr(|addr| addr | LOCKED)
    }

    fn untagged<N>(head: *mut N) -> *mut N {
        head.map_addr(|addr| addr & !LOCKED)
    }

    pub(crate) struct QueueLockGuard<'a, N> {
        word: &'a AtomicPtr<N>,
        /// The word to store at the unlock.
        head: *mut N,
        /// Ends after our drop. `None` for the flavour `Local`.
        #[cfg(all(feature = "critical-section", not(feature = "std")))]
        _section: Option<CriticalSection>,
    }

    impl<N> QueueLockGuard<'_, N> {
        #[inline]
        pub(crate) fn head(&self) -> *mut N {
            self.head
        }

        #[inline]
        pub(crate) fn set_head(&mut self, head: *mut N) {
            self.head = head;
        }
    }

    impl<N> Drop for QueueLockGuard<'_, N> {
        #[inline]
        fn drop(&mut self) {
            // Release: pairs with the Acquire of `lock`. Only the holder of the lock
            // writes the word, so a plain store loses nothing.
            self.word.store(self.head, Ordering::Release);
        }
    }
}

#[cfg(async_monitor_loom)]
mod modelled {
    use core::marker::PhantomData;
    use core::ptr;
    use loom::cell::UnsafeCell;
    pub(crate) use loom::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
    use loom::sync::{Mutex, MutexGuard};

    pub(crate) struct SharedCell<T>(UnsafeCell<T>);

    impl<T: Copy> SharedCell<T> {
        pub(crate) fn new(value: T) -> Self {
            SharedCell(UnsafeCell::new(value))
        }

        /// # Safety
        ///
        /// Nobody calls `set` at the same time (loom checks it).
        pub(crate) unsafe fn get(&self) -> T {
            // SAFETY: as the caller promises.
            self.0.with(|value| unsafe { *value })
        }

        /// # Safety
        ///
        /// Nobody calls `get` or `set` at the same time (loom checks it).
        pub(crate) unsafe fn set(&self, new: T) {
            // SAFETY: as the caller promises.
            self.0.with_mut(|value| unsafe { *value = new })
        }
    }

    /// The packing of the word is not modelled in loom. A lock that blocks has far
    /// fewer schedules to explore than one that spins.
    pub(crate) struct QueueLock<N, F>(Mutex<*mut N>, PhantomData<fn() -> F>);

    impl<N, F> QueueLock<N, F> {
        pub(crate) fn new() -> Self {
            QueueLock(Mutex::new(ptr::null_mut()), PhantomData)
        }

        pub(crate) fn lock(&self) -> QueueLockGuard<'_, N> {
            // A poisoned lock means that the model has failed already.
            let guard = self
                .0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            QueueLockGuard(guard)
        }

        pub(crate) fn was_empty(&self) -> bool {
            self.lock().head().is_null()
        }
    }

    pub(crate) struct QueueLockGuard<'a, N>(MutexGuard<'a, *mut N>);

    impl<N> QueueLockGuard<'_, N> {
        pub(crate) fn head(&self) -> *mut N {
            *self.0
        }

        pub(crate) fn set_head(&mut self, head: *mut N) {
            *self.0 = head;
        }
    }
}

/// A function that is `const` except under loom, whose types are not.
macro_rules! const_unless_loom {
    ($(#[$attr:meta])* $vis:vis const fn $name:ident($($arg:ident: $ty:ty),* $(,)?) -> $ret:ty $body:block) => {
        $(#[$attr])*
        #[cfg(not(async_monitor_loom))]
        #[inline]
        $vis const fn $name($($arg: $ty),*) -> $ret $body

        $(#[$attr])*
        #[cfg(async_monitor_loom)]
        $vis fn $name($($arg: $ty),*) -> $ret $body
    };
}

pub(crate) use const_unless_loom;
