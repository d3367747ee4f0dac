//! How a section resolves the lock that it is given.
//!
//! A macro sees `account.ledger` and knows no types. If `account` is, or derefs
//! to, a struct whose derive knows a lock `ledger`, the section binds the view
//! of that lock. Otherwise it acquires the field, or the first `Deref` target of it that is an
//! [`AsyncLock`] or a [`SyncLock`]. The expansion leaves the decision to method resolution,
//! where `Base` stands for the type of `account` ([`place`](super::place) says why):
//!
//! ```text
//! probe::<_, KEY>(base)       Probe                   has `__select` if the base has the lock,
//!                             -> Target1              if its `Deref` target has it,
//!                             -> Target2 ...          if the target of that has it, ...
//!                             -> Otherwise            in any case
//!     .__select(&account.ledger)
//!                             OfObject                the object has the lock
//!                             AnyValue                has `__resolve` if there is no such field,
//!                             -> Value                if the field is an async lock,
//!                             -> SyncValue            if it is a sync lock,
//!                             -> ValueTarget1 ...     if its `Deref` target is a lock, ...
//!                             -> ValueOtherwise       in any case: an error that says so
//!     .__resolve()
//!                             OfObject | Plain | PlainSync
//! entry(.., object, ..)       Derived | Plain | PlainSync
//! ```
//!
//! Each step tries both kinds of locks, so that the nearest lock of either kind is found.
//! [`enter`](super::enter) has the two steps in which a section enters the lock that was found.
//!
//! A read section tries two traits at each step: first that of reader-writer locks, and then
//! that of all locks. It holds a lock found by the second exclusively, and only reads:
//!
//! ```text
//! probe_shared::<_, READ, KEY>(base)
//!     .__select(&account.ledger)
//!                             OfObject                marked `#[lock(rw)]`
//!                             ToRead                  any other of the derive
//!                             AnyValue
//!     .__resolve_shared()
//!                             OfObject | Plain | PlainSync | PlainReading | PlainSyncReading
//! entry(.., object, ..)       Derived | Plain | PlainSync     several tasks at a time
//!                             DerivedReading | PlainReading | PlainSyncReading
//! ```
//!
//! Each type derefs to the next one in its list. (A trait with a blanket
//! fallback would not do: it would be found on `Arc<Account>` before the method
//! on `Account`.) The methods have names that no trait of a user has: a method of a blanket
//! impl would be found first.

use core::marker::PhantomData;
use core::ops::Deref;

use super::enter::{AnyLock, AnySyncLock, HasLock};
use super::errors::{ErrorEntry, ErrorOnly};
use super::place::{Base, Branch, FromObject, OfObject, TypeCheckedOnly};
use super::reading::{Exclusively, ExclusivelyPlain, ExclusivelyPlainSync};
use crate::{AsyncLock, AsyncRwLock, SyncLock, SyncRwLock};

/// A lock of a derived struct has been selected.
pub struct Derived<'a, O: ?Sized, const KEY: u128>(&'a O);

impl<'a, O: ?Sized, const KEY: u128> Derived<'a, O, KEY> {
    /// The lock, or object, that a section enters.
    #[inline]
    pub fn __lock(self) -> &'a O {
        self.0
    }
}

impl<'a, O: HasLock<KEY> + ?Sized, const KEY: u128> FromObject<'a, O> for Derived<'a, O, KEY> {
    #[inline]
    fn from_object(object: &'a O) -> Self {
        Derived(object)
    }

    #[inline]
    fn lock_address(object: &'a O) -> *const () {
        object.lock_address()
    }
}

/// A lock that belongs to no derive has been selected.
pub struct Plain<'a, L: ?Sized>(&'a L);

impl<'a, L: ?Sized> Plain<'a, L> {
    /// The lock, or object, that a section enters.
    #[inline]
    pub fn __lock(self) -> &'a AnyLock<L> {
        AnyLock::new(self.0)
    }
}

