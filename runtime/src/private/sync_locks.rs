//! The requirements of a derive on the types of its sync locks: as `locks`, for locks that
//! are acquired by a plain call.
//!
//! OL1 to OL3 of `locks` hold here, too, and K1 and K2 of `core`: a [`SyncObjectLock`] is an
//! object, and as a lock the field of it that the marker stands for. The difference:
//!
//! - **OL4** A core of a sync lock is never sent to another thread.

use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::ptr;

use super::enter_sync_when::{ConditionalSync, ConditionalSyncShared};
use super::lock_fields::{Mutable, NoMutable};
use super::locks::{Kind, NoCoercion};
use crate::queue::Object;
use crate::sync_waits::thread::stays_on_its_thread;
use crate::sync_waits::turns::Turns;
use crate::sync_waits::when::{ConditionalSyncLock, ConditionalSyncRwLock};
use crate::{ExclusiveSyncLock, ExclusiveSyncRwLock, LockId, SyncLock, SyncRwLock};

/// As [`LockOf`](super::LockOf), for a sync lock.
///
/// # Safety
///
/// As for `LockOf`.
pub unsafe trait SyncLockOf<M> {
    /// The type of the field.
    type Lock: ExclusiveSyncLock + ?Sized;

    /// The field.
    fn __lock(&self) -> NoCoercion<'_, Self::Lock>;

    /// As [`LockOf::__kind`](super::LockOf::__kind).
    #[inline]
    fn __kind() -> Option<Kind> {
        None
    }
}

/// As [`RwLockOf`](super::RwLockOf), for a sync lock.
///
/// # Safety
///
/// As for `LockOf`.
pub unsafe trait SyncRwLockOf<M> {
    /// The type of the field.
    type Lock: ExclusiveSyncRwLock + ?Sized;

    /// The field.
    fn __lock(&self) -> NoCoercion<'_, Self::Lock>;

    /// As [`LockOf::__kind`](super::LockOf::__kind).
    #[inline]
    fn __kind() -> Option<Kind> {
        None
    }
}

// SAFETY: passed on.
#[diagnostic::do_not_recommend]
unsafe impl<O: SyncRwLockOf<M> + ?Sized, M> SyncLockOf<M> for O {
    type Lock = O::Lock;

    #[inline]
    fn __lock(&self) -> NoCoercion<'_, O::Lock> {
        SyncRwLockOf::__lock(self)
    }

    #[inline]
    fn __kind() -> Option<Kind> {
        <O as SyncRwLockOf<M>>::__kind()
    }
}

/// The sync lock `M` of an `O` (OL1, OL2).
#[repr(transparent)]
pub struct SyncObjectLock<O: ?Sized, M>(PhantomData<fn() -> M>, O);

/// The sync lock `M` of the object.
#[inline]
pub fn sync_object_lock<O: ?Sized, M>(owner: &O) -> &SyncObjectLock<O, M> {
    // SAFETY: the struct is transparent over `O` (OL1).
    unsafe { &*(&raw const *owner as *const SyncObjectLock<O, M>) }
}

/// The object of a sync lock, if conditions may be evaluated for it.
#[inline]
pub fn sync_object<O: SyncLockOf<M> + ?Sized, M>(lock: &SyncObjectLock<O, M>) -> Option<Object> {
    O::__kind().map(|kind| kind.object((&raw const lock.1).cast()))
}

impl<O: SyncLockOf<M> + ?Sized, M> SyncObjectLock<O, M> {
    #[inline]
    fn field(&self) -> &O::Lock {
        SyncLockOf::__lock(&self.1).get()
    }
}

impl<O: SyncRwLockOf<M> + ?Sized, M> SyncObjectLock<O, M> {
    #[inline]
    fn rw_field(&self) -> &<O as SyncRwLockOf<M>>::Lock {
        SyncRwLockOf::__lock(&self.1).get()
    }
}

