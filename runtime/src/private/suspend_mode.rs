//! Whether the sections of a lock may suspend.
//!
//! A macro does not know which lock it acquires, and expands to the same code for all. The
//! restrictions of a lock are bounds on its [`Mode`], at the user's token:
//!
//! | bound | at | [`Suspending`] | [`NonSuspending`] |
//! |---|---|---|---|
//! | [`MaySuspend`] | each `.await` in the body | yes | no |
//! | [`MayNest`] | each `with_lock!` in the body that awaits | yes | no |
//! | [`Parks`] | each lock of a plain fn without `blocking` | no | yes |
//! | [`MayPark`] | each lock of plain code with `blocking` | with `std` | yes |
//! | [`IsBounded`] | `timeout`, without `when` | yes | no |
//!
//! A derive sets the mode of each lock by [`HasLock::Mode`](super::HasLock::Mode).

use core::marker::PhantomData;

use super::enter_sync_when::{
    EnterSyncSharedWhen, EnterSyncWhen, enter_sync_shared_when, enter_sync_when,
};
use super::enter_when::{
    ByReference, ConditionGuard, EnterSharedWhen, EnterWhen, OfSection, enter_shared_when,
    enter_when,
};
use super::entry_type::{Entry, EntryType};
use crate::sync_waits::when::SyncWhen;
use crate::when::{GuardMaker, When};

/// The mode of a lock that is awaited, and whose sections may suspend.
pub enum Suspending {}

/// The mode of a lock that is acquired by a plain call, and whose sections never suspend.
pub enum NonSuspending {}

/// The mode of a field that is not a lock, which has been reported.
pub enum Unknown {}

/// [`Suspending`] or [`NonSuspending`].
pub trait Mode {
    /// The mode of a section with a lock of this mode and one of the other.
    type With<M: Mode>: Mode;

    /// Some lock is acquired in the step *finish* of entering.
    const ACQUIRES_LAST: bool = false;
}

impl Mode for Suspending {
    type With<M: Mode> = M;
}

impl Mode for NonSuspending {
    type With<M: Mode> = NonSuspending;
    const ACQUIRES_LAST: bool = true;
}

impl Mode for Unknown {
    type With<M: Mode> = Unknown;
}

/// A section may suspend, at its `.await` with that number. Without the number, the bounds would
/// be equal, and the compiler would report only one.
#[diagnostic::on_unimplemented(
    message = "a section of a lock of `async_monitor::sync` never suspends: the lock would be kept from everybody meanwhile",
    label = "suspends while the lock is held",
    note = "await before or after the section, or take the async lock, `async_monitor::Lock`, `Mutex` or `RwLock`"
)]
pub trait MaySuspend<const AT: usize> {}

/// A section may contain a section that awaits its lock, with that number.
#[diagnostic::on_unimplemented(
    message = "a section of a lock of `async_monitor::sync` never suspends, and this one within it awaits its lock",
    label = "awaits a lock while another is held",
    note = "acquire both locks by one section, `with_lock!(a, b, {{ .. }})`"
)]
pub trait MayNest<const AT: usize> {}

/// The locks of a section are acquired without an `.await`.
#[diagnostic::on_unimplemented(
    message = "`#[synchronized]` waits for an async lock, which takes an `async fn`",
    label = "a plain fn cannot wait for this lock",
    note = "write `async fn`; where another attribute has made a plain fn of one, write `#[synchronized]` above that attribute",
    note = "or if no section of the lock has to suspend, make it one of `async_monitor::sync`",
    note = "or add the option `blocking`, which parks the thread: not on a thread of an executor"
)]
pub trait Parks {}

/// A thread can be parked until the locks of a section are acquired.
#[diagnostic::on_unimplemented(
    message = "`blocking` parks the thread, which takes the feature `std` of async-monitor",
    label = "without `std`, only an `async fn` can wait for this lock",
    note = "write an `async fn` without `blocking`, or add the feature `std`"
)]
pub trait MayPark {}

/// The wait to enter a section can be bounded.
#[diagnostic::on_unimplemented(
    message = "`timeout` cannot bound the wait for a lock of `async_monitor::sync`, which is a plain call",
    label = "this lock is acquired without an `.await`",
    note = "remove `timeout`, or bound the wait for a condition, `when = ..`, or take the async lock"
)]
pub trait IsBounded {}

