//! Data whose type does not show by its name whether it is sized.

use std::ops::Deref;

use async_monitor::{Guarded, RwLock, with_lock};
use futures::executor::block_on;

/// What `P` points to has a size, or not.
#[derive(Guarded)]
struct Behind<P: Deref> {
    #[lock(rw)]
    lock: RwLock<()>,
    #[guarded_by(lock)]
    len: Guarded<usize>,
    #[guarded_by(lock)]
    value: Guarded<P::Target>,
}

#[test]
fn what_is_guarded_may_have_no_size() {
    let object = Behind::<Box<String>> {
        lock: RwLock::new(()),
        len: 0.into(),
        value: Guarded::new("a".into()),
    };
    block_on(async {
        let result: Result<(), ()> = with_lock!(object.lock, atomic, {
            lock.value.push('b');
            *lock.len += 2;
            Err(())
        });
        assert_eq!(result, Err(()));
        with_lock!(state = read(object.lock), {
            assert_eq!((state.value.as_str(), *state.len), ("a", 0));
        });
    });
}

async fn of_any_pointer<P: Deref>(object: &Behind<P>) -> usize
where
    P::Target: Sized,
{
    with_lock!(object.lock, {
        let _value: &P::Target = lock.value;
        *lock.len
    })
}

#[test]
fn sections_need_no_size() {
    let object = Behind::<&u8> {
        lock: RwLock::new(()),
        len: 1.into(),
        value: 0.into(),
    };
    assert_eq!(block_on(of_any_pointer(&object)), 1);
}
