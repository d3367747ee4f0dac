//! The guards, views and futures that are `Send` and `Sync`: as many as is sound,
//! and no more.

use std::cell::Cell;
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::{Arc, MutexGuard as StdGuard};
use std::time::Duration;

use async_monitor::{AsyncLock, Condition, Elapsed, ExclusiveLock, Guarded, Lock, Mutex, RwLock};
use async_monitor::{sync, synchronized, with_lock};

struct Sends<T: ?Sized>(std::marker::PhantomData<T>);
struct Syncs<T: ?Sized>(std::marker::PhantomData<T>);

/// The default for types without a trait.
trait Otherwise {
    const IS: bool = false;
}
impl<T: ?Sized> Otherwise for Sends<T> {}
impl<T: ?Sized> Otherwise for Syncs<T> {}
#[allow(dead_code)]
impl<T: ?Sized + Send> Sends<T> {
    const IS: bool = true;
}
#[allow(dead_code)]
impl<T: ?Sized + Sync> Syncs<T> {
    const IS: bool = true;
}

/// Whether a type is `Send`, and whether it is `Sync`.
macro_rules! auto_traits {
    ($ty:ty) => {
        (<Sends<$ty>>::IS, <Syncs<$ty>>::IS)
    };
}

/// One payload behind each kind of lock.
macro_rules! payload {
    ($module:ident, $ty:ty, $($expected:tt)*) => {
        mod $module {
            use super::*;

            #[derive(Guarded)]
            #[allow(dead_code)]
            pub struct Object {
                fields: Lock,
                #[guarded_by(fields)]
                field: Guarded<$ty>,
            }

            #[derive(Guarded)]
            #[allow(dead_code)]
            pub struct Data {
                #[lock]
                data: Mutex<$ty>,
            }

            #[derive(Guarded)]
            #[allow(dead_code)]
            pub struct Many {
                #[lock(rw)]
                many: RwLock<()>,
                #[guarded_by(many)]
                each: Guarded<$ty>,
            }

            #[derive(Guarded)]
            #[allow(dead_code)]
            pub struct ManyData {
                #[lock(rw)]
                inside: RwLock<$ty>,
            }

            #[test]
            fn generated_types_are_send_and_sync_as_their_data_allows() {
                let actual = [
                    ("object", auto_traits!(Object)),
                    ("guard", auto_traits!(ObjectFieldsGuard<'static>)),
                    ("held", auto_traits!(ObjectFieldsHeld<'static>)),
                    ("mut", auto_traits!(ObjectFieldsMut<'static>)),
                    ("data guard", auto_traits!(DataDataGuard<'static>)),
                    ("data held", auto_traits!(DataDataHeld<'static>)),
                    ("write guard", auto_traits!(ManyManyWriteGuard<'static>)),
                    ("read guard", auto_traits!(ManyManyReadGuard<'static>)),
                    ("read held", auto_traits!(ManyManyReadHeld<'static>)),
                    ("read data guard", auto_traits!(ManyDataInsideReadGuard<'static>)),
                ];
                let expected = [$($expected)*];
                for ((name, actual), expected) in actual.into_iter().zip(expected) {
                    assert_eq!(actual, expected, "(Send, Sync) of {name}");
                }
            }
        }
    };
}

const YES: (bool, bool) = (true, true);
const NO: (bool, bool) = (false, false);
const SEND: (bool, bool) = (true, false);

// Send and Sync: everything is.
payload!(number, u8, YES, YES, YES, YES, YES, YES, YES, YES, YES, YES);
// Send only: one task at a time may access it, on any thread; no two may read it. The
// struct with the data in an `RwLock` is not even `Sync`.
payload!(
    cell,
    Cell<u8>,
    YES,
    SEND,
    SEND,
    SEND,
    SEND,
    SEND,
    SEND,
    NO,
    NO,
    NO
);
// Neither: the data stays on its thread, and so does the struct.
payload!(rc, Rc<u8>, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO);
// Sync only: a lock moves its data from thread to thread, so the struct
// stays on its thread.
payload!(
    sync_only,
    StdGuard<'static, u8>,
    NO,
    NO,
    NO,
    NO,
    NO,
    NO,
    NO,
    NO,
    NO,
    NO
);

#[derive(Guarded)]
struct Unguarded {
    #[allow(dead_code)]
    cell: Cell<u8>,
    lock: Lock,
    #[guarded_by(lock)]
    _number: Guarded<u8>,
}

#[test]
fn an_unguarded_cell_keeps_the_guard_on_its_thread() {
    assert_eq!(auto_traits!(UnguardedLockGuard<'static>), NO);
}

fn send<T: Send>(value: T) -> T {
    value
}

#[derive(Guarded)]
#[allow(dead_code)]
struct Generic<'d, T: Clone, U, L: ExclusiveLock<Error = std::convert::Infallible>, const N: usize>
where
    U: Debug + 'd,
{
    name: &'d U,
    plain: Lock,
    #[guarded_by(plain)]
    items: Guarded<[T; N]>,
    #[lock]
    data: Mutex<T>,
    #[lock]
    shared: Arc<Mutex<T>>,
    #[lock]
    borrowed: &'d Mutex<T>,
    #[lock(rw)]
    many: RwLock<T>,
    loose: Mutex<T>,
    #[lock]
    any: L,
    #[guarded_by(any)]
    field: Guarded<T>,
}

async fn turn() {}

impl<'d, T: Clone + Send + Sync, U: Debug, L, const N: usize> Generic<'d, T, U, L, N>
where
    L: ExclusiveLock<Error = std::convert::Infallible>,
{
    #[synchronized(plain)]
    async fn plain(&self) -> Option<T> {
        turn().await;
        plain.items.first().cloned()
    }

    #[synchronized(data)]
    async fn data(&self) -> T {
        turn().await;
        data.value.clone()
    }

    #[synchronized(shared)]
    async fn shared(&self) -> T {
        turn().await;
        shared.value.clone()
    }

    #[synchronized(borrowed)]
    async fn borrowed(&self) -> T {
        turn().await;
        borrowed.value.clone()
    }

    #[synchronized(read(many))]
    async fn many(&self) -> T {
        turn().await;
        many.value.clone()
    }

    #[synchronized(loose, read(many), plain)]
    async fn several(&self) -> T {
        turn().await;
        plain.items.fill(loose.clone());
        many.value.clone()
    }

    #[synchronized(any)]
    async fn any(&self) -> T {
        turn().await;
        any.field.clone()
    }

    #[synchronized(read(plain))]
    async fn read_plain(&self) -> Option<T> {
        turn().await;
        plain.items.first().cloned()
    }

    #[synchronized(read(data))]
    async fn read_data(&self) -> T {
        turn().await;
        data.value.clone()
    }

    #[synchronized(read(borrowed))]
    async fn read_borrowed(&self) -> T {
        turn().await;
        borrowed.value.clone()
    }

    #[synchronized(read(any), read(loose), read(many), read(shared))]
    async fn read_several(&self) -> [T; 4] {
        turn().await;
        let any = any.field.clone();
        [any, loose.clone(), many.value.clone(), shared.value.clone()]
    }

    #[synchronized(read(plain), when = plain.items.len() > 1)]
    async fn read_when(&self) -> Option<T> {
        turn().await;
        plain.items.first().cloned()
    }

    #[synchronized(read(loose), when = N > 1, timeout = Duration::ZERO)]
    async fn read_loose_when(&self) -> Result<T, Elapsed> {
        turn().await;
        Ok(loose.clone())
    }

    async fn by_hand(&self) -> T {
        let mut guard = self.acquire_plain().await;
        turn().await;
        let held = guard.fields();
        turn().await;
        held.items[0].clone()
    }

    async fn several_by_hand(&self) -> [T; 3] {
        let mut any = self.acquire_any().await;
        let (many, mut shared) = (self.read_many().await, self.acquire_shared().await);
        turn().await;
        let [any, many, shared] = [
            any.fields().field.clone(),
            many.fields().value.clone(),
            shared.fields().value.clone(),
        ];
        turn().await;
        [any, many, shared]
    }
}

#[derive(Guarded)]
struct Waiting<T> {
    lock: Lock,
    #[guarded_by(lock)]
    item: Guarded<Option<T>>,
    #[lock]
    data: Mutex<T>,
    condition: Condition,
}

impl<T: Send + Sync> Waiting<T> {
    async fn take(&self) -> Option<T> {
        let guard = self.acquire_lock().await;
        let mut guard = self
            .condition
            .wait_for(guard, |lock| lock.item.is_some())
            .await;
        guard.fields().item.take()
    }

    async fn data(&self) {
        let guard = self.acquire_data().await;
        let _guard = self.condition.wait(guard).await;
    }
}

#[allow(dead_code)]
fn waiting_is_send<T: Send + Sync>(waiting: &Waiting<T>, borrowed: &Waiting<&u8>) {
    drop(send(waiting.take()));
    drop(send(waiting.data()));
    drop(send(borrowed.take()));
    drop(send(borrowed.data()));
}

/// The futures are `Send` even if the types are parameters, or borrow
/// for less than `'static`.
#[allow(dead_code)]
fn sections_of_generic_types_are_send<'d, T, U>(generic: &'d Generic<'d, T, U, Lock, 3>)
where
    T: Clone + Send + Sync,
    U: Debug + Sync,
{
    drop(send(generic.plain()));
    drop(send(generic.data()));
    drop(send(generic.shared()));
    drop(send(generic.borrowed()));
    drop(send(generic.many()));
    drop(send(generic.several()));
    drop(send(generic.any()));
    drop(send(generic.read_plain()));
    drop(send(generic.read_data()));
    drop(send(generic.read_borrowed()));
    drop(send(generic.read_several()));
    drop(send(generic.read_when()));
    drop(send(generic.read_loose_when()));
    drop(send(generic.by_hand()));
    drop(send(generic.several_by_hand()));
    drop(send(async move {
        with_lock!(generic.borrowed, {
            turn().await;
            borrowed.value.clone()
        })
    }));
    let _ = generic.name;
}

#[allow(dead_code)]
fn sections_of_concrete_types_are_send(generic: &Generic<'_, &u8, &str, &Lock, 2>) {
    drop(send(generic.plain()));
    drop(send(generic.data()));
    drop(send(generic.borrowed()));
    drop(send(generic.several()));
    drop(send(generic.any()));
    drop(send(generic.read_plain()));
    drop(send(generic.read_data()));
    drop(send(generic.read_borrowed()));
    drop(send(generic.read_several()));
    drop(send(generic.read_when()));
    drop(send(generic.read_loose_when()));
    drop(send(generic.by_hand()));
    drop(send(generic.several_by_hand()));
}

#[allow(dead_code)]
fn a_section_over_a_cell_is_send_but_not_shared() {
    #[derive(Guarded)]
    struct Object {
        lock: Lock,
        #[guarded_by(lock)]
        cell: Guarded<Cell<u8>>,
    }

    #[synchronized(object.lock)]
    async fn bump(object: &Object) {
        lock.cell.set(1);
        turn().await;
        lock.cell.set(2);
    }

    fn check(object: &Object) {
        drop(send(bump(object)));
    }
    let _ = check;
}

/// A read section borrows the guarded data by shared reference. Only keeping that over an
/// `.await` requires data that is `Sync`.
#[allow(dead_code)]
fn a_read_section_over_a_cell_is_send_where_it_is_not_used_after_an_await() {
    #[derive(Guarded)]
    struct Object {
        lock: Lock,
        #[guarded_by(lock)]
        cell: Guarded<Cell<u8>>,
        #[lock]
        data: Mutex<Cell<u8>>,
        loose: Mutex<Cell<u8>>,
    }

    #[synchronized(read(object.lock), read(object.data), read(object.loose))]
    async fn sum(object: &Object) -> u8 {
        let sum = lock.cell.get() + data.value.get() + loose.get();
        turn().await;
        sum
    }

    #[synchronized(read(object.lock), when = lock.cell.get() > 1)]
    async fn large(object: &Object) {
        turn().await;
    }

    #[synchronized(read(object.loose), when = loose.get() > 1, timeout = Duration::ZERO)]
    async fn in_time(object: &Object) -> Result<(), Elapsed> {
        turn().await;
        Ok(())
    }

    fn check(object: &Object) {
        drop(send(sum(object)));
        drop(send(large(object)));
        drop(send(in_time(object)));
    }
    let _ = check;
}

#[allow(dead_code)]
async fn any_lock_can_be_read_by_one_task<L: AsyncLock<Error = std::convert::Infallible>>(
    lock: &L,
) {
    with_lock!(l = read(lock), {
        let _: &L::Guard<'_> = l;
    });
}

#[allow(dead_code)]
async fn any_lock_can_be_awaited<L: AsyncLock<Error = std::convert::Infallible>>(lock: &L) {
    with_lock!(l = lock, {
        let _: &L::Guard<'_> = l;
    });
}

#[derive(Guarded)]
struct Labelled<'d, T> {
    label: &'d str,
    lock: Lock,
    #[guarded_by(lock)]
    items: Guarded<Vec<T>>,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<usize>,
}

impl<'d, T: Clone> Labelled<'d, T> {
    #[synchronized(lock, when = !lock.items.is_empty())]
    async fn take(&self) -> (Option<T>, &'d str) {
        (lock.items.pop(), self.label)
    }

    #[synchronized(read(lock), when = !lock.items.is_empty())]
    async fn first(&self) -> (Option<T>, &'d str) {
        (lock.items.first().cloned(), self.label)
    }

    #[synchronized(read(lock), write(cfg), timeout = Duration::ZERO)]
    async fn read_in_time(&self) -> Result<usize, Elapsed> {
        *cfg.limit = lock.items.len();
        turn().await;
        Ok(*cfg.limit)
    }

    #[synchronized(read(cfg), when = *cfg.limit > 0)]
    async fn limit(&self) -> usize {
        *cfg.limit
    }

    #[synchronized(lock, write(cfg), atomic)]
    async fn all_or_nothing(&self) -> Result<(), usize> {
        Err(*cfg.limit + lock.items.len())
    }

    #[synchronized(lock, timeout = Duration::ZERO, when = lock.items.is_empty())]
    async fn in_time(&self) -> Result<(), Elapsed> {
        Ok(())
    }
}

/// Proved once for all `'d` and `T`.
fn generic_sections_are_send<'d, T: Clone + Send + 'd>(labelled: &Labelled<'d, T>) {
    fn is_send(_: impl Send) {}
    is_send(labelled.take());
    is_send(labelled.limit());
    is_send(labelled.all_or_nothing());
    is_send(labelled.in_time());
    is_send(labelled.first());
    is_send(labelled.read_in_time());
    is_send(async {
        with_lock!(l = read(labelled.lock), when = l.items.len() > 1, {
            let items = l.items.len();
            std::future::ready(()).await;
            items
        });
    });
    is_send(async {
        with_lock!(l = labelled.lock, when = l.items.len() > 1, atomic, {
            std::future::ready(()).await;
            l.items.clear();
        });
    });
}

#[test]
fn generic_sections_are_send_for_every_lifetime_and_type() {
    generic_sections_are_send(&Labelled {
        label: "x",
        lock: Lock::new(),
        items: Guarded::new(vec![1]),
        cfg: RwLock::new(()),
        limit: Guarded::new(0),
    });
}

/// Sync locks, whose guards are not `Send`.
#[derive(Guarded)]
struct Brief<'d, T> {
    label: &'d str,
    brief: sync::Lock,
    #[guarded_by(brief)]
    items: Guarded<Vec<T>>,
    #[lock(rw)]
    settings: sync::RwLock<()>,
    #[guarded_by(settings)]
    limit: Guarded<usize>,
    slow: Lock,
    #[guarded_by(slow)]
    log: Guarded<Vec<T>>,
    other: sync::Mutex<Vec<T>>,
}

impl<'d, T: Clone> Brief<'d, T> {
    #[synchronized(brief)]
    async fn first(&self) -> (Option<T>, &'d str) {
        (brief.items.first().cloned(), self.label)
    }

    #[synchronized(read(brief), slow, other)]
    async fn mixed(&self) -> usize {
        slow.log.append(other);
        slow.log.len() + brief.items.len()
    }

    #[synchronized(brief, when = !brief.items.is_empty(), timeout = Duration::ZERO)]
    async fn in_time(&self) -> Result<Option<T>, Elapsed> {
        Ok(brief.items.pop())
    }

    #[synchronized(read(settings), when = *settings.limit > 0)]
    async fn limit(&self) -> usize {
        *settings.limit
    }

    #[synchronized(brief, other, atomic)]
    async fn all_or_nothing(&self) -> Result<(), usize> {
        brief.items.clear();
        Err(other.len())
    }
}

/// Proved once for all `'d` and `T`.
fn generic_short_sections_are_send<'d, T: Clone + Send + 'd>(brief: &Brief<'d, T>) {
    fn is_send(_: impl Send) {}
    is_send(brief.first());
    is_send(brief.mixed());
    is_send(brief.in_time());
    is_send(brief.limit());
    is_send(brief.all_or_nothing());
    is_send(async {
        turn().await;
        let first = with_lock!(b = brief.brief, { b.items.first().cloned() });
        turn().await;
        for _ in 0..2 {
            with_lock!(read(brief.other), brief.slow, s = brief.settings, {
                *s.limit += other.len() + slow.log.len();
                if other.is_empty() {
                    continue;
                }
            });
            turn().await;
        }
        with_lock!(l = read(brief.brief), when = l.items.is_empty(), {
            l.items.len()
        });
        turn().await;
        first
    });
}

#[test]
fn generic_short_sections_are_send_for_every_lifetime_and_type() {
    generic_short_sections_are_send(&Brief {
        label: "x",
        brief: sync::Lock::new(),
        items: Guarded::new(vec![1]),
        settings: sync::RwLock::new(()),
        limit: Guarded::new(0),
        slow: Lock::new(),
        log: Guarded::new(vec![]),
        other: sync::Mutex::new(vec![]),
    });
}
