//! Panics, in a program that unwinds, which the crate cannot detect.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::process::Command;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::{env, iter};

use async_monitor::Event;
use no_std::Account;

use crate::executor::block_on;

#[test]
fn a_panic_releases_the_lock_and_undoes_what_is_atomic() {
    let account = Account::new(1, 5);
    let panicked = catch_unwind(AssertUnwindSafe(|| block_on(account.set_and_panic(7))));
    assert!(panicked.is_err());
    assert_eq!(block_on(account.state()).0, 5);
}

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("in a waker");
    }
}

const CHILD: &str = "NO_STD_TESTS_CHILD";

/// Several are woken in a batch: nothing could go on in the middle of one.
#[test]
fn a_panic_of_a_waker_in_a_batch_ends_the_program() {
    if env::var_os(CHILD).is_some() {
        let event = Event::new();
        let (mut first, mut second) = (pin!(event.wait()), pin!(event.wait()));
        let waker = Waker::from(Arc::new(Panics));
        let mut cx = Context::from_waker(&waker);
        assert!(first.as_mut().poll(&mut cx).is_pending());
        assert!(second.as_mut().poll(&mut cx).is_pending());
        let _ = catch_unwind(AssertUnwindSafe(|| event.set()));
        println!("the program goes on");
        return;
    }
    let child = Command::new(env::current_exe().expect("a test has a path"))
        .args(["--exact", "--nocapture"])
        .arg("panics::a_panic_of_a_waker_in_a_batch_ends_the_program")
        .envs(iter::once((CHILD, "1")))
        .output()
        .expect("the test runs once more");
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(!child.status.success(), "{output}");
    assert!(!output.contains("the program goes on"), "{output}");
    let errors = String::from_utf8_lossy(&child.stderr);
    assert!(errors.contains("in a waker"), "{errors}");
    assert!(errors.contains("cannot unwind"), "{errors}");
}
