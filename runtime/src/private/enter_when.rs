//! How a section waits for a condition (`when`).
//!
//! The condition sees a view, never the guard itself: if it is false, the guard is forgotten, so
//! the condition must not be able to swap it.
//!
//! The waiter of a section is made in six layers, from the section down to the gate:
//!
//! | layer | where | why it exists |
//! |---|---|---|
//! | `EnterWhen<KEY>` for the struct | the derive's expansion | the lock of a struct has a `KEY` |
//! | [`EnterWhen`] for an [`AnyLock`] | here | the same for a lock that no derive knows |
//! | [`Conditional`] for `&L` | here | its message is shown at the section, not at the derive |
//! | [`ConditionalLock`] for a field | `locks` | a field may be a pointer to its lock |
//! | [`ConditionalLock`] for a lock | `conditional_lock!` in `when` | coherence: each lock implements it |
//! | `NewWaiter::exclusive_waiter` | `when` | the gates of the two flavours are different types |
//!
//! Each has a counterpart for read sections.

use core::marker::PhantomData;
use core::mem::{self, ManuallyDrop};
use core::ops::Deref;
use core::ptr::NonNull;

use super::bind::DerivedView;
use super::dispatch::{Derived, DerivedReading, Plain, PlainReading, PlainSync, PlainSyncReading};
use super::enter::{AnyLock, AnySyncLock, Enter, EnterShared, HasLock};
use super::entry_type::EntryType;
use super::reading::{
    Exclusively, ExclusivelyPlain, ExclusivelyPlainSync, Reading, ReadingPlain, ReadingSync,
};
use crate::queue::{Evaluator, Object};
use crate::when::{
    ConditionalLock, ConditionalRwLock, ConditionalWaiter, Evaluate, GuardMaker, When, when,
};
use crate::{AsyncLock, AsyncRwLock, SyncLock};

macro_rules! conditional {
    ($(
        $(#[$doc:meta])*
        $reference:ident, $enter_when:ident, $function:ident: $enter:ident, $lock:ident,
        $conditional:ident, $guard:ident, $waiter:ident, $granted_guard:ident;
    )*) => {$(
        /// `&L` of a lock `L` whose sections can wait for a condition.
        ///
        /// The bound is `for<'a> &'a L: ..`. The compiler checks a higher-ranked bound
        /// where a section has a `when`; a plain bound would
        /// reject structs with other locks at the derive.
        ///
        /// # Safety
        ///
        /// Waiter and guard belong to the lock itself.
        #[diagnostic::on_unimplemented(
            message = "`when` cannot wait at this lock: it does not know when somebody has changed what it guards",
            label = "a section of this lock cannot have a condition",
            note = "use `async_monitor::Lock`, `Mutex` or `RwLock`: semaphores, and the locks of other crates, tell nobody"
        )]
        pub unsafe trait $reference<'g, L: $lock + ?Sized> {
            /// A waiter that is not queued yet.
            fn waiter(self) -> ConditionalWaiter<'g>;

            /// The guard of a granted waiter.
            ///
            /// # Safety
            ///
            /// A waiter of this lock has been granted, and no other guard of it is used
            /// while this one is.
            unsafe fn granted_guard(self) -> L::$guard<'g>
            where
                L: 'g;
        }

        // SAFETY: `L` has the same promise.
        #[diagnostic::do_not_recommend]
        unsafe impl<'g, L: $conditional + ?Sized> $reference<'g, L> for &'g L {
            #[inline]
            fn waiter(self) -> ConditionalWaiter<'g> {
                L::$waiter(self)
            }

            #[inline]
            unsafe fn granted_guard(self) -> L::$guard<'g>
            where
                L: 'g,
            {
                // SAFETY: passed on.
                unsafe { L::$granted_guard(self) }
            }
        }

        $(#[$doc])*
        #[diagnostic::on_unimplemented(
            message = "`when` cannot wait at this lock: it does not know when somebody has changed what it guards",
            label = "a section of this lock cannot have a condition",
            note = "use `async_monitor::Lock`, `Mutex` or `RwLock`: semaphores, and the locks of other crates, tell nobody"
        )]
        ///
        /// # Safety
        /// - The waiter and the guard belong to the same lock.
        /// - `HasLock::view`, if implemented, does not move the guard.
        /// - If the lock is confined to one thread, a reference to `Self` is, too.
        /// - `object` identifies `self` and this lock.
        pub unsafe trait $enter_when<const KEY: u128>: $enter<KEY> {
            /// The object that the section enters, if its condition may be evaluated on its
            /// behalf.
            #[inline]
            fn object(&self) -> Option<Object> {
                None
            }

            /// A waiter that is not queued yet.
            fn waiter(&self) -> ConditionalWaiter<'_>;

            /// The guard of a granted waiter.
            ///
            /// # Safety
            ///
            /// A waiter of this lock has been granted, and no other guard of it is used
            /// while this one is.
            unsafe fn granted_guard(&self) -> Self::Guard<'_>;
        }

        // SAFETY: an `AnyLock` is an `L`, which has the same promise.
        #[diagnostic::do_not_recommend]
        unsafe impl<L: $conditional + ?Sized, const KEY: u128> $enter_when<KEY> for AnyLock<L> {
            #[inline]
            fn waiter(&self) -> ConditionalWaiter<'_> {
                self.0.$waiter()
            }

            #[inline]
            unsafe fn granted_guard(&self) -> Self::Guard<'_> {
                // SAFETY: passed on.
                unsafe { self.0.$granted_guard() }
            }
        }

        /// Waits for the lock and a condition.
        #[inline]
        pub fn $function<'a, E, T, const KEY: u128, F>(
            entered: &'a E,
            _entry: &EntryType<T>,
            _by_reference: ByReference,
            condition: F,
        ) -> When<'a, E::Guard<'a>, GuardMaker<'a, E, E::Guard<'a>>, OfSection<E, T, F, KEY>>
        where
            E: $enter_when<KEY> + ?Sized,
            F: FnMut(&EntryType<T>, ConditionGuard<'_, E, E::Guard<'a>, KEY>) -> bool,
        {
            /// Evaluates the condition of a section for an object.
            ///
            /// # Safety
            ///
            /// There is a reference to an `E` at this address, and the caller holds the
            /// lock exclusively. References to an `E` are thin; an `F` is zero-sized.
            unsafe fn evaluate<'a, E, T, const KEY: u128, F>(address: *const ()) -> bool
            where
                E: $enter_when<KEY> + ?Sized + 'a,
                F: FnMut(&EntryType<T>, ConditionGuard<'_, E, E::Guard<'a>, KEY>) -> bool,
            {
                // SAFETY: a reference is an address here, and lasts for the call. The
                // guard stands for the caller's, and is not dropped, even in a
                // panic. The condition captures nothing: any address will do.
                unsafe {
                    let entered: &'a E = mem::transmute_copy(&address);
                    let mut guard = ManuallyDrop::new(E::granted_guard(entered));
                    let condition = NonNull::<F>::dangling().as_mut();
                    condition(&EntryType::known(), ConditionGuard(&mut guard, PhantomData))
                }
            }

            let is_thin = size_of::<&E>() == size_of::<*const ()>();
            let object = entered.object().filter(|_| size_of::<F>() == 0 && is_thin);
            let evaluator = object.map(|object| {
                // SAFETY: an object of the kind is an `E`, and the lock is that of `E`. The
                // condition captures by reference: being zero-sized, it captures nothing.
                // It is evaluated by a holder of the lock.
                unsafe { Evaluator::new(object, evaluate::<E, T, KEY, F>) }
            });
            let condition = OfSection::new(condition);
            // SAFETY: a guard is made once the waiter has been granted, and the
            // previous one was forgotten by then. Guard and waiter belong to the
            // same lock. Guards of our locks, and newtypes of them, hold nothing but
            // references. The condition has no access to the guard.
            unsafe {
                let make_guard = GuardMaker::new(entered, E::granted_guard);
                when(entered.waiter(), make_guard, condition).evaluated_by(evaluator)
            }
        }
    )*};
}

