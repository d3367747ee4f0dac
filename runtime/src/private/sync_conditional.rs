//! How a section of a short lock waits for a condition (`when`): as in `conditional`, for
//! the waiters of `sync::when`.
//!
//! The conditions of such sections are evaluated by their waiters alone.

use super::conditional::{ByReference, ConditionGuard, OfSection};
use super::dispatch::{AnySyncLock, Enter, EnterShared};
use super::entry_type::EntryType;
use super::reading::{Exclusively, Reading};
use crate::sync::turns::Turns;
use crate::sync::when::{ConditionalSyncLock, ConditionalSyncRwLock, SyncWhen, TurnGuards, when};
use crate::{SyncLock, SyncRwLock};

macro_rules! sync_conditional {
    ($(
        $(#[$doc:meta])*
        $reference:ident, $enter_when:ident, $function:ident: $enter:ident, $lock:ident,
        $conditional:ident, $guard:ident, $acquire:ident, $release:ident;
    )*) => {$(
        /// `&L` of a lock `L` whose sections can wait for a condition: for the bounds of a
        /// derive. See [`Conditional`](super::Conditional).
        ///
        /// # Safety
        ///
        /// Turns and guards are of the lock itself.
        #[diagnostic::on_unimplemented(
            message = "`when` cannot wait at this lock: it does not know when somebody has changed what it guards",
            label = "a section of this lock cannot have a condition",
            note = "use `async_monitor::sync::Lock`, `sync::Mutex` or `sync::RwLock`"
        )]
        pub unsafe trait $reference<'g, L: $lock + ?Sized> {
            /// Where conditional waiters take turns.
            fn turns(self) -> &'g Turns;

            /// Acquires the lock for a waiter that has the turn.
            ///
            /// # Safety
            ///
            /// The caller has the turn, and leaves it to the guard.
            unsafe fn acquire_with_turn(self) -> L::$guard<'g>
            where
                L: 'g;

            /// Releases the lock, and keeps the turn for the caller.
            fn release_without_turn(guard: L::$guard<'g>)
            where
                L: 'g;
        }

        // SAFETY: the same is promised by `L`.
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
        /// Turns and guards are of the same lock, and `HasLock::view`, where that is
        /// implemented, leaves the guard where it is.
        pub unsafe trait $enter_when<const KEY: u128>: $enter<KEY> {
            /// Where the section waits for its turn.
            fn turns(&self) -> &Turns;

            /// Acquires the lock for a waiter that has the turn, which is the guard's from
            /// here on.
            ///
            /// # Safety
            ///
            /// The caller has the turn.
            unsafe fn acquire_with_turn(&self) -> Self::Guard<'_>;

            /// Releases the lock after a look at what it guards, and keeps the turn for the
            /// caller.
            fn release_without_turn<'g>(guard: Self::Guard<'g>)
            where
                Self: 'g;
        }

        // SAFETY: the same is promised by `L`, which is all that an `AnySyncLock` is.
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
            // SAFETY: turns and guards are of one lock. The condition is given a view, and
            // cannot reach the guard.
            unsafe {
                let guards = TurnGuards::new(
                    entered,
                    E::acquire_with_turn,
                    E::release_without_turn,
                );
                when(entered.turns(), guards, OfSection::new(condition))
            }
        }
    )*};
}

sync_conditional! {
    /// An exclusive section of a short lock can wait for a condition.
    ConditionalSync, EnterSyncWhen, enter_sync_when: Enter, SyncLock,
    ConditionalSyncLock, Guard, acquire_with_turn, release_without_turn;

    /// A read section of a short lock can wait for a condition.
    ConditionalSyncShared, EnterSyncSharedWhen, enter_sync_shared_when: EnterShared, SyncRwLock,
    ConditionalSyncRwLock, ReadGuard, read_with_turn, release_read_without_turn;
}

// SAFETY: turns and guard are those of `E`, whose view leaves the guard where it is.
#[diagnostic::do_not_recommend]
unsafe impl<E: EnterSyncWhen<KEY> + ?Sized, const READ: u128, const KEY: u128>
    EnterSyncSharedWhen<READ> for Exclusively<E, KEY>
{
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
}
