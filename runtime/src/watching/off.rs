//! The counterparts of [watching](crate::watch) for builds that do not watch: zero-sized types
//! and empty functions.

#![allow(dead_code)]

mod ask;
mod awaited;

#[cfg(feature = "alloc")]
use alloc::string::String;
use core::fmt;
use core::future::IntoFuture;
use core::marker::PhantomData;
use core::ptr::NonNull;
use core::task::Waker;
#[cfg(feature = "std")]
use core::time::Duration;

pub(crate) use self::ask::{Acquisition, Ask, SyncAsk};
pub use self::awaited::{AwaitWithin, Awaited};
use crate::LockId;
use crate::queue::{Node, Request};
use crate::request::Mode;
#[cfg(feature = "std")]
use crate::watch::{Kind, Metrics, Report};

/// A place in user code.
#[derive(Clone, Copy)]
pub(crate) struct Caller;

impl Caller {
    #[inline]
    pub(crate) fn here() -> Self {
        Caller
    }
}

/// The last known holder of a lock.
pub(crate) struct Holder;

impl Holder {
    #[inline]
    pub(crate) const fn new() -> Self {
        Holder
    }

    #[inline]
    pub(crate) fn set(&self, _caller: Caller, _acquired: impl FnOnce() -> Acquisition) {}

    #[inline]
    pub(crate) fn set_place(&self, _caller: Caller, _acquired: impl FnOnce() -> Acquisition) {}

    #[inline]
    pub(crate) fn set_section(
        &self,
        _site: &'static Site,
        _acquired: impl FnOnce() -> Acquisition,
    ) {
    }

    #[inline]
    pub(crate) fn correct(&self, _caller: Caller, _lock: impl FnOnce() -> LockId) {}

    #[inline]
    pub(crate) fn mark_outdated(&self) {}

    #[inline]
    pub(crate) fn record_change_if(&self, _lock: LockId, _is_waited_for: impl FnOnce() -> bool) {}

    #[inline]
    pub(crate) fn write_to(
        &self,
        _debug: &mut fmt::DebugStruct<'_, '_>,
        _is_held: bool,
        _with_place: bool,
    ) {
    }
}

/// What is held is about to be released.
#[inline]
pub(crate) fn released(_held: impl FnOnce() -> (LockId, Mode)) {}

/// The one holder of the lock is about to hold it to read.
#[inline]
pub(crate) fn downgraded(_lock: impl FnOnce() -> LockId) {}

/// The thread that holds a sync lock.
pub(crate) struct HoldingThread;

impl HoldingThread {
    #[inline]
    pub(crate) const fn new() -> Self {
        HoldingThread
    }

    #[inline]
    pub(crate) fn acquired(&self) {}

    #[inline]
    pub(crate) fn releases(&self) {}
}

/// How many permits a semaphore has in all.
pub(crate) struct Permits;

impl Permits {
    #[inline]
    pub(crate) const fn new(_permits: usize) -> Self {
        Permits
    }

    #[inline]
    pub(crate) fn changed(&self, _semaphore: LockId) {}

    #[inline]
    pub(crate) fn total(&self) -> Option<usize> {
        None
    }
}

/// The watching part of a future that acquires: empty.
pub(crate) struct Watch;

impl Watch {
    #[inline]
    pub(crate) fn new() -> Self {
        Watch
    }

    #[inline]
    pub(crate) fn place(&self) -> Caller {
        Caller
    }

    #[inline]
    pub(crate) fn acquired(&self, _holder: &Holder, _acquired: impl FnOnce() -> Acquisition) {}

    #[inline]
    pub(crate) fn over(&self) {}

    #[inline]
    pub(crate) fn ask<'a>(&self, _ask: impl FnOnce() -> Ask<'a>, _waker: &Waker) {}

    /// # Safety
    ///
    /// None.
    #[inline]
    pub(crate) unsafe fn wait<'a, R: Request>(
        &self,
        _ask: impl FnOnce() -> Ask<'a>,
        _node: NonNull<Node<R>>,
        _waker: &Waker,
    ) {
    }
}

