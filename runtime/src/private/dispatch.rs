//! How a section finds out what lock it has been given.
//!
//! A macro sees `account.ledger` and knows no types. If `account` is, or derefs
//! to, a struct whose derive knows a lock `ledger`, the section binds the view
//! of that lock; otherwise it acquires the field, or whatever it derefs to, as
//! any [`AsyncLock`]. The expansion leaves the decision to method resolution:
//!
//! ```text
//! probe::<_, KEY>(&account)   Probe                   has `__select` if the base has the lock,
//!                             -> Target1              if what it derefs to has it,
//!                             -> Target2 ...          if what that derefs to has it, ...
//!                             -> Otherwise            in any case
//!     .__select(&account.ledger)
//!                             Derived                 the object that has the lock
//!                             Value                   has `__resolve` if the field is a lock,
//!                             -> ValueTarget1 ...     if what it derefs to is a lock, ...
//!                             -> ValueOtherwise       in any case: an error that says so
//!     .__resolve()
//!                             Derived | Plain
//! ```
//!
//! where each type derefs to the next one in its list. (A trait with a blanket
//! fallback would not do: it would be found on `Arc<Account>` before the method
//! on `Account`.) The methods have names that no trait of a user has: a blanket
//! one would come first.

use core::future::Future;
use core::ops::Deref;

use super::errors::ErrorEntry;
use super::fields::address;
use crate::{AsyncLock, AsyncRwLock, LockId};

/// Implemented by the derive: the struct has a lock whose name hashes to `KEY`,
/// and this is what its sections see.
pub trait HasLock<const KEY: u128> {
    /// The generated guard.
    type Guard<'g>
    where
        Self: 'g;

    /// The generated view.
    type Held<'v>
    where
        Self: 'v;

    /// Where the field of the lock is.
    fn lock_address(&self) -> *const ();

    /// Borrows the guard for as long as the view exists.
    fn view<'v>(guard: &'v mut Self::Guard<'_>) -> Self::Held<'v>
    where
        Self: 'v;
}

/// An exclusive section can be entered: any [`AsyncLock`], as an `AnyLock`, and
/// any struct with the lock `KEY`.
///
/// Apart from [`HasLock`], because the read sections of a struct have bounds
/// that must not have a say in what is selected.
pub trait Enter<const KEY: u128> {
    /// What holds the lock.
    type Guard<'g>
    where
        Self: 'g;

    /// Why the acquisition can fail.
    type Error;

    /// Which lock it is.
    fn id(&self) -> LockId;

    /// Waits for the lock.
    fn acquire(&self) -> impl Future<Output = Result<Self::Guard<'_>, Self::Error>>;
}

/// A read section can be entered. See [`Enter`].
///
/// By the time that this is asked for, the lock is known to be a reader-writer
/// lock: what can be missing is `Sync`.
#[diagnostic::on_unimplemented(
    message = "a read section lets several tasks have the data of `{Self}` at a time, but not all of it is `Sync`",
    label = "cannot be read by several tasks",
    note = "acquire the lock for writing, `write(..)`, or use types that are `Sync`"
)]
pub trait EnterShared<const KEY: u128> {
    /// What holds the lock.
    type Guard<'g>
    where
        Self: 'g;

    /// Why the acquisition can fail.
    type Error;

    /// Which lock it is.
    fn id(&self) -> LockId;

    /// Waits for the lock.
    fn acquire(&self) -> impl Future<Output = Result<Self::Guard<'_>, Self::Error>>;
}

/// A lock that belongs to no derive, as a section enters it. It has a type of its
/// own because a struct can have a lock `KEY` and be an [`AsyncLock`] too.
///
/// A reference to a lock is one to an `AnyLock`, and the other way round.
#[repr(transparent)]
pub struct AnyLock<L: ?Sized>(pub(super) L);

