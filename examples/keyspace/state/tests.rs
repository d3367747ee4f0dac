//! What each form of the state does, in paused time.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{self, Instant};

use super::*;
use crate::subscriber::Inbox;

/// Runs each of these with each form.
macro_rules! with_each_form {
    ($($test:ident),* $(,)?) => {
        mod by_hand {
            $(
                #[tokio::test(start_paused = true)]
                async fn $test() {
                    super::$test::<crate::state::ByHand>().await;
                }
            )*
        }

        mod monitor {
            $(
                #[tokio::test(start_paused = true)]
                async fn $test() {
                    super::$test::<crate::state::Monitor>().await;
                }
            )*
        }
    };
}

with_each_form! {
    values, conditions, numbers, times, expired_is_gone_at_once, removal_in_the_background,
    sooner_than_planned, many_at_a_time, shutting_down, channels,
}

fn bytes(text: &str) -> Bytes {
    text.as_bytes().into()
}

fn put<S: State>(state: &S, key: &str, value: &str) -> Set {
    state.set(bytes(key), bytes(value), None, If::Always)
}

fn put_for<S: State>(state: &S, key: &str, seconds: u64) {
    let end = Instant::now() + Duration::from_secs(seconds);
    state.set(bytes(key), bytes(""), Some(end), If::Always);
}

fn start<S: State>() -> (Arc<S>, JoinHandle<()>) {
    let state = Arc::new(S::default());
    let background = Arc::clone(&state);
    let task = tokio::spawn(async move { background.remove_expired().await });
    (state, task)
}

async fn pass(seconds: u64) {
    time::sleep(Duration::from_secs(seconds)).await;
    // The background task has the same instant to wake up in.
    time::sleep(Duration::from_millis(1)).await;
}

async fn values<S: State>() {
    let state = S::default();
    assert_eq!(state.get(b"k"), None);
    state.set_all(vec![
        (bytes("k"), bytes("1")),
        (bytes("l\0"), bytes("\r\n")),
    ]);
    assert_eq!(state.get(b"k"), Some(bytes("1")));
    let all = state.get_all(&[b"l\0", b"none", b"k"]);
    assert_eq!(all, [Some(bytes("\r\n")), None, Some(bytes("1"))]);
    assert_eq!(state.count(&[b"k", b"none", b"k"]), 2);
    assert_eq!(state.len(), 2);
    assert_eq!(state.remove(&[b"k", b"none", b"k"]), 1);
    assert_eq!(state.len(), 1);
    state.clear();
    assert_eq!((state.len(), state.get(b"l\0")), (0, None));
}

async fn conditions<S: State>() {
    let state = S::default();
    let set = |value: &str, condition| {
        let set = state.set(bytes("k"), bytes(value), None, condition);
        (set.is_stored, set.previous)
    };
    assert_eq!(set("1", If::Present), (false, None));
    assert_eq!(set("2", If::Missing), (true, None));
    assert_eq!(set("3", If::Missing), (false, Some(bytes("2"))));
    assert_eq!(set("4", If::Present), (true, Some(bytes("2"))));
    assert_eq!(set("5", If::Always), (true, Some(bytes("4"))));
    assert_eq!(state.get(b"k"), Some(bytes("5")));
}

async fn numbers<S: State>() {
    let state = S::default();
    assert_eq!(state.add(b"n", 5), Ok(5));
    assert_eq!(state.add(b"n", -7), Ok(-2));
    assert_eq!(state.get(b"n"), Some(bytes("-2")));
    put(&state, "n", &i64::MAX.to_string());
    assert_eq!(state.add(b"n", 1), Err(AddError::Overflow));
    assert_eq!(state.get(b"n"), Some(bytes(&i64::MAX.to_string())));
    put(&state, "n", "1 ");
    assert_eq!(state.add(b"n", 1), Err(AddError::NotAnInteger));

    let end = Instant::now() + Duration::from_secs(10);
    state.set(bytes("n"), bytes("1"), Some(end), If::Always);
    state.add(b"n", 1).unwrap();
    let left = Duration::from_secs(10);
    assert_eq!(state.time_to_live(b"n"), TimeToLive::Left(left));
}

async fn times<S: State>() {
    let state = S::default();
    let end = |seconds| Instant::now() + Duration::from_secs(seconds);
    assert!(!state.expire(b"k", end(1)) && !state.persist(b"k"));
    assert_eq!(state.time_to_live(b"k"), TimeToLive::Missing);
    put(&state, "k", "");
    assert_eq!(state.time_to_live(b"k"), TimeToLive::Unlimited);
    assert!(!state.persist(b"k") && state.expire(b"k", end(5)));
    let left = TimeToLive::Left(Duration::from_secs(5));
    assert_eq!(state.time_to_live(b"k"), left);
    assert!(state.persist(b"k") && !state.persist(b"k"));
    assert_eq!(state.time_to_live(b"k"), TimeToLive::Unlimited);

    // A new value does not inherit the time of the old one.
    put_for(&state, "k", 5);
    put(&state, "k", "");
    assert_eq!(state.time_to_live(b"k"), TimeToLive::Unlimited);
    put_for(&state, "k", 5);
    state.set_all(vec![(bytes("k"), bytes(""))]);
    assert_eq!(state.time_to_live(b"k"), TimeToLive::Unlimited);
}

