//! A process that is stopped in the middle of a section, step by step.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Outcome, Said, Writing, check, prepare, start};
use crate::support::Postgres;

/// One process reads, and is stopped. Others go on, once its lease has ended. Then it goes on,
/// and writes without a look at the clock: nothing can keep it from that.
///
/// `None` where there is no Postgres.
pub(crate) fn run(is_fenced: bool) -> Option<Outcome> {
    let postgres = Postgres::start()?;
    let url = postgres.database("stopped");
    prepare(&url);
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
    // Its connection does one statement after the other: the stale one is done or refused by
    // the time at which a later one is acknowledged.
    said.lock().unwrap().got_in.clear();
    wait_until(&said, "it gets in again", |said| said.got_in.contains(&0));

    let mut outcome = Outcome::default();
    // The other may have had one refused, too, where the machine is busy.
    let refused = format!("fence {fence} of lock \"{key}\" is stale: fence");
    outcome.refused = postgres.log().matches(&refused).count();
    check(&url, &said.lock().unwrap().acknowledged, &mut outcome);
    Some(outcome)
}

fn wait_until(said: &Mutex<Said>, what: &str, is_so: impl Fn(&Said) -> bool) {
    let start = Instant::now();
    while !is_so(&said.lock().unwrap()) {
        let limit = Duration::from_secs(60);
        assert!(start.elapsed() < limit, "{what}, not within {limit:?}");
        thread::sleep(Duration::from_millis(20));
    }
}
