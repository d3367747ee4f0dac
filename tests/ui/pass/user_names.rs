//! Users have items, locals, fields, methods and traits with the names of ours.

#![deny(warnings)]
#![allow(non_camel_case_types)]

use async_monitor::{Guarded, Lock, Mutex, RwLock, synchronized, with_lock};

/// Methods of the names that expansions call, on everything.
#[expect(dead_code, reason = "no expansion calls them")]
trait Everything {
    fn get_mut(&self) {}
    fn acquire(&self) {}
    fn try_acquire(&self) {}
    fn read(&self) {}
    fn lock(&self) {}
    fn owner(&self) {}
    fn fields(&self) {}
    fn view(&self) {}
    fn deref(&self) {}
    fn deref_mut(&self) {}
    fn id(&self) {}
    fn map(&self) {}
    fn poll(&self) {}
    fn into_future(&self) {}
    fn drop(&self) {}
    fn release(&self) {}
    fn place(&self) {}
    fn granted(&self) {}
}
impl<T: ?Sized> Everything for T {}

struct Core;
struct Owner;
struct Of;
struct Guard;
struct Held;
struct Infallible;
struct HasLock;
struct Enter;
struct LockOf;
struct field;
struct of;
fn probe() {}
fn granted() {}
fn in_order() {}

#[derive(Guarded)]
struct guard {
    fields: Lock,
    #[guarded_by(fields)]
    __owner_of: Guarded<u8>,
    #[guarded_by(fields)]
    guard: Guarded<u8>,
    #[guarded_by(fields)]
    value: Guarded<u8>,
    #[lock]
    release: Mutex<u8>,
    #[lock(rw)]
    core: RwLock<()>,
    #[guarded_by(core)]
    owner: Guarded<u8>,
}

impl guard {
    #[synchronized(fields, release, read(core))]
    async fn sum(&self, __guard0: u8, __base: u8, __entry0: u8, __view0: u8) -> u8 {
        let __guard = *fields.guard;
        let guard = *fields.value;
        __guard0
            + __base
            + __entry0
            + __view0
            + __guard
            + guard
            + *fields.__owner_of
            + *release.value
            + *core.owner
    }

    #[synchronized(x = fields, when = { let __guard = 1; *x.guard >= __guard })]
    async fn condition(&self) -> u8 {
        *x.guard
    }

    #[synchronized(self.release)]
    async fn another(&self, self_: u8) -> u8 {
        *release.value += self_;
        *release.value
    }

    async fn blocks(&self) -> u8 {
        let __slot0 = 1;
        let __next = 1;
        with_lock!(a = self.fields, b = self.release, {
            *a.guard + *b.value + __slot0 + __next
        })
    }
}

fn main() {
    let _ = (Core, Owner, Of, Guard, Held, Infallible, HasLock, Enter, LockOf, field, of);
    probe();
    granted();
    in_order();
    let mut object = guard {
        fields: Lock::new(),
        __owner_of: Guarded::new(1),
        guard: Guarded::new(1),
        value: Guarded::new(1),
        release: Mutex::new(1),
        core: RwLock::new(()),
        owner: Guarded::new(1),
    };
    *object.release_mut().value = 1;
    futures::executor::block_on(async {
        assert_eq!(object.sum(1, 1, 1, 1).await, 9);
        assert_eq!(object.condition().await, 1);
        assert_eq!(object.another(1).await, 2);
        assert_eq!(object.blocks().await, 5);
    });
    let mut held = futures::executor::block_on(object.acquire_fields());
    assert_eq!(*guardFieldsGuard::fields(&mut held).guard, 1);
    guardFieldsGuard::release(held);
}