conditional! {
    /// An exclusive section can wait for a condition.
    Conditional, EnterWhen, enter_when: Enter, AsyncLock,
    ConditionalLock, Guard, waiter, granted_guard;

    /// A read section can wait for a condition.
    ConditionalShared, EnterSharedWhen, enter_shared_when: EnterShared, AsyncRwLock,
    ConditionalRwLock, ReadGuard, read_waiter, granted_read_guard;
}

/// Proof that a condition is not a `move` closure. It then captures by reference, so it is
/// zero-sized only if it captures nothing.
pub struct ByReference(());

impl ByReference {
    /// # Safety
    ///
    /// The condition beside which this is passed is not a `move` closure.
    #[inline]
    pub unsafe fn new() -> Self {
        ByReference(())
    }
}

/// The guard of an `E`, made to evaluate a condition. It gives access to the data of
/// the lock `KEY`, but not to the guard: `E` and `KEY` are part of the type
/// so that only the derive can define that access.
pub struct ConditionGuard<'v, E: ?Sized, G, const KEY: u128>(&'v mut G, PhantomData<fn(&E)>);

impl<'v, E: ?Sized, G, const KEY: u128> ConditionGuard<'v, E, G, KEY> {
    #[inline]
    pub(super) fn new(guard: &'v mut G) -> Self {
        ConditionGuard(guard, PhantomData)
    }
}

/// The condition of a section that enters an `E`. It gets the type of the section's
/// entry as an argument, so that it need not capture it.
pub struct OfSection<E: ?Sized, T, F, const KEY: u128>(F, PhantomData<fn(&E) -> T>);

impl<E: ?Sized, T, F, const KEY: u128> OfSection<E, T, F, KEY> {
    #[inline]
    pub(super) fn new(condition: F) -> Self {
        OfSection(condition, PhantomData)
    }
}