/// A sync lock that belongs to no derive has been selected.
pub struct PlainSync<'a, L: ?Sized>(&'a L);

impl<'a, L: ?Sized> PlainSync<'a, L> {
    /// The lock, or object, that a section enters.
    #[inline]
    pub fn __lock(self) -> &'a AnySyncLock<L> {
        AnySyncLock::new(self.0)
    }
}

/// An exclusive lock of a derived struct has been selected by a read section, which has named
/// a field of type `L`.
pub struct ToRead<'a, B: ?Sized, O: ?Sized, L: ?Sized, const READ: u128, const KEY: u128>(
    ToReadAlone<'a, B, O, L, READ, KEY>,
);

/// Fallback for fields that are not reader-writer locks.
pub struct ToReadAlone<'a, B: ?Sized, O: ?Sized, L: ?Sized, const READ: u128, const KEY: u128> {
    lead: fn(&'a B) -> &'a O,
    field: &'a L,
}

impl<'a, B, O, L, const READ: u128, const KEY: u128> ToRead<'a, B, O, L, READ, KEY>
where
    B: ?Sized,
    O: ?Sized,
    L: ?Sized,
{
    #[inline]
    fn new(lead: fn(&'a B) -> &'a O, field: &'a L) -> Self {
        ToRead(ToReadAlone { lead, field })
    }
}

impl<'a, B, O, L, const READ: u128, const KEY: u128> ToRead<'a, B, O, L, READ, KEY>
where
    B: ?Sized,
    O: ?Sized,
    L: AsyncRwLock + ?Sized,
{
    /// The lock is not marked `#[lock(rw)]`: it is read like any other lock, and the type of the
    /// binding says what is missing.
    #[inline]
    pub fn __resolve_shared(&self) -> Plain<'a, L> {
        Plain(self.field)
    }
}

impl<'a, B, O, L, const READ: u128, const KEY: u128> ToReadAlone<'a, B, O, L, READ, KEY>
where
    B: ?Sized,
    O: ?Sized,
    L: ?Sized,
{
    /// The lock is acquired exclusively.
    #[inline]
    pub fn __resolve_shared(&self) -> OfObject<'a, B, O, DerivedReading<'a, O, READ, KEY>> {
        OfObject::new(self.lead, self.field)
    }
}

impl<'a, B, O, L, const READ: u128, const KEY: u128> Deref for ToRead<'a, B, O, L, READ, KEY>
where
    B: ?Sized,
    O: ?Sized,
    L: ?Sized,
{
    type Target = ToReadAlone<'a, B, O, L, READ, KEY>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// A read section of an exclusive lock of a derived struct.
pub struct DerivedReading<'a, O: ?Sized, const READ: u128, const KEY: u128>(&'a O);

impl<'a, O: ?Sized, const READ: u128, const KEY: u128> DerivedReading<'a, O, READ, KEY> {
    /// The lock, or object, that a section enters.
    #[inline]
    pub fn __lock(self) -> &'a O {
        self.0
    }
}

impl<'a, O, const READ: u128, const KEY: u128> FromObject<'a, O>
    for DerivedReading<'a, O, READ, KEY>
where
    O: HasLock<KEY> + ?Sized,
{
    #[inline]
    fn from_object(object: &'a O) -> Self {
        DerivedReading(object)
    }

    #[inline]
    fn lock_address(object: &'a O) -> *const () {
        object.lock_address()
    }
}

/// A read section of a lock that belongs to no derive and is not a reader-writer lock.
pub struct PlainReading<'a, L: ?Sized>(&'a L);

impl<'a, L: ?Sized> PlainReading<'a, L> {
    /// The lock, or object, that a section enters.
    #[inline]
    pub fn __lock(self) -> &'a ExclusivelyPlain<L> {
        Exclusively::new(AnyLock::new(self.0))
    }
}

