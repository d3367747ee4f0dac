//! Critical sections in place of spinning: the feature `critical-section`, without `std`.
//!
//! A critical section, in the sense of the crate of that name, is where nothing else runs: on one
//! processor interrupts are off, on several a lock is held as well. Who ends the program links
//! what does it, and promises that it does.
//!
//! # Invariants
//!
//! - **C1** Critical sections end in the opposite order of their beginnings: no queue is locked
//!   while another is, no code of a user runs while one is (Q5), and one that changes an integer is
//!   over at once, also while a queue is locked. Those of a user are around a call of ours.
//! - **C2** One ends on the processor where it has begun: what holds it is not `Send`, and is
//!   never kept over an `.await`.
//! - **C3** What is changed by a load and a store within a critical section is changed by nothing
//!   else meanwhile, as everything that changes it is in one. Other processors see it by the
//!   fences that begin and end a critical section.

use core::marker::PhantomData;

use critical_section::RestoreState;

/// A critical section of this crate, until it is dropped.
pub(super) struct CriticalSection {
    before: RestoreState,
    /// C2.
    _not_send: PhantomData<*const ()>,
}

impl CriticalSection {
    #[inline]
    pub(super) fn enter() -> Self {
        CriticalSection {
            // SAFETY: the drop releases it, in order and on the same processor (C1, C2). Nothing
            // leaks one: they are not handed out.
            before: unsafe { critical_section::acquire() },
            _not_send: PhantomData,
        }
    }
}

impl Drop for CriticalSection {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: acquired by `enter`, and released once, in order (C1).
        unsafe { critical_section::release(self.before) }
    }
}

/// The integers of a processor that only loads and stores them in one step (C3).
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
                    // Acquire and Release, whatever was asked for: it costs nothing here.
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
