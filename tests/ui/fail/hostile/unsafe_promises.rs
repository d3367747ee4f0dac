//! What unsafe code believes is promised by unsafe impls only.

use std::cell::Cell;
use std::convert::Infallible;

use async_monitor::__private::{
    Conditional, ConditionalLock, ConditionalRwLock, ConditionalShared, NoCoercion, LockOf, ConditionalWaiter,
    Reacquirable, RwLockOf, ShortenedView,
};
use async_monitor::{AsyncLock, AsyncRwLock, ExclusiveLock, ExclusiveRwLock, HoldsLock, LockId, Relock};

struct Nothing(Cell<u8>);

impl AsyncLock for Nothing {
    type Guard<'a> = ();
    type Error = Infallible;

    async fn acquire(&self) -> Result<(), Infallible> {
        Ok(())
    }

    fn try_acquire(&self) -> Option<()> {
        Some(())
    }
}

impl AsyncRwLock for Nothing {
    type ReadGuard<'a> = ();

    async fn read(&self) -> Result<(), Infallible> {
        Ok(())
    }

    fn try_read(&self) -> Option<()> {
        Some(())
    }
}

impl ExclusiveLock for Nothing {}
impl ExclusiveRwLock for Nothing {}

impl HoldsLock for Nothing {
    fn lock_id(&self) -> LockId {
        LockId::from_key(0)
    }
}

impl Relock for Nothing {}

impl LockOf<Nothing> for Nothing {
    type Lock = Nothing;

    fn __lock(&self) -> NoCoercion<'_, Nothing> {
        async_monitor::__private::no_coercion(self)
    }
}

impl RwLockOf<u8> for Nothing {
    type Lock = Nothing;

    fn __lock(&self) -> NoCoercion<'_, Nothing> {
        async_monitor::__private::no_coercion(self)
    }
}

impl ConditionalLock for Nothing {
    fn waiter(&self) -> ConditionalWaiter<'_> {
        loop {}
    }

    unsafe fn granted_guard(&self) {}
}

impl ConditionalRwLock for Nothing {
    fn read_waiter(&self) -> ConditionalWaiter<'_> {
        loop {}
    }

    unsafe fn granted_read_guard(&self) {}
}

struct Reference;

impl<'g> Conditional<'g, Nothing> for &'g Reference {}
impl<'g> ConditionalShared<'g, Nothing> for &'g Reference {}
impl<'g> Reacquirable<'g, Nothing> for &'g Reference {}

impl<'s> ShortenedView<'s, Reference> for &'s mut Reference {
    type In<'v>
        = &'static mut Reference
    where
        Reference: 'v;
}

fn main() {}