impl<L: ?Sized> AnyLock<L> {
    #[inline]
    pub(super) fn new(lock: &L) -> &Self {
        // SAFETY: the struct is transparent over `L`.
        unsafe { &*(&raw const *lock as *const AnyLock<L>) }
    }
}

#[diagnostic::do_not_recommend]
impl<L: AsyncLock + ?Sized, const KEY: u128> Enter<KEY> for AnyLock<L> {
    type Guard<'g>
        = L::Guard<'g>
    where
        Self: 'g;
    type Error = L::Error;

    #[inline]
    fn id(&self) -> LockId {
        self.0.id()
    }

    #[inline]
    fn acquire(&self) -> impl Future<Output = Result<L::Guard<'_>, L::Error>> {
        self.0.acquire()
    }
}

#[diagnostic::do_not_recommend]
impl<L: AsyncRwLock + ?Sized, const KEY: u128> EnterShared<KEY> for AnyLock<L> {
    type Guard<'g>
        = L::ReadGuard<'g>
    where
        Self: 'g;
    type Error = L::Error;

    #[inline]
    fn id(&self) -> LockId {
        self.0.id()
    }

    #[inline]
    fn acquire(&self) -> impl Future<Output = Result<L::ReadGuard<'_>, L::Error>> {
        self.0.read()
    }
}

/// A lock of a derived struct has been selected.
pub struct Derived<'a, O: ?Sized, const KEY: u128>(&'a O);

impl<'a, O: HasLock<KEY> + ?Sized, const KEY: u128> Derived<'a, O, KEY> {
    /// `field` is the field that the section names.
    #[track_caller]
    #[inline]
    fn new<L: ?Sized>(owner: &'a O, field: &L) -> Self {
        // A struct that derefs to another may have a field of the same name,
        // which is then the one that is named.
        assert!(
            owner.lock_address() == address(field),
            "this field hides a lock of the same name in what its struct derefs to: \
             name the struct that is meant"
        );
        Derived(owner)
    }

    /// There is nothing more to find out.
    #[inline]
    pub fn __resolve(self) -> Self {
        self
    }

    /// As [`__resolve`](Self::__resolve), for a read section.
    #[inline]
    pub fn __resolve_shared(self) -> Self {
        self
    }

    /// What a section enters.
    #[inline]
    pub fn __lock(self) -> &'a O {
        self.0
    }
}

/// A lock that belongs to no derive has been selected.
pub struct Plain<'a, L: ?Sized>(&'a L);

impl<'a, L: ?Sized> Plain<'a, L> {
    /// What a section enters.
    #[inline]
    pub fn __lock(self) -> &'a AnyLock<L> {
        AnyLock::new(self.0)
    }
}

/// Looks for the lock `KEY` of `base`.
#[inline]
pub fn probe<B: ?Sized, const KEY: u128>(base: &B) -> Probe<'_, B, KEY> {
    Probe(Target1(Target2(Target3(Target4(Otherwise(base))))))
}

/// Looks for a lock in `value`.
#[inline]
pub fn value<L: ?Sized>(value: &L) -> Value<'_, L> {
    Value(ValueTarget1(ValueTarget2(ValueOtherwise(value))))
}

/// Declares a list of types of which each derefs to the next one.
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
    ([$a:lifetime, $value:ident: ?Sized $($generics:tt)*] $last:ident<$($arg:tt),*>) => {
        #[doc(hidden)]
        pub struct $last<$a, $value: ?Sized $($generics)*>(&$a $value);
    };
}