/// No background task runs here.
async fn expired_is_gone_at_once<S: State>() {
    let state = S::default();
    for key in ["k", "get", "set", "add", "expire", "remove"] {
        put_for(&state, key, 1);
    }
    time::advance(Duration::from_secs(1)).await;
    assert_eq!(state.get(b"get"), None);
    assert_eq!(state.get_all(&[b"get"]), [None]);
    assert_eq!(state.count(&[b"get"]), 0);
    assert_eq!(state.time_to_live(b"get"), TimeToLive::Missing);
    let set = state.set(bytes("set"), bytes(""), None, If::Missing);
    assert_eq!((set.is_stored, set.previous), (true, None));
    assert_eq!(state.add(b"add", 1), Ok(1));
    assert!(!state.expire(b"expire", Instant::now() + Duration::from_secs(9)));
    assert!(!state.persist(b"expire"));
    assert_eq!(state.remove(&[b"remove"]), 0);

    // What was stored anew is not removed with what had expired.
    let state = Arc::new(state);
    let background = Arc::clone(&state);
    tokio::spawn(async move { background.remove_expired().await });
    pass(1).await;
    assert_eq!(state.len(), 2);
    assert_eq!(
        state.get_all(&[b"set", b"add"]),
        [Some(bytes("")), Some(bytes("1"))]
    );
}

async fn removal_in_the_background<S: State>() {
    let (state, _task) = start::<S>();
    put(&*state, "stays", "");
    for seconds in [3, 1, 2] {
        put_for(&*state, &seconds.to_string(), seconds);
    }
    for left in [4, 3, 2, 1] {
        assert_eq!(state.len(), left);
        pass(1).await;
    }
    assert_eq!(state.len(), 1);
}

/// The task sleeps until something else, or for ever: it is woken.
async fn sooner_than_planned<S: State>() {
    let (state, _task) = start::<S>();
    pass(1).await;
    put_for(&*state, "set first", 100);
    pass(1).await;
    put_for(&*state, "set sooner", 10);
    put(&*state, "expire", "");
    pass(1).await;
    state.expire(b"expire", Instant::now() + Duration::from_secs(5));
    pass(5).await;
    assert_eq!(state.len(), 2, "`expire`");
    pass(5).await;
    assert_eq!(state.len(), 1, "`set sooner`");

    // What it slept for may be gone before.
    state.persist(b"set first");
    pass(100).await;
    put_for(&*state, "set first", 1);
    pass(1).await;
    assert_eq!(state.len(), 0);
}

async fn many_at_a_time<S: State>() {
    let (state, _task) = start::<S>();
    for key in 0..3 * REMOVED_AT_ONCE {
        put_for(&*state, &key.to_string(), 1);
    }
    pass(1).await;
    assert_eq!(state.len(), 0);
}

async fn shutting_down<S: State>() {
    for seconds in [None, Some(1000)] {
        let (state, task) = start::<S>();
        if let Some(seconds) = seconds {
            put_for(&*state, "k", seconds);
        }
        pass(1).await;
        assert!(!task.is_finished());
        state.shut_down();
        time::timeout(Duration::from_secs(1), task)
            .await
            .expect("it is woken")
            .expect("it does not panic");
    }
    // Also before it has begun.
    let state = S::default();
    state.shut_down();
    state.remove_expired().await;
}

async fn channels<S: State>() {
    let state = S::default();
    let message = |payload| Message {
        channel: bytes("c"),
        payload: bytes(payload),
    };
    assert_eq!(state.publish(&message("nobody")), 0);
    let (mut one, mut two) = (Inbox::new(1), Inbox::new(2));
    for inbox in [&one, &two, &one] {
        state.subscribe(&bytes("c"), inbox.subscriber());
    }
    state.subscribe(&bytes("other"), two.subscriber());
    assert_eq!(state.publish(&message("both")), 2);
    state.unsubscribe(b"c", one.subscriber());
    state.unsubscribe(b"none", one.subscriber());
    assert_eq!(state.publish(&message("two")), 1);
    assert_eq!(*one.receive().await.payload, *b"both");
    assert!(one.try_receive().is_none());
    for payload in ["both", "two"] {
        assert_eq!(two.receive().await.payload, bytes(payload));
    }
    state.unsubscribe(b"c", two.subscriber());
    assert_eq!(state.publish(&message("nobody")), 0);
}

#[test]
fn integers_are_written_in_one_way() {
    for number in [0, 7, -7, 10, i64::MIN, i64::MAX] {
        assert_eq!(parse_integer(number.to_string().as_bytes()), Some(number));
    }
    for text in [
        "",
        "-",
        "+1",
        "-0",
        "00",
        "01",
        "1 ",
        " 1",
        "1.0",
        "0x1",
        "9223372036854775808",
    ] {
        assert_eq!(parse_integer(text.as_bytes()), None, "{text:?}");
    }
}
