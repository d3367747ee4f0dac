//! Planted hangs, of the kinds that people report, and the report of watching for each.
//!
//! A hang is a file beside this one, with a `run` that hangs, and its expected report in a
//! `.txt` with its name, without times. It runs in a process of its own: this program again.
//! `UPDATE_EXPECT=1` rewrites the texts.

mod abba_of_threads;
mod abba_over_two_instances;
mod abba_over_two_methods;
mod barrier_short_of_one;
mod block_on_in_a_section;
mod callback_that_locks;
mod channel_and_lock;
mod condition_nobody_makes_true;
mod cycle_of_three;
mod drop_that_locks;
mod event_set_too_early;
mod executor_that_is_not_run;
mod future_kept_and_not_polled;
mod futurelock_in_a_stream;
mod futurelock_in_select;
mod guard_forgotten;
mod guard_sent_away;
mod guard_then_method;
mod harmless_wait_that_is_cancelled;
mod join_in_a_section;
mod lock_across_a_slow_await;
mod lock_held_while_joining;
mod lock_of_one_thread;
mod notify_before_anyone_waits;
mod notify_one_of_two;
mod permit_never_given_back;
mod permits_more_than_there_are;
mod read_again_behind_a_writer;
mod read_guard_kept;
mod read_then_write;
mod recursion;
mod relock_in_another_file;
mod relock_of_a_clone;
mod support;
mod sync_lock_in_a_closure;
mod two_semaphores_by_hand;
mod two_semaphores_in_opposite_orders;
mod upgrade_against_a_reader;

use std::env;
use std::fs;
use std::panic;
use std::path::Path;
use std::process::{self, Command};
use std::thread;
use std::time::{Duration, Instant};

use async_monitor::watch;

/// A test for each hang, and the list of them.
macro_rules! hangs {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            check(stringify!($name), crate::$name::run);
        }
    )*

        const ALL: &[&str] = &[$(stringify!($name)),*];
    };
}

hangs! {
    abba_of_threads
    abba_over_two_instances
    abba_over_two_methods
    barrier_short_of_one
    block_on_in_a_section
    callback_that_locks
    channel_and_lock
    condition_nobody_makes_true
    cycle_of_three
    drop_that_locks
    event_set_too_early
    executor_that_is_not_run
    future_kept_and_not_polled
    futurelock_in_a_stream
    futurelock_in_select
    guard_forgotten
    guard_sent_away
    guard_then_method
    harmless_wait_that_is_cancelled
    join_in_a_section
    lock_across_a_slow_await
    lock_held_while_joining
    lock_of_one_thread
    notify_before_anyone_waits
    notify_one_of_two
    permit_never_given_back
    permits_more_than_there_are
    read_again_behind_a_writer
    read_guard_kept
    read_then_write
    recursion
    relock_in_another_file
    relock_of_a_clone
    sync_lock_in_a_closure
    two_semaphores_by_hand
    two_semaphores_in_opposite_orders
    upgrade_against_a_reader
}

/// Set for the process that hangs.
const HANG: &str = "ASYNC_MONITOR_HANG";

/// Marks the beginning and the end of the relevant output.
const MARK: &str = "-- what is said --";

/// How a text begins.
const A_PANIC: &str = "a panic, at once:";
const REPORTED: &str = "reported:";
const LISTED: &str = "not reported; `watch::report()` is:";
const NO_HANG: &str = "it does not hang";

/// How soon a hang is reported.
const SOON: Duration = Duration::from_secs(1);

fn check(name: &str, hang: fn()) {
    if !watch::IS_ON {
        return;
    }
    if env::var(HANG).is_ok_and(|meant| meant == name) {
        run(hang);
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/hangs/{name}.txt"));
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(file, say(name).0).expect("the text can be written");
        return;
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    // The machine may have had something else to do.
    let (said, after) = (0..4)
        .map(|_| say(name))
        .find(|(said, after)| *said == expected && *after <= SOON)
        .unwrap_or_else(|| say(name));
    assert_eq!(
        said, expected,
        "`UPDATE_EXPECT=1 cargo test --test hangs` writes the text anew. It is:\n{said}"
    );
    assert!(after <= SOON, "it took {after:?}");
    let how = match said.lines().next() {
        Some(A_PANIC) => format!("panics, {} ms", after.as_millis()),
        Some(REPORTED) => format!("reports, {} ms", after.as_millis()),
        Some(LISTED) if said.contains(" 0 waiting") => "silence".into(),
        Some(LISTED) => "lists if asked".into(),
        _ => NO_HANG.into(),
    };
    // A line of the table that `.ci/hangs` makes.
    println!("{name}: {how}");
}

/// The report of a hang, and after how long.
fn say(name: &str) -> (String, Duration) {
    let output = Command::new(env::current_exe().expect("a test knows where it is"))
        .args(["--exact", name, "--nocapture"])
        .env(HANG, name)
        .output()
        .expect("the program runs again");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let [_, said, rest] = text.split(MARK).collect::<Vec<_>>()[..] else {
        panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr));
    };
    let after = rest
        .lines()
        .next()
        .and_then(|millis| millis.trim().parse().ok());
    let after = Duration::from_millis(after.expect("the time is told"));
    (without_times(said.trim_start()), after)
}

/// In the process that hangs: prints what is known, and ends the process.
fn run(hang: fn()) -> ! {
    let begin = Instant::now();
    let end = move |said: &str| -> ! {
        println!(
            "\n{MARK}\n{}\n{MARK} {}",
            said.trim_end(),
            begin.elapsed().as_millis()
        );
        process::exit(0);
    };
    static BEGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    BEGIN.get_or_init(|| begin);
    // Shorter than for users, in the same order.
    watch::set_threshold(Duration::from_millis(250));
    watch::set_long_hold(Duration::from_millis(400));
    watch::set_hook(|report| {
        let after = BEGIN.get().expect("it is set").elapsed().as_millis();
        println!(
            "\n{MARK}\n{REPORTED}\n{}\n{MARK} {after}",
            report.to_string().trim_end()
        );
        process::exit(0);
    });
    panic::set_hook(Box::new(move |panic| {
        let message = panic.payload().downcast_ref::<String>();
        let message = message.map_or("of another kind", String::as_str);
        end(&format!("{A_PANIC}\n{message}"));
    }));
    let hung = thread::spawn(hang);
    while begin.elapsed() < Duration::from_millis(800) {
        if hung.is_finished() {
            end(NO_HANG);
        }
        thread::sleep(Duration::from_millis(5));
    }
    end(&format!("{LISTED}\n{}", watch::report()));
}

/// `for 312 ms` is `for _`.
fn without_times(text: &str) -> String {
    let mut parts = text.split("for ");
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|char: char| char.is_ascii_digit());
        let unit = [" ms", " s"]
            .iter()
            .find_map(|unit| rest.strip_prefix(unit));
        masked.push_str("for ");
        match unit {
            Some(rest) if rest.len() < part.len() - 2 => {
                masked.push('_');
                masked.push_str(rest);
            }
            _ => masked.push_str(part),
        }
    }
    masked
}

/// The list has every file, and each text belongs to a hang.
#[test]
fn each_file_is_a_hang() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hangs");
    for entry in fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("it is readable").path();
        let name = path
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy();
        let is_listed = ALL.contains(&&*name);
        assert!(
            is_listed || ["main", "support", "others"].contains(&&*name),
            "{name} is not in the list"
        );
    }
}
