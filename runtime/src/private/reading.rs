//! A read section of an exclusive lock.
//!
//! It acquires the lock as a section that writes does, binds the guarded data by shared
//! reference, and [releases the lock without a change](Enter::release_unchanged): conditions
//! (`when`) are not evaluated again.
//!
//! For a lock of a struct, the derive implements [`EnterShared`] by these items. It does not use
//! the blanket impl for [`Exclusively`]: the compiler cannot tell whether its future is `Send` if
//! the struct has lifetimes (rust-lang/rust#100013).
//!
//! # Invariants
//!
//! - **RD1** A reference to an [`Exclusively`] can be converted to one to its contents, and
//!   back.
//! - **RD2** The guard inside a [`Reading`] stays there until the `Reading` is dropped, and is
//!   used for shared bindings only.

use core::future::Future;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;

use super::enter::{AnyLock, AnySyncLock, Enter, EnterShared, Watched};
use super::enter_when::{EnterSharedWhen, EnterWhen};
use crate::queue::Object;
use crate::watching::Site;
use crate::when::ConditionalWaiter;
use crate::{AsyncLock, Lease, LockId, SyncLock};

/// The guard of an exclusive section, while nothing is changed.
///
/// `G` is a parameter so that the guard alone decides whether a future with this is `Send`,
/// without a search for the impls of an object.
pub struct Reading<'g, E, G, const KEY: u128>
where
    E: Enter<KEY, Guard<'g> = G> + ?Sized,
{
    guard: ManuallyDrop<G>,
    _entered: PhantomData<fn(&'g E)>,
}

impl<'g, E, G, const KEY: u128> Reading<'g, E, G, KEY>
where
    E: Enter<KEY, Guard<'g> = G> + ?Sized,
{
    #[inline]
    pub fn new(guard: G) -> Self {
        Reading {
            guard: ManuallyDrop::new(guard),
            _entered: PhantomData,
        }
    }

    /// The guard, which is not released.
    #[inline]
    pub(super) fn into_inner(self) -> G {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: the `Reading` is not dropped, so the guard is taken out once (RD2).
        unsafe { ManuallyDrop::take(&mut this.guard) }
    }

    /// The guard, for a shared binding (RD2).
    #[inline]
    pub(super) fn guard(&mut self) -> &mut G {
        &mut self.guard
    }
}

impl<'g, E, G, const KEY: u128> Drop for Reading<'g, E, G, KEY>
where
    E: Enter<KEY, Guard<'g> = G> + ?Sized,
{
    #[inline]
    fn drop(&mut self) {
        // SAFETY: it is taken out only here (RD2).
        E::release_unchanged(unsafe { ManuallyDrop::take(&mut self.guard) });
    }
}

/// The object or lock of an exclusive section, as a read section enters it.
#[repr(transparent)]
pub struct Exclusively<E: ?Sized, const KEY: u128>(E);

/// A lock that belongs to no derive.
pub(super) type ExclusivelyPlain<L> = Exclusively<AnyLock<L>, 0>;

/// A sync lock that belongs to no derive.
pub(super) type ExclusivelyPlainSync<L> = Exclusively<AnySyncLock<L>, 0>;

/// Its guard.
pub(super) type ReadingPlain<'g, L> = Reading<'g, AnyLock<L>, <L as AsyncLock>::Guard<'g>, 0>;

/// The guard of a sync lock.
pub(super) type ReadingSync<'g, L> = Reading<'g, AnySyncLock<L>, <L as SyncLock>::Guard<'g>, 0>;

impl<E: ?Sized, const KEY: u128> Exclusively<E, KEY> {
    #[inline]
    pub(super) fn new(entered: &E) -> &Self {
        // SAFETY: the struct is transparent over `E` (RD1).
        unsafe { &*(&raw const *entered as *const Exclusively<E, KEY>) }
    }

    #[inline]
    pub(super) fn inside(&self) -> &E {
        &self.0
    }
}

impl<E: Watched<KEY> + ?Sized, const READ: u128, const KEY: u128> Watched<READ>
    for Exclusively<E, KEY>
{
    #[inline]
    fn watched_id(&self) -> Option<LockId> {
        self.0.watched_id()
    }
}

#[diagnostic::do_not_recommend]
impl<E: Enter<KEY> + ?Sized, const READ: u128, const KEY: u128> EnterShared<READ>
    for Exclusively<E, KEY>
{
    type Guard<'g>
        = Reading<'g, E, E::Guard<'g>, KEY>
    where
        Self: 'g;
    type Waited<'g>
        = E::Waited<'g>
    where
        Self: 'g;
    type Error = E::Error;

    #[inline]
    fn id(&self) -> LockId {
        self.0.id()
    }

    #[inline]
    fn at_once(&self, site: &'static Site) -> Option<E::Waited<'_>> {
        self.0.at_once(site)
    }

    #[inline]
    fn wait(&self) -> impl Future<Output = Result<E::Waited<'_>, E::Error>> {
        self.0.wait()
    }

    #[inline]
    fn wait_blocking(&self) -> Result<E::Waited<'_>, E::Error> {
        self.0.wait_blocking()
    }

    #[inline]
    fn finish<'g>(waited: E::Waited<'g>) -> Self::Guard<'g>
    where
        Self: 'g,
    {
        Reading::new(E::finish(waited))
    }

    #[inline]
    fn lease<'g>(guard: &Self::Guard<'g>) -> Option<Lease<E::Error>>
    where
        Self: 'g,
    {
        E::lease(&guard.guard)
    }
}

// SAFETY: waiter and guard are those of `E`, whose view does not move the guard. The
// object is that of `E`, which this is as well (RD1).
#[diagnostic::do_not_recommend]
unsafe impl<E: EnterWhen<KEY> + ?Sized, const READ: u128, const KEY: u128> EnterSharedWhen<READ>
    for Exclusively<E, KEY>
{
    #[inline]
    fn object(&self) -> Option<Object> {
        self.0.object()
    }

    #[inline]
    fn waiter(&self) -> ConditionalWaiter<'_> {
        self.0.waiter()
    }

    #[inline]
    unsafe fn granted_guard(&self) -> Self::Guard<'_> {
        // SAFETY: passed on.
        Reading::new(unsafe { self.0.granted_guard() })
    }
}
