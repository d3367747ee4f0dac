//! The number of a grant, and what asks for one.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// The default kind of a lock: it protects no particular kind of resource.
///
/// With a type of your own instead, the fence of one kind of lock cannot be used for a resource
/// that another kind protects: see [`Fenced`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Anything;

/// The number of the grant by which a section holds its lock. A later grant of the same lock has a
/// greater number.
///
/// A resource can check it to refuse a process that the lock alone cannot keep out: one that was
/// stopped in the middle of a section, and resumes when another process holds the lock.
///
/// It cannot be copied, and a reference to it exists only inside of the section.
///
/// ```compile_fail
/// # use async_monitor_distributed::Fence;
/// fn keep<C>(fence: &Fence<'_, C>) -> Fence<'static, C> {
///     fence.clone()
/// }
/// ```
pub struct Fence<'s, C = Anything> {
    pub(crate) key: Arc<str>,
    pub(crate) number: u64,
    /// Who has it: two grants never share one, also where the store has forgotten the first.
    pub(crate) holder: String,
    pub(crate) lease: std::time::Duration,
    pub(crate) of_section: PhantomData<OfSection<'s, C>>,
}

/// A lifetime and a kind, of which there is no value.
type OfSection<'s, C> = (&'s (), fn() -> C);

impl<C> Fence<'_, C> {
    /// The number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The key of the lock.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The holder, which tells this grant from another one with the same number. Such grants can
    /// exist if a database has failed over to a replica that had not received the first one. In
    /// etcd, it is the key whose create revision is the number while the lock is held.
    pub fn holder(&self) -> &str {
        &self.holder
    }
}

impl<C> fmt::Debug for Fence<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fence")
            .field("key", &self.key)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// A resource that can be written only with the fence of a lock of the kind `C`.
///
/// ```
/// use async_monitor_distributed::{Fence, Fenced};
///
/// struct Invoices; // the kind of resource
///
/// struct Archive(/* .. */);
///
/// async fn store(archive: &Fenced<Archive, Invoices>, fence: &Fence<'_, Invoices>) {
///     let archive = archive.with(fence);
///     // .. each write to archive.resource() sends archive.fence().number()
/// }
/// ```
///
/// With the feature `postgres`, [`FencedRef`] has the methods of a database, and with the feature
/// `etcd` those of a client of etcd.
pub struct Fenced<T, C = Anything> {
    resource: T,
    kind: PhantomData<fn() -> C>,
}

impl<T, C> Fenced<T, C> {
    /// Wraps the resource: from here on, writes need a fence.
    pub const fn new(resource: T) -> Self {
        Fenced {
            resource,
            kind: PhantomData,
        }
    }

    /// The resource, in a section.
    pub fn with<'r>(&'r self, fence: &'r Fence<'_, C>) -> FencedRef<'r, T, C> {
        FencedRef {
            resource: &self.resource,
            key: &fence.key,
            number: fence.number,
            holder: &fence.holder,
            kind: PhantomData,
        }
    }

    /// The resource, by a unique reference, in a section.
    pub fn with_mut<'r>(&'r mut self, fence: &'r Fence<'_, C>) -> FencedMut<'r, T, C> {
        FencedMut {
            key: &fence.key,
            number: fence.number,
            holder: &fence.holder,
            lease: fence.lease,
            resource: &mut self.resource,
            kind: PhantomData,
        }
    }

    /// The resource without a fence: for reading, or for writes that need no lock.
    pub fn unfenced(&self) -> &T {
        &self.resource
    }

    /// The resource.
    pub fn into_inner(self) -> T {
        self.resource
    }
}

impl<T: fmt::Debug, C> fmt::Debug for Fenced<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fenced").field(&self.resource).finish()
    }
}

/// A resource, with the fence for writing to it.
pub struct FencedRef<'r, T, C = Anything> {
    pub(crate) resource: &'r T,
    pub(crate) key: &'r str,
    pub(crate) number: u64,
    pub(crate) holder: &'r str,
    kind: PhantomData<fn() -> C>,
}

/// A resource by a unique reference, with the fence for writing to it.
pub struct FencedMut<'r, T, C = Anything> {
    pub(crate) resource: &'r mut T,
    pub(crate) key: &'r str,
    pub(crate) number: u64,
    pub(crate) holder: &'r str,
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    pub(crate) lease: std::time::Duration,
    kind: PhantomData<fn() -> C>,
}

macro_rules! fenced {
    ($($name:ident: |$this:ident| $resource:expr;)*) => {$(
        impl<T, C> $name<'_, T, C> {
            /// The resource.
            pub fn resource(&self) -> &T {
                let $this = self;
                $resource
            }

            /// The number of the grant.
            pub fn number(&self) -> u64 {
                self.number
            }

            /// The key of the lock.
            pub fn key(&self) -> &str {
                self.key
            }

            /// See [`Fence::holder`].
            pub fn holder(&self) -> &str {
                self.holder
            }
        }

        impl<T, C> fmt::Debug for $name<'_, T, C> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("key", &self.key)
                    .field("number", &self.number)
                    .finish_non_exhaustive()
            }
        }
    )*};
}

fenced! {
    FencedRef: |this| this.resource;
    FencedMut: |this| &*this.resource;
}