macro_rules! modes {
    ($($([$($at:tt)*])? $answer:ident$(<$arg:ident>)?: $first:ident $second:ident;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl$(<$($at)*>)? $answer$(<$arg>)? for $first {}

        #[diagnostic::do_not_recommend]
        impl$(<$($at)*>)? $answer$(<$arg>)? for $second {}
    )*};
}

// `Unknown`, too, so that nothing more is reported of it.
modes! {
    [const AT: usize] MaySuspend<AT>: Suspending Unknown;
    [const AT: usize] MayNest<AT>: Suspending Unknown;
    Parks: NonSuspending Unknown;
    MayPark: NonSuspending Unknown;
    IsBounded: Suspending Unknown;
}

#[cfg(feature = "std")]
#[diagnostic::do_not_recommend]
impl MayPark for Suspending {}

/// The mode of a section.
///
/// What the expansion relies on takes it by value, as in `locks`: a method of a
/// trait, which a user may have given the same name, would come before one that borrows.
pub struct ModeOf<M>(PhantomData<fn() -> M>);

impl<M: Mode> ModeOf<M> {
    #[inline]
    pub(super) fn new() -> Self {
        ModeOf(PhantomData)
    }

    /// The mode of a section with one more lock.
    #[inline]
    pub fn __with<T: Entry>(self, _: &EntryType<T>) -> ModeOf<M::With<T::Mode>> {
        ModeOf::new()
    }

    /// Whether the step *finish* of entering acquires a lock.
    #[inline]
    pub fn __acquires_last(self) -> bool {
        M::ACQUIRES_LAST
    }

    /// Stands for an `.await` in the body.
    #[inline]
    pub fn __may_suspend<const AT: usize>(&self)
    where
        M: MaySuspend<AT>,
    {
    }

    /// Stands for a section in the body.
    #[inline]
    pub fn __may_nest<const AT: usize>(&self)
    where
        M: MayNest<AT>,
    {
    }

    /// Stands for a lock of a plain fn.
    #[inline]
    pub fn __parks(&self)
    where
        M: Parks,
    {
    }

    /// Stands for a lock of plain code with `blocking`.
    #[inline]
    pub fn __may_park(&self)
    where
        M: MayPark,
    {
    }

    /// Stands for a `timeout`.
    #[inline]
    pub fn __is_bounded(&self)
    where
        M: IsBounded,
    {
    }
}

/// How to wait for a condition.
macro_rules! waits {
    ($mode:ident, $method:ident => $function:ident: $enter:ident -> $when:ty) => {
        impl ModeOf<$mode> {
            /// Waits for the lock and a condition.
            #[inline]
            pub fn $method<'a, E, T, const KEY: u128, F>(
                self,
                entered: &'a E,
                entry: &EntryType<T>,
                by_reference: ByReference,
                condition: F,
            ) -> $when
            where
                E: $enter<KEY> + ?Sized,
                F: FnMut(&EntryType<T>, ConditionGuard<'_, E, E::Guard<'a>, KEY>) -> bool,
            {
                $function(entered, entry, by_reference, condition)
            }
        }
    };
}

type AsyncWhen<'a, E, G, T, F, const KEY: u128> =
    When<'a, G, GuardMaker<'a, E, G>, OfSection<E, T, F, KEY>>;

waits!(Suspending, __enter_when => enter_when: EnterWhen
    -> AsyncWhen<'a, E, E::Guard<'a>, T, F, KEY>);
waits!(Suspending, __enter_shared_when => enter_shared_when: EnterSharedWhen
    -> AsyncWhen<'a, E, E::Guard<'a>, T, F, KEY>);
waits!(Unknown, __enter_when => enter_when: EnterWhen
    -> AsyncWhen<'a, E, E::Guard<'a>, T, F, KEY>);
waits!(Unknown, __enter_shared_when => enter_shared_when: EnterSharedWhen
    -> AsyncWhen<'a, E, E::Guard<'a>, T, F, KEY>);
waits!(NonSuspending, __enter_when => enter_sync_when: EnterSyncWhen
    -> SyncWhen<'a, E, E::Guard<'a>, OfSection<E, T, F, KEY>>);
waits!(NonSuspending, __enter_shared_when => enter_sync_shared_when: EnterSyncSharedWhen
    -> SyncWhen<'a, E, E::Guard<'a>, OfSection<E, T, F, KEY>>);