/// A read section of a sync lock that belongs to no derive and is not a reader-writer lock.
pub struct PlainSyncReading<'a, L: ?Sized>(&'a L);

impl<'a, L: ?Sized> PlainSyncReading<'a, L> {
    /// The lock, or object, that a section enters.
    #[inline]
    pub fn __lock(self) -> &'a ExclusivelyPlainSync<L> {
        Exclusively::new(AnySyncLock::new(self.0))
    }
}

/// Looks for the lock `KEY` of a base of type `B`.
#[inline]
pub fn probe<B: ?Sized, const KEY: u128>(_: Base<B>, _: Branch<TypeCheckedOnly>) -> Probe<B, KEY> {
    Probe(Target1(Target2(Target3(Target4(Otherwise(PhantomData))))))
}

/// Looks for a lock to read: the reader-writer lock `READ`, or `KEY`, the same name
/// without the mode.
#[inline]
pub fn probe_shared<B: ?Sized, const READ: u128, const KEY: u128>(
    _: Base<B>,
    _: Branch<TypeCheckedOnly>,
) -> ReadProbe<B, READ, KEY> {
    let otherwise = ReadOtherwise(PhantomData);
    let target4 = ReadTarget4(ExclusiveTarget4(otherwise));
    let target3 = ReadTarget3(ExclusiveTarget3(target4));
    let target2 = ReadTarget2(ExclusiveTarget2(target3));
    let target1 = ReadTarget1(ExclusiveTarget1(target2));
    ReadProbe(ExclusiveProbe(target1))
}

/// Looks for a lock in `value`.
#[inline]
pub fn value<L: ?Sized>(value: &L) -> AnyValue<'_, L> {
    let target2 = ValueTarget2(ExclusiveValueTarget2(SyncValueTarget2(
        ExclusiveSyncValueTarget2(ValueOtherwise(value)),
    )));
    let target1 = ValueTarget1(ExclusiveValueTarget1(SyncValueTarget1(
        ExclusiveSyncValueTarget1(target2),
    )));
    let sync = SyncValue(ExclusiveSyncValue(target1));
    AnyValue(Value(ExclusiveValue(sync)))
}

/// Declares a list of types, each of which derefs to the next one.
macro_rules! chain {
    ([$($generics:tt)*] $first:ident<$($arg:tt),*> $next:ident $($rest:ident)*) => {
        #[doc(hidden)]
        pub struct $first<$($generics)*>($next<$($arg),*>);

        impl<$($generics)*> Deref for $first<$($arg),*> {
            type Target = $next<$($arg),*>;

            #[inline]
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        chain!([$($generics)*] $next<$($arg),*> $($rest)*);
    };
    ([$a:lifetime, $value:ident: ?Sized] $last:ident<$($arg:tt),*>) => {
        #[doc(hidden)]
        pub struct $last<$a, $value: ?Sized>(&$a $value);
    };
    ([$base:ident: ?Sized, $($generics:tt)*] $last:ident<$($arg:tt),*>) => {
        #[doc(hidden)]
        pub struct $last<$base: ?Sized, $($generics)*>(PhantomData<fn(&$base)>);
    };
}

chain!([B: ?Sized, const KEY: u128] Probe<B, KEY> Target1 Target2 Target3 Target4 Otherwise);
chain! {
    [B: ?Sized, const READ: u128, const KEY: u128] ReadProbe<B, READ, KEY> ExclusiveProbe
    ReadTarget1 ExclusiveTarget1 ReadTarget2 ExclusiveTarget2 ReadTarget3 ExclusiveTarget3
    ReadTarget4 ExclusiveTarget4 ReadOtherwise
}
chain! {
    ['a, L: ?Sized] AnyValue<'a, L> Value ExclusiveValue SyncValue ExclusiveSyncValue
    ValueTarget1 ExclusiveValueTarget1 SyncValueTarget1 ExclusiveSyncValueTarget1
    ValueTarget2 ExclusiveValueTarget2 SyncValueTarget2 ExclusiveSyncValueTarget2
    ValueOtherwise
}

/// The `Deref` target of `B`, and the target of that.
type To1<B> = <B as Deref>::Target;
type To2<B> = To1<To1<B>>;
type To3<B> = To1<To2<B>>;
type To4<B> = To1<To3<B>>;

/// `__select`, for each type of a chain that can find the lock: with the given bounds on
/// `B`, and the type that has the lock.
macro_rules! select {
    ($(
        $probe:ident<$($key:ident),*> where B: [$($bound:tt)*]
            => $selected:ident<'a, B, $owner:ty, $($arg:ty),*>;
    )*) => {$(
        impl<B: ?Sized, $(const $key: u128),*> $probe<B, $($key),*>
        where
            B: $($bound)*,
        {
            #[doc(hidden)]
            #[inline]
            pub fn __select<'a, L: ?Sized>(
                &self,
                field: &'a L,
            ) -> $selected<'a, B, $owner, $($arg),*> {
                $selected::new(|base: &'a B| -> &'a $owner { base }, field)
            }
        }
    )*};
}