/// Acquires a sync lock.
#[inline]
pub(crate) fn by_thread<'a, G>(
    _ask: impl Fn() -> SyncAsk<'a>,
    _try_acquire: impl FnOnce() -> Option<G>,
    acquire: impl FnOnce() -> G,
) -> G {
    acquire()
}

/// The future that acquires a lock of another crate.
#[inline]
pub(crate) fn foreign<F: Future>(future: F, _ask: impl FnOnce() -> Ask<'static>) -> F {
    future
}

/// A handle to a lock that lives elsewhere, without data.
#[derive(Debug)]
pub struct Elsewhere;

impl Elsewhere {
    /// A handle.
    #[inline]
    #[cfg(feature = "alloc")]
    pub fn new(_known: impl FnOnce() -> (LockId, String)) -> Self {
        Elsewhere
    }

    /// None.
    #[inline]
    pub fn id(&self) -> Option<LockId> {
        None
    }

    /// Nothing.
    #[inline]
    #[cfg(feature = "alloc")]
    pub fn held_by(&self, _holder: impl FnOnce() -> String) {}

    /// The future.
    #[inline]
    pub fn acquiring<F: Future>(&self, future: F, _type_name: fn() -> &'static str) -> F {
        future
    }
}

/// The future.
#[inline]
pub fn unwatched<F: Future>(future: F) -> F {
    future
}

/// Where a section is written.
#[derive(Debug)]
pub struct Site;

impl Site {
    /// The section of the fn `name`.
    #[inline]
    pub const fn new(
        _name: &'static str,
        _file: &'static str,
        _line: u32,
        _column: u32,
        _condition: &'static str,
        _locks: &'static [SiteLock],
    ) -> Self {
        Site
    }
}

/// A lock, as it is written in a section.
#[derive(Debug)]
pub struct SiteLock;

impl SiteLock {
    /// A lock.
    pub const fn new(_written: &'static str, _is_read: bool) -> Self {
        SiteLock
    }
}

/// What is known of a lock by its type.
#[derive(Debug)]
pub struct LockType;

impl LockType {
    /// A lock.
    #[allow(clippy::extra_unused_type_parameters)] // as where it is watched
    pub(crate) const fn of<E: ?Sized>(_name: Option<&'static str>) -> Self {
        LockType
    }
}

/// A lock of a section.
#[derive(Debug)]
pub struct SectionLock;

impl SectionLock {
    /// A lock.
    #[inline]
    pub fn new<E: ?Sized>(
        _kind: &'static LockType,
        _entered: &E,
        _id: impl FnOnce(&E) -> Option<LockId>,
    ) -> Self {
        SectionLock
    }
}

/// A section.
#[derive(Debug)]
pub struct Section<'o, const N: usize>(PhantomData<fn(&'o ()) -> &'o ()>);

/// A section, for the macros in its body.
#[derive(Debug)]
pub struct Lent<'s, 'o, const N: usize>(&'s Section<'o, N>);

/// A section, borrowed by one in its body.
#[derive(Debug)]
pub struct NestedIn<'s>(PhantomData<&'s ()>);

impl<'o, const N: usize> Section<'o, N> {
    /// A section.
    ///
    /// # Safety
    ///
    /// None.
    #[inline]
    pub const unsafe fn new() -> Self {
        Section(PhantomData)
    }

    /// A section tries its lock before it waits, unless that is acquired last.
    #[inline]
    pub fn __enters_listed(&self, acquires_last: bool) -> bool {
        acquires_last
    }

    /// There is nothing to describe.
    #[inline]
    pub const fn __is_described_early(&self) -> bool {
        false
    }

    /// Nothing.
    ///
    /// # Safety
    ///
    /// None.
    #[inline]
    pub unsafe fn __describe(
        &self,
        _site: &'static Site,
        _enclosing: Option<NestedIn<'o>>,
        _locks: [SectionLock; N],
    ) {
    }

