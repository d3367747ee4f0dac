//! A place in line at a lock of one thread, in a future that says it is `Send`:
//! whether it is, is told by the type that is entered.

use async_monitor::__private::{Enter, EnterWhen, ConditionalWaiter, value};
use async_monitor::{LockId, local};

struct Everywhere;

std::thread_local! {
    static HERE: &'static local::Lock = Box::leak(Box::new(local::Lock::new()));
}

impl Enter<0> for Everywhere {
    type Guard<'g> = ();
    type Waited<'g> = ();
    type Error = ();

    fn id(&self) -> LockId {
        LockId::of(self)
    }

    async fn wait(&self) -> Result<(), ()> {
        Ok(())
    }

    fn finish<'g>((): ())
    where
        Self: 'g,
    {
    }
}

impl EnterWhen<0> for Everywhere {
    fn waiter(&self) -> ConditionalWaiter<'_> {
        let here = HERE.with(|here| *here);
        EnterWhen::<0>::waiter(value(here).__resolve().__lock())
    }

    unsafe fn granted_guard(&self) {}
}

fn main() {}
