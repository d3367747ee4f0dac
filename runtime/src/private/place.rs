//! What a section borrows of `self.storage`, if `self` is partly borrowed already.
//!
//! The type of `self` decides whether the section needs the object, as for a lock that a derive
//! knows, or only the field. The expression `&self` has this type, but would borrow the object.
//! So it is written where it is only type-checked: behind a call that never returns, which the
//! borrow checker does not go beyond.
//!
//! ```text
//! let (__base, __branch) = base();
//! if __branch.__is_executed() {       false
//!     __branch.__reach();             of type `!`
//!     __base.__infer(&self);          infers the type, and borrows nothing
//! }
//! let __found = probe(__base, __branch).__select(&self.storage).__resolve();
//! let (__object, __branch) = needed();
//! if __branch.__is_executed() {       whether the object is needed
//!     __branch.__reach();             of type `!` if it is not, else of type `()`
//!     __object.__set(&self);          only then borrowed
//! }
//! let __entry = entry(__found, __object, __branch);
//! ```
//!
//! When `__reach` is type-checked, its type is not known yet: the call behind it makes it `!`.
//! Otherwise the compiler would report the code behind it as unreachable.

use core::cell::Cell;
use core::marker::PhantomData;

use super::dispatch::{Plain, PlainReading, PlainSync, PlainSyncReading};
use super::errors::ErrorEntry;
use super::fields::address;

/// The type of a base.
pub struct Base<B: ?Sized>(PhantomData<fn(&B)>);

/// A base of some type.
#[inline]
pub fn base<B: ?Sized, K>() -> (Base<B>, Branch<K>) {
    (Base(PhantomData), Branch(PhantomData))
}

impl<B: ?Sized> Base<B> {
    /// Infers its type.
    #[inline]
    pub fn __infer(&self, _: &B) {}
}

/// An object that a section may need, which its base derefs to.
pub struct Needed<'a, B: ?Sized>(Cell<Option<&'a B>>);

/// An object that is not needed so far.
#[inline]
pub fn needed<'a, B: ?Sized, K>() -> (Needed<'a, B>, Branch<K>) {
    (Needed(Cell::new(None)), Branch(PhantomData))
}

impl<'a, B: ?Sized> Needed<'a, B> {
    /// Sets the base.
    #[inline]
    pub fn __set(&self, base: &'a B) {
        self.0.set(Some(base));
    }
}

/// A branch whose code may be type-checked only, never executed.
pub struct Branch<K>(PhantomData<K>);

impl<K: BranchKind> Branch<K> {
    /// Whether the branch is executed.
    #[inline]
    pub fn __is_executed(&self) -> bool {
        K::IS_EXECUTED
    }

    /// Returns only if the branch is executed.
    #[inline]
    pub fn __reach(&self) -> K::Reached {
        K::reach()
    }
}

/// Whether a [`Branch`] is executed.
pub trait BranchKind {
    /// The return type of `__reach`.
    type Reached;

    #[doc(hidden)]
    const IS_EXECUTED: bool;

    #[doc(hidden)]
    fn reach() -> Self::Reached;
}

/// The branch is executed.
pub struct Executed;

/// The branch exists for its types only.
pub struct TypeCheckedOnly;

impl BranchKind for Executed {
    type Reached = ();
    const IS_EXECUTED: bool = true;

    #[inline]
    fn reach() {}
}

impl BranchKind for TypeCheckedOnly {
    type Reached = <fn() -> ! as Returns>::Output;
    const IS_EXECUTED: bool = false;

    #[inline]
    fn reach() -> Self::Reached {
        unreachable!("the branch is type-checked only")
    }
}

/// A way to name `!` on stable Rust.
pub trait Returns {
    /// The return type.
    type Output;
}

impl<T> Returns for fn() -> T {
    type Output = T;
}

/// A selected lock, without its object yet.
pub trait Found<'a, B: ?Sized> {
    /// Whether the branch that sets the object is executed.
    type NeedsObject: BranchKind;

    /// The entry.
    type Entry;

    #[doc(hidden)]
    #[track_caller]
    fn entry(self, base: Option<&'a B>) -> Self::Entry;
}

/// The entry of the selected lock, with the object if it is needed.
#[track_caller]
#[inline]
pub fn entry<'a, B: ?Sized, F: Found<'a, B>>(
    found: F,
    object: Needed<'a, B>,
    _: Branch<F::NeedsObject>,
) -> F::Entry {
    found.entry(object.0.into_inner())
}

/// A lock of a derived struct has been selected, through a base. A section enters it as an
/// `E`.
pub struct OfObject<'a, B: ?Sized, O: ?Sized, E> {
    lead: fn(&'a B) -> &'a O,
    lock: *const (),
    entry: PhantomData<E>,
}

/// An object with a lock, as a section enters it.
pub trait FromObject<'a, O: ?Sized> {
    #[doc(hidden)]
    fn from_object(object: &'a O) -> Self;

    #[doc(hidden)]
    fn lock_address(object: &'a O) -> *const ();
}

impl<'a, B: ?Sized, O: ?Sized, E> OfObject<'a, B, O, E> {
    /// `field` is the field that the section names.
    #[inline]
    pub(super) fn new<L: ?Sized>(lead: fn(&'a B) -> &'a O, field: &L) -> Self {
        OfObject {
            lead,
            lock: address(field),
            entry: PhantomData,
        }
    }

    /// Already resolved.
    #[inline]
    pub fn __resolve(self) -> Self {
        self
    }

    /// As [`__resolve`](Self::__resolve), for a read section.
    #[inline]
    pub fn __resolve_shared(self) -> Self {
        self
    }
}

impl<'a, B, O, E> Found<'a, B> for OfObject<'a, B, O, E>
where
    B: ?Sized,
    O: ?Sized,
    E: FromObject<'a, O>,
{
    type NeedsObject = Executed;
    type Entry = E;

    #[track_caller]
    #[inline]
    fn entry(self, base: Option<&'a B>) -> E {
        let Some(base) = base else {
            unreachable!("the branch was executed");
        };
        let object = (self.lead)(base);
        // A struct that derefs to another may have a field of the same name, and
        // the section then names that field.
        assert!(
            E::lock_address(object) == self.lock,
            "this field hides a lock of the same name in what its struct derefs to: \
             name the struct that is meant"
        );
        E::from_object(object)
    }
}

/// Entries that need the field alone.
macro_rules! of_the_field {
    ($($entry:ident <$($a:lifetime, $l:ident)?>;)*) => {$(
        impl<'b, $($a, $l: ?Sized,)? B: ?Sized> Found<'b, B> for $entry<$($a, $l)?> {
            type NeedsObject = TypeCheckedOnly;
            type Entry = Self;

            #[inline]
            fn entry(self, _: Option<&'b B>) -> Self {
                self
            }
        }
    )*};
}

of_the_field! {
    Plain<'a, L>;
    PlainReading<'a, L>;
    PlainSync<'a, L>;
    PlainSyncReading<'a, L>;
    ErrorEntry<>;
}
