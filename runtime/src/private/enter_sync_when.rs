//! How a section of a sync lock waits for a condition (`when`): as in `enter_when`, for
//! the waiters of `sync::when`. As there, conditions are evaluated on behalf of their waiters
//! if that is sound (G8 of the gate), by the holder of the lock.

use core::mem::{self, ManuallyDrop};
use core::ptr::NonNull;

use super::enter::{AnySyncLock, Enter, EnterShared};
use super::enter_when::{ByReference, ConditionGuard, OfSection};
use super::entry_type::EntryType;
use super::reading::{Exclusively, Reading};
use crate::queue::{Evaluator, Object};
use crate::sync_waits::turns::Turns;
use crate::sync_waits::when::{
    ConditionalSyncLock, ConditionalSyncRwLock, SyncWhen, TurnGuards, when,
};
use crate::{SyncLock, SyncRwLock};

macro_rules! sync_conditional {
    ($(
        $(#[$doc:meta])*
        $reference:ident, $enter_when:ident, $function:ident: $enter:ident, $lock:ident,
        $conditional:ident, $guard:ident, $acquire:ident, $release:ident, $to_evaluate:ident;
    )*) => {$(
        /// `&L` of a lock `L` whose sections can wait for a condition: for the bounds of a
        /// derive. See [`Conditional`](super::Conditional).
        ///
        /// # Safety
        ///
        /// Turns and guards belong to the lock itself.
        #[diagnostic::on_unimplemented(
            message = "`when` cannot wait at this lock: it does not know when somebody has changed what it guards",
            label = "a section of this lock cannot have a condition",
            note = "use `async_monitor::sync::Lock`, `sync::Mutex` or `sync::RwLock`"
        )]
        pub unsafe trait $reference<'g, L: $lock + ?Sized> {
            /// The turns of the conditional waiters.
            fn turns(self) -> &'g Turns;

            /// Acquires the lock for a waiter that has the turn.
            ///
            /// # Safety
            ///
            /// The caller has the turn, and passes it to the guard.
            unsafe fn acquire_with_turn(self) -> L::$guard<'g>
            where
                L: 'g;

            /// Releases the lock, and keeps the turn for the caller.
            fn release_without_turn(guard: L::$guard<'g>)
            where
                L: 'g;

            /// Stands for a guard.
            ///
            /// # Safety
            ///
            /// As for [`ConditionalSyncLock::guard_to_evaluate`].
            unsafe fn guard_to_evaluate(self) -> L::$guard<'g>
            where
                L: 'g;
        }

        // SAFETY: `L` has the same promise.
        #[diagnostic::do_not_recommend]
        unsafe impl<'g, L: $conditional + ?Sized> $reference<'g, L> for &'g L {
            #[inline]
            fn turns(self) -> &'g Turns {
                L::turns(self)
            }

            #[inline]
            unsafe fn acquire_with_turn(self) -> L::$guard<'g>
            where
                L: 'g,
            {
                // SAFETY: passed on.
                unsafe { L::$acquire(self) }
            }

            #[inline]
            fn release_without_turn(guard: L::$guard<'g>)
            where
                L: 'g,
            {
                L::$release(guard);
            }

            #[inline]
            unsafe fn guard_to_evaluate(self) -> L::$guard<'g>
            where
                L: 'g,
            {
                // SAFETY: passed on.
                unsafe { L::$to_evaluate(self) }
            }
        }

        $(#[$doc])*
        #[diagnostic::on_unimplemented(
            message = "`when` cannot wait at this lock: it does not know when somebody has changed what it guards",
            label = "a section of this lock cannot have a condition",
            note = "use `async_monitor::sync::Lock`, `sync::Mutex` or `sync::RwLock`"
        )]
        ///
        /// # Safety
        ///
        /// Turns and guards belong to the same lock, and `HasLock::view`, if implemented,
        /// does not move the guard. `object` is the implementor, and the lock the one
        /// that its kind stands for.
        pub unsafe trait $enter_when<const KEY: u128>: $enter<KEY> {
            /// The object that the section enters, if its condition may be evaluated on its
            /// behalf.
            #[inline]
            fn object(&self) -> Option<Object> {
                None
            }

            /// The turns at which the section waits.
            fn turns(&self) -> &Turns;

            /// Acquires the lock for a waiter that has the turn, and passes the turn to the
            /// guard.
            ///
            /// # Safety
            ///
            /// The caller has the turn.
            unsafe fn acquire_with_turn(&self) -> Self::Guard<'_>;

            /// Releases the lock after an evaluation, and keeps the turn for the
            /// caller.
            fn release_without_turn<'g>(guard: Self::Guard<'g>)
            where
                Self: 'g;

            /// Stands for a guard, while a condition is evaluated by the holder of the lock.
            ///
            /// # Safety
            ///
            /// As for [`ConditionalSyncLock::guard_to_evaluate`].
            unsafe fn guard_to_evaluate(&self) -> Self::Guard<'_>;
        }

        // SAFETY: an `AnySyncLock` is an `L`, which has the same promise.
        #[diagnostic::do_not_recommend]
        unsafe impl<L: $conditional + ?Sized, const KEY: u128> $enter_when<KEY>
            for AnySyncLock<L>
        {
            #[inline]
            fn turns(&self) -> &Turns {
                self.0.turns()
            }

            #[inline]
            unsafe fn acquire_with_turn(&self) -> Self::Guard<'_> {
                // SAFETY: passed on.
                unsafe { self.0.$acquire() }
            }

            #[inline]
            fn release_without_turn<'g>(guard: Self::Guard<'g>)
            where
                Self: 'g,
            {
                L::$release(guard);
            }

            #[inline]
            unsafe fn guard_to_evaluate(&self) -> Self::Guard<'_> {
                // SAFETY: passed on.
                unsafe { self.0.$to_evaluate() }
            }
        }

        /// Waits for the lock and a condition.
        #[inline]
        pub fn $function<'a, E, T, const KEY: u128, F>(
            entered: &'a E,
            _entry: &EntryType<T>,
            _by_reference: ByReference,
            condition: F,
        ) -> SyncWhen<'a, E, E::Guard<'a>, OfSection<E, T, F, KEY>>
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
                    let mut guard = ManuallyDrop::new(E::guard_to_evaluate(entered));
                    let condition = NonNull::<F>::dangling().as_mut();
                    condition(&EntryType::known(), ConditionGuard::new(&mut guard))
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
            // SAFETY: turns and guards belong to one lock. The condition gets a view, and
            // has no access to the guard.
            unsafe {
                let guards = TurnGuards::new(
                    entered,
                    E::acquire_with_turn,
                    E::release_without_turn,
                );
                when(entered.turns(), guards, OfSection::new(condition)).evaluated_by(evaluator)
            }
        }
    )*};
}