macro_rules! sync_guard_of {
    ($($name:ident: $lock_of:ident, $guard:ty;)*) => {$(
        #[doc(hidden)]
        #[allow(explicit_outlives_requirements)] // where the owner does not say it
        pub struct $name<'a, O: $lock_of<M> + ?Sized + 'a, M: 'a> {
            guard: ManuallyDrop<$guard>,
            /// The object, of a guard that is in a core.
            owner: Option<&'a O>,
        }

        impl<'a, O: $lock_of<M> + ?Sized, M> $name<'a, O, M> {
            #[inline]
            fn new(guard: $guard) -> Self {
                $name { guard: ManuallyDrop::new(guard), owner: None }
            }

            /// Takes the lock's own guard out.
            #[inline]
            fn into_inner(self) -> $guard {
                let mut this = ManuallyDrop::new(self);
                // SAFETY: it is taken out once, as the outer guard is not dropped.
                unsafe { ManuallyDrop::take(&mut this.guard) }
            }
        }

        /// The guard of a lock with data leads to the data.
        impl<'a, O: $lock_of<M> + ?Sized, M> Deref for $name<'a, O, M>
        where
            $guard: Deref,
        {
            type Target = <$guard as Deref>::Target;

            #[inline]
            fn deref(&self) -> &Self::Target {
                &self.guard
            }
        }

        impl<'a, O: $lock_of<M> + ?Sized, M> DerefMut for $name<'a, O, M>
        where
            $guard: DerefMut,
        {
            #[inline]
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.guard
            }
        }
    )*};
}

sync_guard_of! {
    SyncGuardOf: SyncLockOf, <<O as SyncLockOf<M>>::Lock as SyncLock>::Guard<'a>;
    SyncReadGuardOf: SyncRwLockOf, <<O as SyncRwLockOf<M>>::Lock as SyncRwLock>::ReadGuard<'a>;
}

impl<'a, O: SyncLockOf<M> + ?Sized, M> Drop for SyncGuardOf<'a, O, M> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: it is taken out only here.
        let guard = unsafe { ManuallyDrop::take(&mut self.guard) };
        match O::__kind() {
            Some(kind) => {
                let owner = self.owner;
                // SAFETY: it is the guard of the owner's lock of this kind (K1). If there is no
                // owner yet, the address is null, which no object has.
                unsafe {
                    <O::Lock as SyncLock>::__release_object(guard, || {
                        // Null, if there is no owner yet.
                        kind.object(owner.map_or(ptr::null(), |owner| (&raw const *owner).cast()))
                    });
                }
            }
            None => drop(guard),
        }
    }
}

impl<O: SyncRwLockOf<M> + ?Sized, M> Drop for SyncReadGuardOf<'_, O, M> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: it is dropped only here.
        unsafe { ManuallyDrop::drop(&mut self.guard) }
    }
}

impl<O: SyncLockOf<M> + ?Sized, M> SyncLock for SyncObjectLock<O, M> {
    type Guard<'a>
        = SyncGuardOf<'a, O, M>
    where
        Self: 'a;

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn acquire(&self) -> SyncGuardOf<'_, O, M> {
        SyncGuardOf::new(self.field().acquire())
    }

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn try_acquire(&self) -> Option<SyncGuardOf<'_, O, M>> {
        self.field().try_acquire().map(SyncGuardOf::new)
    }

    #[inline]
    fn id(&self) -> LockId {
        self.field().id()
    }

    #[inline]
    fn __watched_id(&self) -> Option<LockId> {
        self.field().__watched_id()
    }

    #[inline]
    fn __release_unchanged<'a>(guard: SyncGuardOf<'a, O, M>)
    where
        Self: 'a,
    {
        <O::Lock as SyncLock>::__release_unchanged(guard.into_inner());
    }
}

impl<O: SyncRwLockOf<M> + ?Sized, M> SyncRwLock for SyncObjectLock<O, M> {
    type ReadGuard<'a>
        = SyncReadGuardOf<'a, O, M>
    where
        Self: 'a;

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn read(&self) -> SyncReadGuardOf<'_, O, M> {
        SyncReadGuardOf::new(self.rw_field().read())
    }

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn try_read(&self) -> Option<SyncReadGuardOf<'_, O, M>> {
        self.rw_field().try_read().map(SyncReadGuardOf::new)
    }
}

// SAFETY: it is one lock (OL2), whose type has this promise.
unsafe impl<O: SyncLockOf<M> + ?Sized, M> ExclusiveSyncLock for SyncObjectLock<O, M> {}

// SAFETY: as above.
unsafe impl<O: SyncRwLockOf<M> + ?Sized, M> ExclusiveSyncRwLock for SyncObjectLock<O, M> {}