select! {
    Probe<KEY> where B: [HasLock<KEY>] => OfObject<'a, B, B, Derived<'a, B, KEY>>;
    Target1<KEY> where B: [Deref<Target: HasLock<KEY>>]
        => OfObject<'a, B, To1<B>, Derived<'a, To1<B>, KEY>>;
    Target2<KEY> where B: [Deref<Target: Deref<Target: HasLock<KEY>>>]
        => OfObject<'a, B, To2<B>, Derived<'a, To2<B>, KEY>>;
    Target3<KEY> where B: [Deref<Target: Deref<Target: Deref<Target: HasLock<KEY>>>>]
        => OfObject<'a, B, To3<B>, Derived<'a, To3<B>, KEY>>;
    Target4<KEY> where B: [Deref<Target: Deref<Target: Deref<Target: Deref<Target: HasLock<KEY>>>>>]
        => OfObject<'a, B, To4<B>, Derived<'a, To4<B>, KEY>>;

    ReadProbe<READ, KEY> where B: [HasLock<READ>] => OfObject<'a, B, B, Derived<'a, B, READ>>;
    ReadTarget1<READ, KEY> where B: [Deref<Target: HasLock<READ>>]
        => OfObject<'a, B, To1<B>, Derived<'a, To1<B>, READ>>;
    ReadTarget2<READ, KEY> where B: [Deref<Target: Deref<Target: HasLock<READ>>>]
        => OfObject<'a, B, To2<B>, Derived<'a, To2<B>, READ>>;
    ReadTarget3<READ, KEY> where B: [Deref<Target: Deref<Target: Deref<Target: HasLock<READ>>>>]
        => OfObject<'a, B, To3<B>, Derived<'a, To3<B>, READ>>;
    ReadTarget4<READ, KEY>
        where B: [Deref<Target: Deref<Target: Deref<Target: Deref<Target: HasLock<READ>>>>>]
        => OfObject<'a, B, To4<B>, Derived<'a, To4<B>, READ>>;

    ExclusiveProbe<READ, KEY> where B: [HasLock<KEY>] => ToRead<'a, B, B, L, READ, KEY>;
    ExclusiveTarget1<READ, KEY> where B: [Deref<Target: HasLock<KEY>>]
        => ToRead<'a, B, To1<B>, L, READ, KEY>;
    ExclusiveTarget2<READ, KEY> where B: [Deref<Target: Deref<Target: HasLock<KEY>>>]
        => ToRead<'a, B, To2<B>, L, READ, KEY>;
    ExclusiveTarget3<READ, KEY> where B: [Deref<Target: Deref<Target: Deref<Target: HasLock<KEY>>>>]
        => ToRead<'a, B, To3<B>, L, READ, KEY>;
    ExclusiveTarget4<READ, KEY>
        where B: [Deref<Target: Deref<Target: Deref<Target: Deref<Target: HasLock<KEY>>>>>]
        => ToRead<'a, B, To4<B>, L, READ, KEY>;
}

