//! Critical sections in place of spinning: the feature `critical-section`, without `std`.
//!
//! In a critical section, in the sense of the crate of that name, no other code runs: interrupts
//! are off on a single processor, and with several, a lock is held as well. The program links the
//! implementation, and promises that it does this.
//!
//! # Invariants
//!
//! - **CR1** Critical sections end in the reverse order of their beginnings: no queue is locked
//!   while another one is, no user code runs while one is (Q5), and the section of an integer
//!   ends at once, even while a queue is locked. A user's critical section encloses our calls.
//! - **CR2** A critical section ends on the processor where it began: its guard is not `Send`, and
//!   is never kept over an `.await`.
//! - **CR3** A word that is loaded and stored within a critical section is not changed in between,
//!   as all changes of it are within critical sections. The fences that begin and end a critical
//!   section make the change visible to other processors.

use core::marker::PhantomData;

use critical_section::RestoreState;

/// A critical section of this crate, until it is dropped.
pub(super) struct CriticalSection {
    before: RestoreState,
    /// CR2.
    _not_send: PhantomData<*const ()>,
}

impl CriticalSection {
    #[inline]
    pub(super) fn enter() -> Self {
        CriticalSection {
            // SAFETY: the drop releases it, in order and on the same processor (CR1, CR2). None is
            // leaked, as they are not handed out.
            before: unsafe { critical_section::acquire() },
            _not_send: PhantomData,
        }
    }
}

impl Drop for CriticalSection {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: acquired by `enter`, and released once, in order (CR1).
        unsafe { critical_section::release(self.before) }
    }
}

/// Integers for a processor without atomic read-modify-write operations (CR3).
#[cfg(not(target_has_atomic = "ptr"))]
mod integers {
    use core::sync::atomic::{self, Ordering};

    use super::CriticalSection;

    macro_rules! integers {
        ($($integer:ident($plain:ty);)*) => {$(
            pub(crate) struct $integer(atomic::$integer);

            impl $integer {
                pub(crate) const fn new(value: $plain) -> Self {
                    $integer(atomic::$integer::new(value))
                }

                #[inline]
                pub(crate) fn load(&self, ordering: Ordering) -> $plain {
                    self.0.load(ordering)
                }

                #[inline]
                pub(crate) fn store(&self, value: $plain, ordering: Ordering) {
                    let _section = CriticalSection::enter();
                    self.0.store(value, ordering);
                }

                #[inline]
                fn change(&self, change: impl FnOnce($plain) -> Option<$plain>) -> $plain {
                    let _section = CriticalSection::enter();
                    // Acquire and Release, whatever the ordering argument: it costs nothing here.
                    let before = self.0.load(Ordering::Acquire);
                    if let Some(after) = change(before) {
                        self.0.store(after, Ordering::Release);
                    }
                    before
                }

                #[inline]
                pub(crate) fn compare_exchange_weak(
                    &self,
                    current: $plain,
                    new: $plain,
                    _success: Ordering,
                    _failure: Ordering,
                ) -> Result<$plain, $plain> {
                    let before = self.change(|now| (now == current).then_some(new));
                    if before == current { Ok(before) } else { Err(before) }
                }

                #[inline]
                pub(crate) fn fetch_add(&self, number: $plain, _: Ordering) -> $plain {
                    self.change(|now| Some(now.wrapping_add(number)))
                }

                #[inline]
                pub(crate) fn fetch_sub(&self, number: $plain, _: Ordering) -> $plain {
                    self.change(|now| Some(now.wrapping_sub(number)))
                }

                #[inline]
                pub(crate) fn fetch_or(&self, bits: $plain, _: Ordering) -> $plain {
                    self.change(|now| Some(now | bits))
                }

                #[inline]
                pub(crate) fn fetch_and(&self, bits: $plain, _: Ordering) -> $plain {
                    self.change(|now| Some(now & bits))
                }
            }
        )*};
    }

    integers! {
        AtomicU32(u32);
        AtomicUsize(usize);
    }
}

#[cfg(not(target_has_atomic = "ptr"))]
pub(crate) use self::integers::{AtomicU32, AtomicUsize};