impl<E: ?Sized, G, T, F, const KEY: u128> Evaluate<G> for OfSection<E, T, F, KEY>
where
    F: FnMut(&EntryType<T>, ConditionGuard<'_, E, G, KEY>) -> bool,
{
    #[inline]
    fn evaluate(&mut self, guard: &mut G) -> bool {
        (self.0)(&EntryType::known(), ConditionGuard(guard, PhantomData))
    }
}

impl<'a, O: HasLock<KEY> + ?Sized, const KEY: u128> EntryType<Derived<'a, O, KEY>> {
    /// The lock at which a read section waits for its condition.
    #[inline]
    pub fn __conditional(&self, lock: &'a O) -> &'a O {
        lock
    }

    /// The source of the condition's binding.
    #[inline]
    pub fn __evaluate<'v>(
        &self,
        condition_guard: ConditionGuard<'v, O, O::Guard<'a>, KEY>,
    ) -> DerivedView<O::Held<'v>> {
        DerivedView(O::view(condition_guard.0))
    }
}

impl<L: ?Sized> EntryType<Plain<'_, L>> {
    /// The lock at which a read section waits for its condition.
    #[inline]
    pub fn __conditional<'a>(&self, lock: &'a AnyLock<L>) -> &'a AnyLock<L> {
        lock
    }

    /// The source of the condition's binding.
    #[inline]
    pub fn __evaluate<'v, G, const KEY: u128>(
        &self,
        condition_guard: ConditionGuard<'v, AnyLock<L>, G, KEY>,
    ) -> Seen<'v, G> {
        Seen(SeenGuard(condition_guard.0))
    }
}

impl<L: ?Sized> EntryType<PlainSync<'_, L>> {
    /// The lock at which a read section waits for its condition.
    #[inline]
    pub fn __conditional<'a>(&self, lock: &'a AnySyncLock<L>) -> &'a AnySyncLock<L> {
        lock
    }

    /// The source of the condition's binding.
    #[inline]
    pub fn __evaluate<'v, G, const KEY: u128>(
        &self,
        condition_guard: ConditionGuard<'v, AnySyncLock<L>, G, KEY>,
    ) -> Seen<'v, G> {
        Seen(SeenGuard(condition_guard.0))
    }
}

impl<'a, O, G, const READ: u128, const KEY: u128> EntryType<DerivedReading<'a, O, READ, KEY>>
where
    O: HasLock<KEY, Guard<'a> = G> + Enter<KEY, Guard<'a> = G> + ?Sized + 'a,
{
    /// The lock at which the section waits for its condition. `KEY` has promises about its view
    /// that `READ` lacks: other code could define a view for that.
    #[inline]
    pub fn __conditional(&self, lock: &'a O) -> &'a Exclusively<O, KEY> {
        Exclusively::new(lock)
    }

    /// The source of the condition's binding.
    #[inline]
    pub fn __evaluate<'v>(
        &self,
        condition_guard: ConditionGuard<'v, Exclusively<O, KEY>, Reading<'a, O, G, KEY>, READ>,
    ) -> DerivedView<O::Held<'v>> {
        DerivedView(O::view(condition_guard.0.guard()))
    }
}

impl<L: AsyncLock + ?Sized> EntryType<PlainReading<'_, L>> {
    /// The lock at which the section waits for its condition.
    #[inline]
    pub fn __conditional<'a>(&self, lock: &'a ExclusivelyPlain<L>) -> &'a ExclusivelyPlain<L> {
        lock
    }

    /// The source of the condition's binding.
    #[inline]
    pub fn __evaluate<'a, 'v, const READ: u128>(
        &self,
        condition_guard: ConditionGuard<'v, ExclusivelyPlain<L>, ReadingPlain<'a, L>, READ>,
    ) -> Seen<'v, L::Guard<'a>> {
        Seen(SeenGuard(condition_guard.0.guard()))
    }
}

impl<L: SyncLock + ?Sized> EntryType<PlainSyncReading<'_, L>> {
    /// The lock at which the section waits for its condition.
    #[inline]
    pub fn __conditional<'a>(
        &self,
        lock: &'a ExclusivelyPlainSync<L>,
    ) -> &'a ExclusivelyPlainSync<L> {
        lock
    }

    /// The source of the condition's binding.
    #[inline]
    pub fn __evaluate<'a, 'v, const READ: u128>(
        &self,
        condition_guard: ConditionGuard<'v, ExclusivelyPlainSync<L>, ReadingSync<'a, L>, READ>,
    ) -> Seen<'v, L::Guard<'a>> {
        Seen(SeenGuard(condition_guard.0.guard()))
    }
}

/// A guard as a condition sees it, with a fallback if it does not deref. As in `bind`.
pub struct Seen<'v, G>(SeenGuard<'v, G>);

/// Fallback: the guard itself is seen.
pub struct SeenGuard<'v, G>(&'v G);

impl<G: Deref> Seen<'_, G> {
    /// The guarded data.
    #[inline]
    pub fn __bind_shared(&self) -> &G::Target {
        self.0.0
    }
}

impl<G> SeenGuard<'_, G> {
    /// The guard itself.
    #[inline]
    pub fn __bind_shared(&self) -> &G {
        self.0
    }
}

impl<'v, G> Deref for Seen<'v, G> {
    type Target = SeenGuard<'v, G>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