    /// There is nothing to describe.
    #[inline]
    pub fn __is_described(&self) -> bool {
        true
    }

    /// The section, for the macros in its body.
    ///
    /// # Safety
    ///
    /// None.
    #[inline]
    pub unsafe fn __lend(&mut self) -> Lent<'_, 'o, N> {
        Lent(self)
    }

    /// Nothing.
    #[inline]
    pub fn __entered(&self, _index: usize) {}

    /// Nothing.
    #[inline]
    pub fn __timed_out(&self) {}

    /// The future.
    #[inline]
    pub fn __entering<F>(&self, _index: usize, _acquires_last: bool, future: F) -> F {
        future
    }

    /// Nothing.
    ///
    /// # Safety
    ///
    /// None.
    #[inline]
    pub unsafe fn __wait(&self, _index: usize, _acquires_last: bool) -> Asking {
        Asking
    }

    /// Nothing.
    ///
    /// # Safety
    ///
    /// None.
    #[inline]
    pub unsafe fn __finish(&self, _index: usize, _acquires_last: bool) -> Asking {
        Asking
    }

    /// Nothing.
    ///
    /// # Safety
    ///
    /// None.
    #[inline]
    pub unsafe fn __finish_inside(&self, _index: usize, _acquires_last: bool) -> Asking {
        Asking
    }

    /// Nothing.
    ///
    /// # Safety
    ///
    /// None.
    #[inline]
    pub unsafe fn __inside(&self, _acquires_last: bool) -> Inside {
        Inside
    }

    /// Nothing.
    ///
    /// # Safety
    ///
    /// None.
    #[inline]
    pub unsafe fn __inside_body(&self, _acquires_last: bool, _parks: bool) -> Inside {
        Inside
    }

    /// Nothing.
    ///
    /// # Safety
    ///
    /// None.
    #[inline]
    pub unsafe fn __in_parts(&self) -> Inside {
        Inside
    }
}

impl<'o, const N: usize> Lent<'_, 'o, N> {
    /// The section, for one in its body.
    #[inline]
    pub fn __enclosing(&mut self) -> NestedIn<'_> {
        NestedIn(PhantomData)
    }

    /// The section.
    ///
    /// # Safety
    ///
    /// None.
    #[inline]
    pub unsafe fn __shared(&self) -> &Section<'o, N> {
        self.0
    }

    /// The section.
    #[inline]
    pub(super) fn get(&mut self) -> &Section<'o, N> {
        self.0
    }
}

/// A thread is about to acquire a lock.
#[derive(Debug)]
pub struct Asking;

impl Asking {
    /// Nothing.
    #[inline]
    pub fn __acquired(self) {}
}

/// A thread is in a section.
#[derive(Debug)]
pub struct Inside;

impl Inside {
    /// Nothing.
    ///
    /// # Safety
    ///
    /// None.
    #[inline]
    pub unsafe fn __resume<T>(&self, _local: &T) {}

    /// Nothing.
    ///
    /// # Safety
    ///
    /// None.
    #[inline]
    pub unsafe fn __pause<T>(&self, _local: &T) {}
}

#[diagnostic::do_not_recommend]
impl<F: IntoFuture, const N: usize> AwaitWithin<F> for &Section<'_, N> {
    type Within = F::IntoFuture;

    #[inline]
    fn __await_within(self, future: F) -> Self::Within {
        future.into_future()
    }
}

#[cfg(feature = "std")]
pub(crate) fn set_threshold(_threshold: Duration) {}

#[cfg(feature = "std")]
pub(crate) fn set_long_hold(_limit: Duration) {}

#[cfg(feature = "std")]
pub(crate) fn set_metrics(_is_on: bool) {}

#[cfg(feature = "std")]
pub(crate) fn metrics() -> std::vec::Vec<Metrics> {
    std::vec::Vec::new()
}

#[cfg(feature = "std")]
pub(crate) fn report() -> Report {
    Report::new(Kind::Snapshot, std::vec::Vec::new(), std::vec::Vec::new())
}
