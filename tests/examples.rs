//! The examples, run as programs.

mod programs;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use programs::example;

const EXECUTORS: [&str; 2] = ["tokio", "smol"];

/// What a program has printed and how it has ended.
#[derive(Debug)]
struct Run {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Run {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

impl Run {
    /// The line of the report that begins with `label`, without the label.
    fn line(&self, label: &str) -> &str {
        let mut lines = self.stdout.lines();
        let found = lines.find_map(|line| line.strip_prefix(label));
        found
            .unwrap_or_else(|| panic!("no {label:?}: {self:#?}"))
            .trim()
    }
}

fn run(command: &mut Command) -> Run {
    command.output().expect("the example runs").into()
}

fn index(dir: &Path, args: &[&str]) -> Run {
    run(example("index").args(args).arg(dir))
}

/// An empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("a folder below target/");
    dir
}

#[test]
fn the_chat_is_the_same_in_each_form() {
    let run = run(&mut example("chat"));
    assert_eq!(run.status, Some(0), "{run:#?}");
    for form in ["by_hand", "sections", "ours"] {
        assert_eq!(run.line(&format!("{form}: ann reads:")), "bob: hello");
        assert_eq!(run.line(&format!("{form}: garden:")), r#"["ann"]"#);
        assert_eq!(run.line(&format!("{form}: rooms:")), "1");
    }
}

/// Each hang is told, and the example ends by itself.
#[cfg(debug_assertions)]
#[test]
fn deadlocks_are_told() {
    for (name, expected) in [
        (
            "relock",
            "deadlock: `Account.ledger` is held by the section `deposit_with_bonus`",
        ),
        (
            "abba",
            "while it holds `Account.ledger` #2, acquired by `pay` (examples/deadlock.rs:",
        ),
        (
            "cycle",
            "while it holds `Account.ledger` #2, acquired by `pay` (examples/deadlock.rs:",
        ),
        (
            "readers",
            "while it holds `Settings.map`, acquired by `resolve` (examples/deadlock.rs:",
        ),
        (
            "unpolled",
            "was granted `Account.ledger` and has not been polled since",
        ),
    ] {
        let run = run(example("deadlock").arg(name));
        assert!(
            run.status == Some(0) && run.stderr.contains(expected),
            "{run:#?}"
        );
    }
    let run = run(example("deadlock").arg("none"));
    assert!(
        run.stderr.contains("`none` is none of the hangs"),
        "{run:#?}"
    );
    assert_eq!(run.status, Some(1));
}

#[test]
fn index_counts() {
    let dir = folder("counts");
    fs::create_dir_all(dir.join("below/.git")).unwrap();
    fs::create_dir_all(dir.join("cache")).unwrap();
    fs::write(dir.join("a"), "Two words, two WORDS; one_word").unwrap();
    fs::write(dir.join("below/b"), "übel ÜBEL\nwords").unwrap();
    fs::write(dir.join("empty"), "").unwrap();
    fs::write(dir.join("nul"), "words\0").unwrap();
    fs::write(dir.join("latin1"), b"words \xfcbel").unwrap();
    fs::write(dir.join("below/.git/config"), "words").unwrap();
    fs::write(dir.join("cache/CACHEDIR.TAG"), "words").unwrap();
    for executor in EXECUTORS {
        let run = index(&dir, &["--check", "--top", "3", "--executor", executor]);
        assert_eq!(run.status, Some(0), "{run:#?}");
        assert_eq!(run.stderr, "");
        let words: Vec<_> = run.stdout.lines().take(3).map(str::trim).collect();
        assert_eq!(
            words,
            [
                "3  words, in 2 of 3 files",
                "2  two, in 1 of 3 files",
                "2  übel, in 1 of 3 files",
            ]
        );
        assert_eq!(run.line("words"), "8, 4 different");
        assert_eq!(run.line("text files"), "3, 47 bytes");
        assert_eq!(run.line("binary files"), "2");
        assert_eq!(run.line("unreadable"), "0");
        assert!(run.line("time").contains(executor));
        assert!(run.line("check").starts_with("the same"));
    }
}

/// A file is read by chunks of 64 KiB: words and characters lie across their
/// borders, wherever these are.
#[test]
fn index_loses_nothing_between_chunks() {
    const CHUNK: usize = 64 * 1024;
    let dir = folder("chunks");
    for shift in 0..8 {
        let text = format!(
            "{}{}",
            " ".repeat(shift),
            "größer 日本語 ".repeat(CHUNK / 4)
        );
        fs::write(dir.join(format!("text{shift}")), text).unwrap();
        let cut = [" ".repeat(CHUNK - shift).as_bytes(), &"日".as_bytes()[..2]].concat();
        fs::write(dir.join(format!("cut{shift}")), cut).unwrap();
    }
    let long = format!("{} {}", "x".repeat(255), "y".repeat(3 * CHUNK));
    fs::write(dir.join("long"), long).unwrap();
    for executor in EXECUTORS {
        let run = index(&dir, &["--check", "--executor", executor]);
        assert_eq!(run.status, Some(0), "{run:#?}");
        let occurrences = 8 * 2 * (CHUNK / 4) + 1;
        assert_eq!(run.line("words"), format!("{occurrences}, 3 different"));
        assert_eq!(run.line("binary files"), "8");
    }
}

#[test]
fn index_agrees_with_one_thread_on_this_repository() {
    for executor in EXECUTORS {
        for workers in ["1", "100"] {
            let run = run(example("index")
                .args(["--check", "--executor", executor])
                .args(["--workers", workers]));
            assert_eq!(run.status, Some(0), "{run:#?}");
            assert!(run.line("check").starts_with("the same"));
        }
    }
}

/// On about a hundred megabytes, where there are some.
#[test]
#[ignore = "takes minutes without --release"]
fn index_agrees_with_one_thread_on_the_registry() {
    let cargo = match env::var_os("CARGO_HOME") {
        Some(cargo) => PathBuf::from(cargo),
        None => Path::new(&env::var_os("HOME").expect("a home")).join(".cargo"),
    };
    for executor in EXECUTORS {
        let run = index(
            &cargo.join("registry/src"),
            &["--check", "--executor", executor],
        );
        assert_eq!(run.status, Some(0), "{run:#?}");
    }
}

#[test]
fn index_says_what_is_wrong_with_its_directory() {
    let dir = folder("directory");
    for executor in EXECUTORS {
        let run = index(&dir, &["--check", "--executor", executor]);
        assert_eq!(run.status, Some(0));
        assert!(
            run.stderr.starts_with("index: no text files below "),
            "{run:#?}"
        );
        assert_eq!(run.line("words"), "0, 0 different");
    }

    let run = index(&dir.join("missing"), &[]);
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.starts_with("index: cannot read "), "{run:#?}");
    assert_eq!(run.stdout, "");

    fs::write(dir.join("file"), "words").unwrap();
    let run = index(&dir.join("file"), &[]);
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.starts_with("index: cannot read "), "{run:#?}");
}

