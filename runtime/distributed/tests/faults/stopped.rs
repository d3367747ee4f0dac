//! A process that is stopped in the middle of a section, step by step.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::backend::Servers;
use crate::harness::{Outcome, Said, Writing, check, start};

/// With fences.
pub(crate) fn fenced<S: Servers>() {
    let Some((outcome, refused)) = run::<S>(true) else {
        return;
    };
    assert!(refused.is_none_or(|refused| refused == 1), "{refused:?}");
    assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
}

/// The same without the fence: what is looked for is there to be found.
pub(crate) fn unfenced<S: Servers>() {
    let Some((outcome, refused)) = run::<S>(false) else {
        return;
    };
    assert!(refused.is_none_or(|refused| refused == 0), "{refused:?}");
    assert!(!outcome.violations.is_empty(), "a stale write was let in");
}

/// One process reads, and is stopped. Others go on, once its lease has ended. Then it goes on,
/// and writes without a look at the clock: nothing can keep it from that.
///
/// What has come of it, and how many writes with its fence were refused, if that is known.
/// `None` where there is no such store.
fn run<S: Servers>(is_fenced: bool) -> Option<(Outcome, Option<usize>)> {
    let servers = S::start()?;
    let url = S::url(&servers.ports());
    let said = Arc::new(Mutex::new(Said::default()));
    let writing = |waits| Writing { is_fenced, waits };

    let mut stopped = start(0, &url, writing(true), &said);
    wait_until(&said, "it has read", |said| said.waits.is_some());
    stopped.signal("STOP");
    let (key, fence) = said.lock().unwrap().waits.clone().unwrap();
    let _other = start(1, &url, writing(false), &said);
    wait_until(&said, "the other has written to the key", |said| {
        let mut acknowledged = said.acknowledged.iter();
        acknowledged.any(|(other_key, other_fence, _)| *other_key == key && *other_fence > fence)
    });
    stopped.signal("CONT");
    let mut input = stopped.0.stdin.take().unwrap();
    input.write_all(b"go on\n").unwrap();
    // The stale write is done or refused by the time at which a later one is acknowledged: it
    // was sent before.
    said.lock().unwrap().got_in.clear();
    wait_until(&said, "it gets in again", |said| said.got_in.contains(&0));

    let mut outcome = Outcome::default();
    // The other may have had one refused, too, where the machine is busy.
    let refused = servers.refused(Some((&key, fence)));
    check(
        servers.history(),
        &said.lock().unwrap().acknowledged,
        &mut outcome,
    );
    Some((outcome, refused))
}

fn wait_until(said: &Mutex<Said>, what: &str, is_so: impl Fn(&Said) -> bool) {
    let start = Instant::now();
    while !is_so(&said.lock().unwrap()) {
        let limit = Duration::from_secs(60);
        assert!(start.elapsed() < limit, "{what}, not within {limit:?}");
        thread::sleep(Duration::from_millis(20));
    }
}
