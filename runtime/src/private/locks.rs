//! The requirements of a derive on the types of its locks, and how it accesses them.
//!
//! A lock's type is named in one place of an expansion, the impl of [`LockOf`]
//! or [`RwLockOf`]. All other code names [`ObjectLock<Account, Marker>`](ObjectLock), which is a
//! lock whatever the field is, so that a field of a wrong type is reported once.
//!
//! # Invariants
//!
//! - **OL1** An `ObjectLock<O, M>` has the layout and the contents of an `O`: references to the
//!   one and to the other can be converted.
//! - **OL2** As a lock, it is the field of the object that `M` stands for.
//! - **OL3** An object has one derive only, so that each of its fields is behind one lock.
//!   (An attribute below a derive may delete the struct, and an alias of its name may aim
//!   the derive at another struct.) Two derives for one type, or for a type and its subtype,
//!   define two inherent constants of one name, which the compiler refuses. The other way from a
//!   reference to one type to a reference to another is unsizing. So the struct is `Sized`,
//!   as an impl of [`HasSize`](super::HasSize) shows. That impl adds no predicate to those of
//!   the struct except `Sized` for its parameters. The exception is a parameter whose only
//!   bound is `?Sized`: there, the constant is defined for unsized types, too. If such a
//!   parameter has other bounds, or the last field is an associated type of a parameter, all
//!   impls require `Sized`.

use core::any::TypeId;
use core::convert::Infallible;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

use super::core::Core;
use super::fallible::{CannotFail, infallible};
use crate::queue::Object;
use crate::watching::Site;
use crate::when::{ConditionalLock, ConditionalRwLock, ConditionalWaiter};
use crate::{AsyncLock, AsyncRwLock, ExclusiveLock, ExclusiveRwLock, LockId, NamedAcquire};

/// Implemented by the derive: the object has a lock that may stand in front of
/// guarded fields. `M` is a type that stands for the field.
///
/// # Safety
///
/// `__lock` returns that field and nothing else. `__kind` is the kind of no other type and of no
/// other lock, and the type has no lifetimes.
pub unsafe trait LockOf<M> {
    /// The type of the field.
    type Lock: ExclusiveLock<Error: CannotFail> + ?Sized;

    /// The field.
    fn __lock(&self) -> NoCoercion<'_, Self::Lock>;

    /// Stands for the object's type and the lock, if the type has no parameters: a
    /// condition of one object may be evaluated for another of this kind.
    #[inline]
    fn __kind() -> Option<Kind> {
        None
    }
}

/// As [`LockOf`], for a lock of fields that several tasks may read at a time.
///
/// # Safety
///
/// As for [`LockOf`].
pub unsafe trait RwLockOf<M> {
    /// The type of the field.
    type Lock: ExclusiveRwLock<Error: CannotFail> + ?Sized;

    /// The field.
    fn __lock(&self) -> NoCoercion<'_, Self::Lock>;

    /// As [`LockOf::__kind`].
    #[inline]
    fn __kind() -> Option<Kind> {
        None
    }
}

// SAFETY: passed on.
#[diagnostic::do_not_recommend]
unsafe impl<O: RwLockOf<M> + ?Sized, M> LockOf<M> for O {
    type Lock = O::Lock;

    #[inline]
    fn __lock(&self) -> NoCoercion<'_, O::Lock> {
        RwLockOf::__lock(self)
    }

    #[inline]
    fn __kind() -> Option<Kind> {
        <O as RwLockOf<M>>::__kind()
    }
}

/// A reference that is not coerced. A plain reference to a field of another type could be
/// coerced to its `Deref` target, which user code decides.
pub struct NoCoercion<'a, L: ?Sized>(&'a L);

impl<'a, L: ?Sized> NoCoercion<'a, L> {
    #[inline]
    pub(super) fn get(self) -> &'a L {
        self.0
    }
}

/// The field.
#[inline]
pub fn no_coercion<L: ?Sized>(field: &L) -> NoCoercion<'_, L> {
    NoCoercion(field)
}

/// The lock `M` of an `O` (OL1, OL2).
#[repr(transparent)]
pub struct ObjectLock<O: ?Sized, M>(PhantomData<fn() -> M>, O);

/// The lock `M` of the object.
#[inline]
pub fn object_lock<O: ?Sized, M>(owner: &O) -> &ObjectLock<O, M> {
    // SAFETY: the struct is transparent over `O` (OL1).
    unsafe { &*(&raw const *owner as *const ObjectLock<O, M>) }
}