#[test]
fn index_says_what_is_wrong_with_its_arguments() {
    for (args, answer) in [
        (["--workers", "0"], "0 is not in 1..=1024"),
        (["--workers", "many"], "invalid value 'many'"),
        (["--executor", "none"], "possible values: tokio, smol"),
    ] {
        let run = run(example("index").args(args));
        assert_eq!(run.status, Some(2));
        assert!(run.stderr.contains(answer), "{run:#?}");
    }
    let help = run(example("index").arg("--help"));
    assert_eq!(help.status, Some(0));
    assert!(help.stdout.contains("Exit status:"), "{help:#?}");
}

#[cfg(unix)]
#[test]
fn index_goes_on_where_it_cannot_read() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let dir = folder("unreadable");
    let (file, below) = (dir.join("file"), dir.join("below"));
    fs::write(dir.join("good"), "good").unwrap();
    fs::write(&file, "words").unwrap();
    fs::create_dir(&below).unwrap();
    symlink(&dir, dir.join("loop")).unwrap();
    symlink(dir.join("missing"), dir.join("dangling")).unwrap();
    let permit = |mode| {
        for path in [&file, &below] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    permit(0o000);
    let is_root = fs::read(&file).is_ok();
    for executor in EXECUTORS {
        let run = index(&dir, &["--check", "--executor", executor]);
        if is_root {
            // Nothing is closed to root. The links were not followed, though.
            assert_eq!(run.status, Some(0), "{run:#?}");
            assert_eq!(run.line("text files"), "2, 9 bytes");
        } else {
            assert_eq!(run.status, Some(3), "{run:#?}");
            assert_eq!(
                run.stderr.matches("Permission denied").count(),
                2,
                "{run:#?}"
            );
            assert_eq!(run.line("unreadable"), "2");
            assert_eq!(run.line("text files"), "1, 4 bytes");
        }
    }
    permit(0o755);
}