sync_conditional! {
    /// An exclusive section of a sync lock can wait for a condition.
    ConditionalSync, EnterSyncWhen, enter_sync_when: Enter, SyncLock,
    ConditionalSyncLock, Guard, acquire_with_turn, release_without_turn, guard_to_evaluate;

    /// A read section of a sync lock can wait for a condition.
    ConditionalSyncShared, EnterSyncSharedWhen, enter_sync_shared_when: EnterShared, SyncRwLock,
    ConditionalSyncRwLock, ReadGuard, read_with_turn, release_read_without_turn,
    read_guard_to_evaluate;
}

// SAFETY: turns and guard are those of `E`, whose view does not move the guard. The
// object is that of `E`, which this is as well (RD1).
#[diagnostic::do_not_recommend]
unsafe impl<E: EnterSyncWhen<KEY> + ?Sized, const READ: u128, const KEY: u128>
    EnterSyncSharedWhen<READ> for Exclusively<E, KEY>
{
    #[inline]
    fn object(&self) -> Option<Object> {
        self.inside().object()
    }

    #[inline]
    fn turns(&self) -> &Turns {
        self.inside().turns()
    }

    #[inline]
    unsafe fn acquire_with_turn(&self) -> Self::Guard<'_> {
        // SAFETY: passed on.
        Reading::new(unsafe { self.inside().acquire_with_turn() })
    }

    #[inline]
    fn release_without_turn<'g>(guard: Self::Guard<'g>)
    where
        Self: 'g,
    {
        E::release_without_turn(guard.into_inner());
    }

    #[inline]
    unsafe fn guard_to_evaluate(&self) -> Self::Guard<'_> {
        // SAFETY: passed on.
        Reading::new(unsafe { self.inside().guard_to_evaluate() })
    }
}
