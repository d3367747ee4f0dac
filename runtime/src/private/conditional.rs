//! How a section waits for a condition (`when`).

use super::dispatch::{AnyLock, NoGuard, NoLock};
use super::{Enter, EnterShared};
use crate::when::{ConditionalLock, ConditionalRwLock, GuardMaker, Place, When, when};
use crate::{AsyncLock, AsyncRwLock};

macro_rules! conditional {
    ($(
        $(#[$doc:meta])*
        $reference:ident, $enter_when:ident, $function:ident: $enter:ident, $lock:ident,
        $conditional:ident, $guard:ident, $place:ident, $granted:ident;
    )*) => {$(
        /// `&L` of a lock `L` whose sections can wait for a condition.
        ///
        /// Asked for as `for<'a> &'a L: ..`. The compiler checks a bound with a
        /// lifetime of its own where a section has a `when`; a plain bound would
        /// reject structs with other locks at the derive.
        ///
        /// # Safety
        ///
        /// Place and guard are of the lock itself.
        #[diagnostic::on_unimplemented(
            message = "`when` cannot wait at this lock: it does not know when somebody has changed what it guards",
            label = "a section of this lock cannot have a condition",
            note = "use `async_monitor::Lock`, `Mutex` or `RwLock`, or wait with a `Condition`"
        )]
        pub unsafe trait $reference<'g, L: $lock + ?Sized> {
            /// A place in line.
            fn place(self) -> Place<'g>;

            /// The guard of one that has been let in.
            ///
            /// # Safety
            ///
            /// A place of this lock has been let in, and there is no other guard
            /// of it.
            unsafe fn granted(self) -> L::$guard<'g>
            where
                L: 'g;
        }

        // SAFETY: the same is promised by `L`.
        #[diagnostic::do_not_recommend]
        unsafe impl<'g, L: $conditional + ?Sized> $reference<'g, L> for &'g L {
            #[inline]
            fn place(self) -> Place<'g> {
                L::$place(self)
            }

            #[inline]
            unsafe fn granted(self) -> L::$guard<'g>
            where
                L: 'g,
            {
                // SAFETY: passed on.
                unsafe { L::$granted(self) }
            }
        }

        $(#[$doc])*
        #[diagnostic::on_unimplemented(
            message = "`when` cannot wait at this lock: it does not know when somebody has changed what it guards",
            label = "a section of this lock cannot have a condition",
            note = "use `async_monitor::Lock`, `Mutex` or `RwLock`, or wait with a `Condition`"
        )]
        pub trait $enter_when<const KEY: u128>: $enter<KEY> {
            /// A place in line.
            fn place(&self) -> Place<'_>;

            /// The guard of one that has been let in.
            ///
            /// # Safety
            ///
            /// A place of this lock has been let in, and there is no other guard
            /// of it.
            unsafe fn granted(&self) -> Self::Guard<'_>;
        }

        #[diagnostic::do_not_recommend]
        impl<L: $conditional + ?Sized, const KEY: u128> $enter_when<KEY> for AnyLock<L> {
            #[inline]
            fn place(&self) -> Place<'_> {
                self.0.$place()
            }

            #[inline]
            unsafe fn granted(&self) -> Self::Guard<'_> {
                // SAFETY: passed on.
                unsafe { self.0.$granted() }
            }
        }

        /// Waits for the lock and a condition.
        #[inline]
        pub fn $function<'a, E, const KEY: u128, F>(
            entered: &'a E,
            condition: F,
        ) -> When<'a, E::Guard<'a>, GuardMaker<'a, E, E::Guard<'a>>, F>
        where
            E: $enter_when<KEY> + ?Sized,
            F: FnMut(&mut E::Guard<'a>) -> bool,
        {
            // SAFETY: a guard is made once the place has been let in, and the one
            // before was forgotten then. Guard and place are of the same lock.
            // Guards of our locks, and newtypes of them, hold nothing but
            // references.
            unsafe {
                let granted = GuardMaker::new(entered, E::granted);
                when(entered.place(), granted, condition)
            }
        }
    )*};
}

conditional! {
    /// An exclusive section can wait for a condition.
    Conditional, EnterWhen, enter_when: Enter, AsyncLock,
    ConditionalLock, Guard, place, granted;

    /// A read section can wait for a condition.
    ConditionalShared, EnterSharedWhen, enter_shared_when: EnterShared, AsyncRwLock,
    ConditionalRwLock, ReadGuard, read_place, read_granted;
}

// SAFETY: there is no place.
#[diagnostic::do_not_recommend]
unsafe impl ConditionalLock for NoLock {
    #[inline]
    fn place(&self) -> Place<'_> {
        unreachable!("there is no lock, which is an error")
    }

    #[inline]
    unsafe fn granted(&self) -> NoGuard {
        NoGuard
    }
}

// SAFETY: there is no place.
#[diagnostic::do_not_recommend]
unsafe impl ConditionalRwLock for NoLock {
    #[inline]
    fn read_place(&self) -> Place<'_> {
        unreachable!("there is no lock, which is an error")
    }

    #[inline]
    unsafe fn read_granted(&self) -> NoGuard {
        NoGuard
    }
}