/// Stands for the type of an object, which has no lifetimes, and for one of its locks.
#[derive(Clone, Copy)]
pub struct Kind(TypeId);

impl Kind {
    /// The kind of an `O` and its lock `M`.
    #[inline]
    pub fn of<O: ?Sized + 'static, M: 'static>() -> Option<Kind> {
        Some(Kind(TypeId::of::<ObjectLock<O, M>>()))
    }

    /// The object at `address`, of this kind.
    #[inline]
    pub(super) fn object(self, address: *const ()) -> Object {
        Object::new(address, self.0)
    }
}

/// The object of a lock, if conditions may be evaluated for it.
#[inline]
pub fn object<O: LockOf<M> + ?Sized, M>(lock: &ObjectLock<O, M>) -> Option<Object> {
    O::__kind().map(|kind| Object::new((&raw const lock.1).cast(), kind.0))
}

/// The two guards of the lock of an object.
///
/// They are named by the object, so that only this module needs the type of the guard
/// inside. The compiler needs it nowhere else: not for `Sized`, as it is not the last field,
/// and not for the drop check, as it is in a `ManuallyDrop`.
macro_rules! guard_of {
    ($($name:ident: $lock_of:ident, $guard:ty, $owner:ty;)*) => {$(
        #[doc(hidden)]
        #[allow(explicit_outlives_requirements)] // where the owner does not say it
        pub struct $name<'a, O: $lock_of<M> + ?Sized + 'a, M: 'a> {
            guard: ManuallyDrop<$guard>,
            /// The object, of a guard that is in a core.
            _owner: $owner,
        }

        impl<'a, O: $lock_of<M> + ?Sized, M> $name<'a, O, M> {
            #[inline]
            pub(super) fn new(guard: $guard) -> Self {
                $name { guard: ManuallyDrop::new(guard), _owner: Default::default() }
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

guard_of! {
    GuardOf: LockOf, <<O as LockOf<M>>::Lock as AsyncLock>::Guard<'a>, Option<&'a O>;
    ReadGuardOf: RwLockOf, <<O as RwLockOf<M>>::Lock as AsyncRwLock>::ReadGuard<'a>, ();
}

impl<'a, O: LockOf<M> + ?Sized, M> GuardOf<'a, O, M> {
    /// The object whose lock this is.
    #[inline]
    pub(super) fn owned_by(mut self, owner: &'a O) -> Self {
        self._owner = Some(owner);
        self
    }

    /// The object, of a guard that is [owned by](Self::owned_by) one.
    #[inline]
    pub(super) fn owner(&self) -> Option<&'a O> {
        self._owner
    }
}

impl<'a, O: LockOf<M> + ?Sized, M> Drop for GuardOf<'a, O, M> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: it is taken out only here.
        let guard = unsafe { ManuallyDrop::take(&mut self.guard) };
        match O::__kind() {
            Some(kind) => {
                let owner = self._owner;
                // SAFETY: it is the guard of the owner's lock of this kind (K1). If there is no
                // owner yet, the address is null, which no object has.
                unsafe {
                    <O::Lock as AsyncLock>::__release_object(guard, || {
                        // Null, if there is no owner yet.
                        let address =
                            owner.map_or(ptr::null(), |owner| (&raw const *owner).cast::<()>());
                        Object::new(address, kind.0)
                    });
                }
            }
            None => drop(guard),
        }
    }
}

impl<'a, O: RwLockOf<M> + ?Sized, M> Drop for ReadGuardOf<'a, O, M> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: it is dropped only here.
        unsafe { ManuallyDrop::drop(&mut self.guard) }
    }
}

impl<O: LockOf<M> + ?Sized, M> ObjectLock<O, M> {
    #[inline]
    fn field(&self) -> &O::Lock {
        LockOf::__lock(&self.1).0
    }
}

impl<O: RwLockOf<M> + ?Sized, M> ObjectLock<O, M> {
    #[inline]
    fn rw_field(&self) -> &<O as RwLockOf<M>>::Lock {
        RwLockOf::__lock(&self.1).0
    }
}

impl<O: LockOf<M> + ?Sized, M> AsyncLock for ObjectLock<O, M> {
    type Guard<'a>
        = GuardOf<'a, O, M>
    where
        Self: 'a;
    type Error = Infallible;