/// `index | head -1`: the reader has gone before the report is written.
#[test]
fn index_accepts_a_broken_pipe() {
    let dir = folder("pipe");
    fs::write(dir.join("a"), "words").unwrap();
    for executor in EXECUTORS {
        let mut child = example("index")
            .args(["--check", "--executor", executor])
            .arg(&dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the example runs");
        drop(child.stdout.take());
        let run = Run::from(child.wait_with_output().expect("the example ends"));
        assert_eq!(run.status, Some(0), "{run:#?}");
        assert_eq!(run.stderr, "");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn index_says_that_the_report_was_not_written() {
    let full = fs::File::create("/dev/full").unwrap();
    let run = run(example("index").arg(folder("full")).stdout(full));
    assert_eq!(run.status, Some(3), "{run:#?}");
    assert!(run.stderr.contains("cannot write the report"), "{run:#?}");
}

#[test]
fn bank_conserves_the_total() {
    let run = run(&mut example("bank"));
    assert_eq!(run.status, Some(0), "{run:#?}");
    assert_eq!(run.line("total before: "), "60000, total after: 60000");
}

#[test]
fn bounded_buffer_loses_nothing() {
    let run = run(&mut example("bounded_buffer"));
    assert_eq!(run.status, Some(0), "{run:#?}");
    assert_eq!(run.line("3000 items of 3000, "), "their sum is 4498500");
}

#[test]
fn cache_loads_each_key_once() {
    let run = run(&mut example("cache"));
    assert_eq!(run.status, Some(0), "{run:#?}");
    assert_eq!((run.line("keys: "), run.line("loads: ")), ("5", "5"));
}

#[test]
fn monitor_lets_nobody_in_between() {
    let run = run(&mut example("monitor"));
    assert_eq!(run.status, Some(0), "{run:#?}");
    assert_eq!(run.line("winner: "), "Some((0, 1601))");
}

#[test]
fn metrics_are_a_table() {
    let run = run(&mut example("metrics"));
    assert_eq!(run.status, Some(0), "{run:#?}");
    assert!(run.line("lock ").starts_with("acquired"));
    if async_monitor::watch::IS_ON {
        let till: Vec<_> = run.line("Shop.till ").split_whitespace().collect();
        assert_eq!((till.len(), till[0]), (6, "32"));
        // All customers want to pay before the first has.
        assert!(till[1].parse::<u64>().expect("a number") >= 7, "{run:#?}");
        let shelf: Vec<_> = run.line("Shop.shelf ").split_whitespace().collect();
        assert_eq!((shelf.len(), shelf[0]), (6, "32"));
    }
}

#[test]
fn metrics_are_what_prometheus_scrapes() {
    let run = run(example("metrics").arg("--prometheus"));
    assert_eq!(run.status, Some(0), "{run:#?}");
    let mut names = Vec::new();
    let mut kind = "";
    for line in run.stdout.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            names.push(help.split_once(' ').expect("a text").0);
        } else if let Some(of) = line.strip_prefix("# TYPE ") {
            let (name, of) = of.split_once(' ').expect("a type");
            assert_eq!(names.last(), Some(&name));
            kind = of;
        } else {
            assert_is_sample(line, names.last().expect("a name"), kind);
        }
    }
    assert_eq!(
        names,
        [
            "lock_acquisitions_total",
            "lock_wait_seconds",
            "lock_held_seconds"
        ]
    );
    if !async_monitor::watch::IS_ON {
        return;
    }
    // The buckets of a histogram only grow, up to its count.
    let till = "{lock=\"Shop.till\",type=\"metrics::Shop\"";
    let bucket = format!("lock_held_seconds_bucket{till},le=\"");
    let lines = run.stdout.lines();
    let buckets: Vec<_> = lines
        .filter_map(|line| line.strip_prefix(&bucket))
        .collect();
    let count = |bucket: &&str| -> u64 {
        let (_, count) = bucket.split_once("\"} ").expect("a bound");
        count.parse().expect("a number")
    };
    let counts: Vec<_> = buckets.iter().map(count).collect();
    assert!(counts.is_sorted(), "{buckets:?}");
    assert_eq!(buckets.last(), Some(&"+Inf\"} 32"));
    assert!(buckets[0].starts_with("0.000001024\"} "), "{buckets:?}");
    assert_eq!(run.line(&format!("lock_held_seconds_count{till}}}")), "32");
    assert_eq!(run.line(&format!("lock_acquisitions_total{till}}}")), "32");
}

/// `name{label="value",..} number`, of that name and type.
#[track_caller]
fn assert_is_sample(line: &str, name: &str, kind: &str) {
    let (sample, rest) = line.split_once('{').expect("labels");
    let (labels, value) = rest.rsplit_once("} ").expect("a value");
    let suffix = sample.strip_prefix(name).expect("the name");
    let suffixes: &[&str] = match kind {
        "histogram" => &["_bucket", "_sum", "_count"],
        _ => &[""],
    };
    assert!(suffixes.contains(&suffix), "{line}");
    assert_eq!(labels.contains("le=\""), suffix == "_bucket", "{line}");
    assert!(
        value.parse::<f64>().is_ok_and(|value| value >= 0.0),
        "{line}"
    );
}

#[test]
fn ticket_office_balances_its_books() {
    let run = run(example("ticket_office").args(["--port", "0", "--load", "60", "--seats", "20"]));
    assert_eq!(run.status, Some(0), "{run:#?}");
    assert_eq!(run.line("money taken: "), run.line("money at bank: "));
    assert!(run.stdout.ends_with("the books balance\n"), "{run:#?}");
}

#[test]
fn ticket_office_says_what_is_wrong_with_its_arguments() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken
        .local_addr()
        .expect("it has an address")
        .port()
        .to_string();
    for (args, status, message) in [
        (
            ["--port", port.as_str()],
            3,
            "cannot listen on 127.0.0.1 port",
        ),
        (["--load", "0"], 2, "0 is not in 1..=20000"),
        (["--seats", "many"], 2, "invalid digit"),
    ] {
        let run = run(example("ticket_office").args(args));
        assert_eq!(run.status, Some(status), "{args:?}: {run:#?}");
        assert!(run.stderr.contains(message), "{args:?}: {run:#?}");
    }
}