impl<B: ?Sized, const KEY: u128> Otherwise<B, KEY> {
    #[doc(hidden)]
    #[inline]
    pub fn __select<'p, L: ?Sized>(&self, field: &'p L) -> AnyValue<'p, L> {
        value(field)
    }
}

impl<B: ?Sized, const READ: u128, const KEY: u128> ReadOtherwise<B, READ, KEY> {
    #[doc(hidden)]
    #[inline]
    pub fn __select<'p, L: ?Sized>(&self, field: &'p L) -> AnyValue<'p, L> {
        value(field)
    }
}

/// The resolution for exclusive sections, and for read sections: of reader-writer locks, and
/// of any other lock. A section `lock` and a section `read(lock)` find the same, nearest lock.
macro_rules! resolve {
    ($($resolve:ident: $lock:ident => $found:ident, $value:ident $target1:ident $target2:ident;)*) => {$(
        impl<'a, L: ?Sized + $lock> $value<'a, L> {
            #[doc(hidden)]
            #[inline]
            pub fn $resolve(&self) -> $found<'a, L> {
                $found(self.lock())
            }
        }

        impl<'a, L: ?Sized + Deref<Target: $lock>> $target1<'a, L> {
            #[doc(hidden)]
            #[inline]
            pub fn $resolve(&self) -> $found<'a, To1<L>> {
                $found(self.lock())
            }
        }

        impl<'a, L: ?Sized + Deref<Target: Deref<Target: $lock>>> $target2<'a, L> {
            #[doc(hidden)]
            #[inline]
            pub fn $resolve(&self) -> $found<'a, To2<L>> {
                $found(self.lock())
            }
        }
    )*};
}

resolve! {
    __resolve: AsyncLock => Plain, Value ValueTarget1 ValueTarget2;
    __resolve_shared: AsyncRwLock => Plain, Value ValueTarget1 ValueTarget2;
    __resolve_shared: AsyncLock => PlainReading,
        ExclusiveValue ExclusiveValueTarget1 ExclusiveValueTarget2;
    __resolve: SyncLock => PlainSync, SyncValue SyncValueTarget1 SyncValueTarget2;
    __resolve_shared: SyncRwLock => PlainSync, SyncValue SyncValueTarget1 SyncValueTarget2;
    __resolve_shared: SyncLock => PlainSyncReading,
        ExclusiveSyncValue ExclusiveSyncValueTarget1 ExclusiveSyncValueTarget2;
}

/// What has no type, as it is a field or a name that there is not, meets every bound. It is no
/// lock of any kind, so that only that is said of it.
impl<L: ErrorOnly + ?Sized> AnyValue<'_, L> {
    #[doc(hidden)]
    #[inline]
    pub fn __resolve(&self) -> ErrorEntry {
        ErrorEntry
    }

    #[doc(hidden)]
    #[inline]
    pub fn __resolve_shared(&self) -> ErrorEntry {
        ErrorEntry
    }
}

impl<'a, L: ?Sized> ValueOtherwise<'a, L> {
    /// Found through the whole chain.
    #[inline]
    fn lock(&self) -> &'a L {
        self.0
    }

    /// Selected only if `L` is not a lock. Then the bound, which exists for its message, is
    /// not met.
    #[doc(hidden)]
    pub fn __resolve(&self) -> ErrorEntry
    where
        L: AsyncLock,
    {
        ErrorEntry
    }

    /// As [`__resolve`](Self::__resolve), for a read section.
    #[doc(hidden)]
    pub fn __resolve_shared(&self) -> ErrorEntry
    where
        L: AsyncLock,
    {
        ErrorEntry
    }
}