    async fn acquire(&self) -> Result<GuardOf<'_, O, M>, Infallible> {
        Ok(GuardOf::new(infallible(self.field().acquire().await)))
    }

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn try_acquire(&self) -> Option<GuardOf<'_, O, M>> {
        self.field().try_acquire().map(GuardOf::new)
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
    fn __acquire_at_once(&self, site: &'static Site) -> Option<GuardOf<'_, O, M>> {
        self.field().__acquire_at_once(site).map(GuardOf::new)
    }

    #[inline]
    fn __release_unchanged<'a>(guard: GuardOf<'a, O, M>)
    where
        Self: 'a,
    {
        let mut guard = ManuallyDrop::new(guard);
        // SAFETY: it is taken out once, as the outer guard is not dropped.
        let guard = unsafe { ManuallyDrop::take(&mut guard.guard) };
        <O::Lock as AsyncLock>::__release_unchanged(guard);
    }
}

impl<'g, O: LockOf<M> + ?Sized, M, const KEY: u128> Core<'g, O, GuardOf<'g, O, M>, KEY> {
    /// Releases the lock after a section that has only read.
    #[inline]
    pub fn release_unchanged(core: Self) {
        <ObjectLock<O, M> as AsyncLock>::__release_unchanged(core.into_guard());
    }
}

impl<O: RwLockOf<M> + ?Sized, M> AsyncRwLock for ObjectLock<O, M> {
    type ReadGuard<'a>
        = ReadGuardOf<'a, O, M>
    where
        Self: 'a;

    async fn read(&self) -> Result<ReadGuardOf<'_, O, M>, Infallible> {
        Ok(ReadGuardOf::new(infallible(self.rw_field().read().await)))
    }

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn try_read(&self) -> Option<ReadGuardOf<'_, O, M>> {
        self.rw_field().try_read().map(ReadGuardOf::new)
    }

    #[inline]
    fn __read_at_once(&self, site: &'static Site) -> Option<ReadGuardOf<'_, O, M>> {
        self.rw_field().__read_at_once(site).map(ReadGuardOf::new)
    }
}

// SAFETY: it is one lock (OL2), whose type has this promise.
unsafe impl<O: LockOf<M> + ?Sized, M> ExclusiveLock for ObjectLock<O, M> {}

// SAFETY: as above.
unsafe impl<O: RwLockOf<M> + ?Sized, M> ExclusiveRwLock for ObjectLock<O, M> {}

impl<O: LockOf<M, Lock: NamedAcquire> + ?Sized, M> NamedAcquire for ObjectLock<O, M> {
    type Acquire<'a>
        = AcquireOf<'a, O, M>
    where
        Self: 'a;

    #[inline]
    fn acquire_named(&self) -> AcquireOf<'_, O, M> {
        AcquireOf(self.field().acquire_named(), ())
    }
}

// SAFETY: waiter and guard are those of the field.
unsafe impl<O: LockOf<M, Lock: ConditionalLock> + ?Sized, M> ConditionalLock for ObjectLock<O, M> {
    #[inline]
    fn waiter(&self) -> ConditionalWaiter<'_> {
        self.field().waiter()
    }

    #[inline]
    unsafe fn granted_guard(&self) -> GuardOf<'_, O, M> {
        // SAFETY: passed on.
        GuardOf::new(unsafe { self.field().granted_guard() })
    }
}

// SAFETY: waiter and guard are those of the field.
unsafe impl<O: RwLockOf<M, Lock: ConditionalRwLock> + ?Sized, M> ConditionalRwLock
    for ObjectLock<O, M>
{
    #[inline]
    fn read_waiter(&self) -> ConditionalWaiter<'_> {
        self.rw_field().read_waiter()
    }

    #[inline]
    unsafe fn granted_read_guard(&self) -> ReadGuardOf<'_, O, M> {
        // SAFETY: passed on.
        ReadGuardOf::new(unsafe { self.rw_field().granted_read_guard() })
    }
}

/// The future by which a [`Condition`](crate::Condition) reacquires the lock.
pub struct AcquireOf<'a, O: LockOf<M, Lock: NamedAcquire> + ?Sized + 'a, M: 'a>(
    <O::Lock as NamedAcquire>::Acquire<'a>,
    (),
);

impl<'a, O: LockOf<M, Lock: NamedAcquire> + ?Sized, M> Future for AcquireOf<'a, O, M> {
    type Output = GuardOf<'a, O, M>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<GuardOf<'a, O, M>> {
        // SAFETY: the field is accessed only pinned, and the
        // struct has no destructor and is `Unpin` only if the field is.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.0) };
        future.poll(cx).map(GuardOf::new)
    }
}