// SAFETY: turns and guards are those of the field.
unsafe impl<O: SyncLockOf<M, Lock: ConditionalSyncLock> + ?Sized, M> ConditionalSyncLock
    for SyncObjectLock<O, M>
{
    #[inline]
    fn turns(&self) -> &Turns {
        ConditionalSyncLock::turns(self.field())
    }

    #[inline]
    unsafe fn acquire_with_turn(&self) -> SyncGuardOf<'_, O, M> {
        // SAFETY: passed on.
        SyncGuardOf::new(unsafe { ConditionalSyncLock::acquire_with_turn(self.field()) })
    }

    #[inline]
    fn release_without_turn<'a>(guard: SyncGuardOf<'a, O, M>)
    where
        Self: 'a,
    {
        <O::Lock as ConditionalSyncLock>::release_without_turn(guard.into_inner());
    }

    #[inline]
    unsafe fn guard_to_evaluate(&self) -> SyncGuardOf<'_, O, M> {
        // SAFETY: passed on.
        SyncGuardOf::new(unsafe {
            <O::Lock as ConditionalSyncLock>::guard_to_evaluate(self.field())
        })
    }
}

// SAFETY: as above.
unsafe impl<O: SyncRwLockOf<M, Lock: ConditionalSyncRwLock> + ?Sized, M> ConditionalSyncRwLock
    for SyncObjectLock<O, M>
{
    #[inline]
    unsafe fn read_with_turn(&self) -> SyncReadGuardOf<'_, O, M> {
        // SAFETY: passed on.
        SyncReadGuardOf::new(unsafe { self.rw_field().read_with_turn() })
    }

    #[inline]
    fn release_read_without_turn<'a>(guard: SyncReadGuardOf<'a, O, M>)
    where
        Self: 'a,
    {
        <<O as SyncRwLockOf<M>>::Lock as ConditionalSyncRwLock>::release_read_without_turn(
            guard.into_inner(),
        );
    }

    #[inline]
    unsafe fn read_guard_to_evaluate(&self) -> SyncReadGuardOf<'_, O, M> {
        // SAFETY: passed on.
        SyncReadGuardOf::new(unsafe { self.rw_field().read_guard_to_evaluate() })
    }
}

macro_rules! sync_cores {
    ($($(#[$doc:meta])* $name:ident: $lock_of:ident, $guard_of:ident;)*) => {$(
        $(#[$doc])*
        pub struct $name<'g, O: ?Sized, G, const KEY: u128> {
            guard: G,
            owner: &'g O,
        }

        // OL4.
        stays_on_its_thread!([O: ?Sized, G, const KEY: u128] $name<'_, O, G, KEY>;);

        // SAFETY: a shared core gives access to the owner, which is `Sync`, and to the guarded
        // data; the newtype accounts for whether that is `Sync`.
        unsafe impl<O: ?Sized + Sync, G, const KEY: u128> Sync for $name<'_, O, G, KEY> {}

        impl<'g, O: $lock_of<M> + ?Sized, M, const KEY: u128>
            $name<'g, O, $guard_of<'g, O, M>, KEY>
        {
            /// # Safety
            ///
            /// `guard` belongs to the lock of `owner` that `KEY` stands for.
            #[inline]
            pub unsafe fn new(owner: &'g O, mut guard: $guard_of<'g, O, M>) -> Self {
                guard.owner = Some(owner);
                $name { guard, owner }
            }
        }

        impl<'g, O: ?Sized, G, const KEY: u128> $name<'g, O, G, KEY> {
            /// The object whose lock is held.
            #[inline]
            pub fn owner(&self) -> &'g O {
                self.owner
            }
        }
    )*};
}

sync_cores! {
    /// An object and the exclusive guard of one of its sync locks (K1).
    SyncCore: SyncLockOf, SyncGuardOf;
    /// An object and the shared guard of one of its sync locks (K1).
    SyncReadCore: SyncRwLockOf, SyncReadGuardOf;
}

impl<'g, O: SyncLockOf<M> + ?Sized, M, const KEY: u128>
    SyncCore<'g, O, SyncGuardOf<'g, O, M>, KEY>
{
    /// Releases the lock after a section that has only read.
    #[inline]
    pub fn release_unchanged(core: Self) {
        <SyncObjectLock<O, M> as SyncLock>::__release_unchanged(core.guard);
    }

    /// Releases the lock, and keeps the turn for the caller.
    #[inline]
    pub fn release_without_turn(core: Self)
    where
        &'g SyncObjectLock<O, M>: ConditionalSync<'g, SyncObjectLock<O, M>>,
        M: 'g,
    {
        <&SyncObjectLock<O, M>>::release_without_turn(core.guard);
    }
}

impl<'g, O: SyncRwLockOf<M> + ?Sized, M, const KEY: u128>
    SyncReadCore<'g, O, SyncReadGuardOf<'g, O, M>, KEY>
{
    /// Releases the lock, and keeps the turn for the caller.
    #[inline]
    pub fn release_without_turn(core: Self)
    where
        &'g SyncObjectLock<O, M>: ConditionalSyncShared<'g, SyncObjectLock<O, M>>,
        M: 'g,
    {
        <&SyncObjectLock<O, M>>::release_without_turn(core.guard);
    }
}

/// A field that should be a sync lock. If it is not, that is reported at the impl of
/// [`SyncLockOf`], and a stand-in avoids further errors.
pub struct SyncField<'a, L: ?Sized>(SyncFieldFallback<'a, L>);

