//! Planted bugs that depend on the schedule or on a cancel, each in two forms: the bug, and its
//! fixed twin. The check finds each bug, and proves that its twin has none.
//!
//! A bug is a file beside this one. The table of the schedule in which it fails is in a `.txt`
//! with its name. With `UPDATE_EXPECT=1`, the tables are written anew.
#![cfg(feature = "check")]

mod support;

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use async_monitor::check::{Check, Run};

/// A test for each bug, and the list of them. A check with unusual bounds is
/// given.
macro_rules! planted {
    ($($name:ident $(with $check:expr)?;)*) => {$(
        mod $name;

        #[test]
        fn $name() {
            let check = Check::new();
            $(let check = $check(check);)?
            check_both(stringify!($name), &check, crate::$name::run);
        }
    )*

        const ALL: &[&str] = &[$(stringify!($name)),*];
    };
}

// Hangs.
planted! {
    abba_of_threads;
    abba_over_two_instances;
    abba_over_two_methods;
    barrier_short_of_one;
    close_between_check_and_wait;
    close_that_misses_a_waiter;
    cycle_of_three;
    event_set_too_early;
    join_in_a_section;
    notify_before_anyone_waits;
    notify_one_of_two;
    read_again_behind_a_writer;
    single_flight_without_its_loader with |check: Check| check.cancels_may_starve(false);
    two_semaphores_in_opposite_orders;
    upgrade_against_a_reader;
    upgrade_against_upgrade;
    wake_up_cleared_too_late;

    // Wrong states, at the end or in between.
    aba_on_a_flag;
    check_then_act;
    flag_kept_after_a_cancel;
    half_changed_by_a_cancel;
    invariant_broken_for_a_reader;
    left_to_who_is_done;
    lost_update;
    made_twice;
    more_than_fits;
    permit_used_twice;
    refunded_twice;
    timeout_between_grant_and_entry;
    token_lost_by_a_cancel;
    waiting_list_overtaken;
}

/// Set where one schedule is to be run.
const REPLAY: &str = "ASYNC_MONITOR_REPLAY";

/// The most lines of a readable table.
const MOST_LINES: usize = 12;

/// The longest time for the check of a twin.
const SOON: Duration = Duration::from_secs(5);

fn check_both(name: &str, check: &Check, program: fn(&mut Run, bool)) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/planted/{name}.txt"));
    let failure = check
        .run(|run| program(run, false))
        .expect_err("the bug is found");
    let table = without_other_lines(failure.table(), name);
    let said = format!("{table}=> {}\n", failure.what());
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&file, &said).expect("the table can be written");
    } else {
        let expected = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(
            said, expected,
            "`UPDATE_EXPECT=1 cargo test --features check --test planted` writes the table anew. \
             It is:\n{said}"
        );
    }
    if env::var_os(REPLAY).is_some() {
        return;
    }
    // The first is the heading.
    let lines = table.lines().count() - 1;
    assert!(lines <= MOST_LINES, "{lines} lines:\n{said}");
    let replay = failure.replay().expect("it can be replayed");
    let replayed = Command::new(env::current_exe().expect("a test knows where it is"))
        .args(["--exact", name])
        .env(REPLAY, replay)
        .env_remove("UPDATE_EXPECT")
        .output()
        .expect("the program runs again");
    assert!(
        replayed.status.success(),
        "the replay of {replay} is another:\n{}",
        String::from_utf8_lossy(&replayed.stdout)
    );

    let proof = check
        .run(|run| program(run, true))
        .unwrap_or_else(|failure| panic!("the mended twin: {failure}"));
    assert!(proof.is_proof(), "{proof}");
    assert!(proof.elapsed() < SOON, "{proof}");
    // A line of the table that `.ci/planted` makes.
    let found = failure.outcome();
    println!(
        "{name}: found after {} schedules, {:.1} ms; {lines} lines; mended: {} schedules, {:.1} ms",
        found.schedules() + found.redundant(),
        found.elapsed().as_secs_f64() * 1e3,
        proof.schedules() + proof.redundant(),
        proof.elapsed().as_secs_f64() * 1e3,
    );
}

/// Removes the line of a place outside of the program, which changes with the library.
fn without_other_lines(table: &str, name: &str) -> String {
    let mut lines = String::new();
    for line in table.lines() {
        let is_own = line.contains(&format!(" {name}.rs:"));
        match line.rsplit_once(".rs:") {
            Some((place, _)) if !is_own => lines += &format!("{place}.rs\n"),
            _ => lines += &format!("{line}\n"),
        }
    }
    lines
}

/// The list has every file, and each table belongs to a bug.
#[test]
fn each_file_is_a_bug() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/planted");
    for entry in fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("it is readable").path();
        let name = path
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy();
        assert!(
            ALL.contains(&&*name) || ["main", "support", "shuttle"].contains(&&*name),
            "{name} is not in the list"
        );
    }
}