chain!(['a, B: ?Sized, const KEY: u128] Probe<'a, B, KEY> Target1 Target2 Target3 Target4 Otherwise);
chain!(['a, L: ?Sized] Value<'a, L> ValueTarget1 ValueTarget2 ValueOtherwise);

/// What a `B` derefs to, and what that derefs to.
type To1<B> = <B as Deref>::Target;
type To2<B> = To1<To1<B>>;
type To3<B> = To1<To2<B>>;
type To4<B> = To1<To3<B>>;

impl<'a, B: ?Sized, const KEY: u128> Probe<'a, B, KEY>
where
    B: HasLock<KEY>,
{
    #[doc(hidden)]
    #[track_caller]
    #[inline]
    pub fn __select<L: ?Sized>(&self, field: &L) -> Derived<'a, B, KEY> {
        Derived::new(self.base(), field)
    }
}

impl<'a, B: ?Sized, const KEY: u128> Target1<'a, B, KEY>
where
    B: Deref<Target: HasLock<KEY>>,
{
    #[doc(hidden)]
    #[track_caller]
    #[inline]
    pub fn __select<L: ?Sized>(&self, field: &L) -> Derived<'a, To1<B>, KEY> {
        Derived::new(self.base(), field)
    }
}

impl<'a, B: ?Sized, const KEY: u128> Target2<'a, B, KEY>
where
    B: Deref<Target: Deref<Target: HasLock<KEY>>>,
{
    #[doc(hidden)]
    #[track_caller]
    #[inline]
    pub fn __select<L: ?Sized>(&self, field: &L) -> Derived<'a, To2<B>, KEY> {
        Derived::new(self.base(), field)
    }
}

impl<'a, B: ?Sized, const KEY: u128> Target3<'a, B, KEY>
where
    B: Deref<Target: Deref<Target: Deref<Target: HasLock<KEY>>>>,
{
    #[doc(hidden)]
    #[track_caller]
    #[inline]
    pub fn __select<L: ?Sized>(&self, field: &L) -> Derived<'a, To3<B>, KEY> {
        Derived::new(self.base(), field)
    }
}

impl<'a, B: ?Sized, const KEY: u128> Target4<'a, B, KEY>
where
    B: Deref<Target: Deref<Target: Deref<Target: Deref<Target: HasLock<KEY>>>>>,
{
    #[doc(hidden)]
    #[track_caller]
    #[inline]
    pub fn __select<L: ?Sized>(&self, field: &L) -> Derived<'a, To4<B>, KEY> {
        Derived::new(self.base(), field)
    }
}

impl<'a, B: ?Sized, const KEY: u128> Otherwise<'a, B, KEY> {
    /// Found through the whole chain.
    #[inline]
    fn base(&self) -> &'a B {
        self.0
    }

    #[doc(hidden)]
    #[inline]
    pub fn __select<'p, L: ?Sized>(&self, field: &'p L) -> Value<'p, L> {
        value(field)
    }
}

/// Both ways to resolve, for locks and for reader-writer locks.
macro_rules! resolve {
    ($($resolve:ident: $lock:ident;)*) => {$(
        impl<'a, L: ?Sized + $lock> Value<'a, L> {
            #[doc(hidden)]
            #[inline]
            pub fn $resolve(&self) -> Plain<'a, L> {
                Plain(self.lock())
            }
        }

        impl<'a, L: ?Sized + Deref<Target: $lock>> ValueTarget1<'a, L> {
            #[doc(hidden)]
            #[inline]
            pub fn $resolve(&self) -> Plain<'a, To1<L>> {
                Plain(self.lock())
            }
        }

        impl<'a, L: ?Sized + Deref<Target: Deref<Target: $lock>>> ValueTarget2<'a, L> {
            #[doc(hidden)]
            #[inline]
            pub fn $resolve(&self) -> Plain<'a, To2<L>> {
                Plain(self.lock())
            }
        }
    )*};
}

resolve! {
    __resolve: AsyncLock;
    __resolve_shared: AsyncRwLock;
}

impl<'a, L: ?Sized> ValueOtherwise<'a, L> {
    /// Found through the whole chain.
    #[inline]
    fn lock(&self) -> &'a L {
        self.0
    }

    /// Can only be selected where `L` is not a lock, and then the bound, which is
    /// there for its message, is not met.
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
        L: AsyncRwLock,
    {
        ErrorEntry
    }
}