#[doc(hidden)]
#[allow(dead_code)] // the reference is its type
pub struct SyncFieldFallback<'a, L: ?Sized>(&'a L);

/// The field.
#[inline]
pub fn sync_field<L: ?Sized>(field: &L) -> SyncField<'_, L> {
    SyncField(SyncFieldFallback(field))
}

impl<'a, L: ?Sized> Deref for SyncField<'a, L> {
    type Target = SyncFieldFallback<'a, L>;

    #[inline]
    fn deref(&self) -> &SyncFieldFallback<'a, L> {
        &self.0
    }
}

impl<'a, L: SyncLock + ?Sized> SyncField<'a, L> {
    #[doc(hidden)]
    #[inline]
    pub fn __resolve(self) -> SyncLockField<'a, L> {
        SyncLockField(PhantomData)
    }
}

impl<'a, L: SyncRwLock + ?Sized> SyncField<'a, L> {
    #[doc(hidden)]
    #[inline]
    pub fn __resolve_shared(self) -> SyncLockField<'a, L> {
        SyncLockField(PhantomData)
    }
}

impl<L: ?Sized> SyncFieldFallback<'_, L> {
    #[doc(hidden)]
    pub fn __resolve(&self) -> NotASyncLock {
        NotASyncLock
    }

    #[doc(hidden)]
    pub fn __resolve_shared(&self) -> NotASyncLock {
        NotASyncLock
    }
}

/// A field that is a sync lock.
pub struct SyncLockField<'a, L: ?Sized>(PhantomData<&'a L>);

impl<L: ?Sized> SyncLockField<'_, L> {
    /// The data inside a lock.
    #[doc(hidden)]
    #[inline]
    pub fn __value<'g, 'b, O: SyncLockOf<M, Lock = L> + ?Sized, M, const KEY: u128>(
        self,
        core: &'b mut SyncCore<'g, O, SyncGuardOf<'g, O, M>, KEY>,
    ) -> &'b mut <L::Guard<'g> as Deref>::Target
    where
        L: SyncLock<Guard<'g>: DerefMut>,
    {
        &mut core.guard
    }

    /// The same, for a reader.
    #[doc(hidden)]
    #[inline]
    pub fn __value_shared<'g, 'b, O: SyncRwLockOf<M, Lock = L> + ?Sized, M, const KEY: u128>(
        self,
        core: &'b SyncReadCore<'g, O, SyncReadGuardOf<'g, O, M>, KEY>,
    ) -> &'b <L::ReadGuard<'g> as Deref>::Target
    where
        L: SyncRwLock<ReadGuard<'g>: Deref>,
    {
        &core.guard
    }

    /// The type of the lock.
    #[doc(hidden)]
    #[inline]
    pub fn __mutable(self) -> Mutable<L> {
        Mutable::new()
    }
}

/// A field that is not a sync lock, in code that never runs.
#[doc(hidden)]
pub struct NotASyncLock;

#[doc(hidden)]
impl NotASyncLock {
    pub fn __value<'b, C, V: ?Sized>(&self, _: &'b mut C) -> &'b mut V {
        unreachable!("the field is not a lock, which is an error")
    }

    pub fn __value_shared<'b, C, V: ?Sized>(&self, _: &'b C) -> &'b V {
        unreachable!("the field is not a lock, which is an error")
    }

    #[inline]
    pub fn __mutable(&self) -> NoMutable {
        NoMutable
    }
}
