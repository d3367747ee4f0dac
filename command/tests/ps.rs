//! `async-monitor ps`, on processes that hang: the program of this test, run again.

#![cfg(unix)]

use std::fs::{self, DirBuilder, File};
use std::future::poll_fn;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use async_monitor::watch::{self, OnSignal};
use async_monitor::{Guarded, Lock, synchronized};
use futures::executor::block_on;
use serde_json::Value;

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

impl Account {
    #[synchronized(ledger)]
    async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
    }

    #[synchronized(ledger)]
    async fn pay(&self, other: &Account, amount: i64, both_hold: &Barrier) {
        *ledger.balance -= amount;
        both_hold.wait();
        other.deposit(amount).await;
    }

    #[synchronized(ledger, blocking)]
    fn pay_blocking(&self, other: &Account, amount: i64, both_hold: &Barrier) {
        *ledger.balance -= amount;
        both_hold.wait();
        other.deposit_blocking(amount);
    }

    #[synchronized(ledger, blocking)]
    fn deposit_blocking(&self, amount: i64) {
        *ledger.balance += amount;
    }
}

/// Set for the program that is run again: what it does.
const ROLE: &str = "ASYNC_MONITOR_TEST_ROLE";

/// Not a test: what the processes do that are asked.
#[test]
fn process() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    watch::set_threshold(Duration::from_millis(50));
    watch::set_hook(|_| ());
    match role.as_str() {
        "deaf" => {}
        "unannounced" => OnSignal::new().unannounced().start().unwrap(),
        "file" => {
            let file = std::env::temp_dir().join("printed");
            OnSignal::new().append_to(file).signal(12).start().unwrap();
        }
        _ => {
            watch::on_signal().unwrap();
            assert!(watch::on_signal().is_err(), "once is enough");
            assert!(OnSignal::new().signal(9).start().is_err());
        }
    }
    let accounts: Arc<[Account; 2]> = Arc::default();
    let both_hold = Arc::new(Barrier::new(2));
    match role.as_str() {
        "busy" => in_and_out_of_the_registry(),
        // Both threads of the executor are parked within a poll.
        "parked" => {
            let mut pool = futures::executor::ThreadPool::builder();
            let pool = pool.pool_size(2).create().unwrap();
            for index in 0..2 {
                let (accounts, both_hold) = (Arc::clone(&accounts), Arc::clone(&both_hold));
                pool.spawn_ok(async move {
                    accounts[index].pay_blocking(&accounts[1 - index], 1, &both_hold);
                });
            }
            std::mem::forget(pool);
        }
        // A thread that hangs with stderr locked keeps no answer back.
        _ => {
            let stderr = std::io::stderr().lock();
            for index in 0..2 {
                let (accounts, both_hold) = (Arc::clone(&accounts), Arc::clone(&both_hold));
                thread::spawn(move || {
                    block_on(accounts[index].pay(&accounts[1 - index], 1, &both_hold))
                });
            }
            std::mem::forget(stderr);
        }
    }
    println!("\nready");
    thread::sleep(Duration::from_secs(60));
}

fn in_and_out_of_the_registry() {
    for _ in 0..2 {
        thread::spawn(|| {
            let account = Account::default();
            loop {
                let held = account.try_acquire_ledger();
                let mut waits = Box::pin(account.deposit(1));
                block_on(poll_fn(|cx| {
                    let _ = waits.as_mut().poll(cx);
                    Poll::Ready(())
                }));
                drop(held);
            }
        });
    }
}

/// A process that is asked, and the temporary folder that it shares with who asks.
struct Asked {
    child: Child,
    folder: PathBuf,
}

impl Asked {
    fn new(test: &str, role: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Asked::within(folder, role)
    }

    fn within(folder: PathBuf, role: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["process", "--exact", "--nocapture"])
            .env(ROLE, role)
            .env("TMPDIR", &folder)
            .stdout(Stdio::piped())
            .stderr(File::create(folder.join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line == "ready"));
        // Longer than the threshold.
        thread::sleep(Duration::from_millis(200));
        Asked { child, folder }
    }

    fn ps(&self, args: &[&str]) -> Output {
        ps(&self.folder, self.child.id(), args)
    }

    fn table(&self) -> String {
        let output = self.ps(&[]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn kill(&self, signal: &str) {
        kill(self.child.id(), signal);
    }

    fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What a file holds, once there is something in it.
    fn text(&self, file: &str) -> String {
        let begin = Instant::now();
        loop {
            let text = fs::read_to_string(self.folder.join(file)).unwrap_or_default();
            if text.contains('\n') || begin.elapsed() > Duration::from_secs(10) {
                return text;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The folder in which process and asker find each other.
    fn desk(&self) -> PathBuf {
        let is_desk = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with("async-monitor-")
        };
        let mut entries = fs::read_dir(&self.folder).unwrap();
        entries
            .find_map(|entry| Some(entry.unwrap().path()).filter(is_desk))
            .unwrap()
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn kill(pid: u32, signal: &str) {
    let kill = format!("kill -{signal} {pid}");
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
}

fn ps(folder: &Path, pid: u32, args: &[&str]) -> Output {
    let begin = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_async-monitor"))
        .args(["ps", &pid.to_string()])
        .args(args)
        .env("TMPDIR", folder)
        .output()
        .unwrap();
    assert!(begin.elapsed() < Duration::from_secs(20), "it never hangs");
    output
}

/// It fails, and says so.
fn refused(output: &Output, why: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(why), "{stderr}");
    assert!(output.stdout.is_empty());
}

/// The table of `parked` and `awaiting`, without times.
fn is_the_cycle(table: &str, deposit: &str, pay: &str) {
    for line in [
        "Account.ledger #1  ",
        "Account.ledger #2  ",
        &format!("{pay} "),
        &format!("{deposit} "),
        "1. waits alone  command/tests/ps.rs:",
        "<-- deadlock 1",
        "deadlock 1: each of these waits for a lock that the next one holds",
        &format!("  `{deposit}` (command/tests/ps.rs:"),
        ") waits for Account.ledger #1\n    while it holds Account.ledger #2, acquired by `pay",
        ") waits for Account.ledger #2\n    while it holds Account.ledger #1, acquired by `pay",
    ] {
        assert!(table.contains(line), "{line}\n{table}");
    }
    assert_eq!(table.matches("<-- deadlock 1").count(), 2, "{table}");
}

#[test]
fn executors_whose_threads_are_all_parked() {
    let mut asked = Asked::new("parked", "parked");
    is_the_cycle(&asked.table(), "deposit_blocking", "pay_blocking");
    assert!(asked.is_alive());
}

#[test]
fn tasks_that_wait_for_each_other() {
    let mut asked = Asked::new("awaiting", "awaiting");
    is_the_cycle(&asked.table(), "deposit", "pay");

    let output = asked.ps(&["--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let waits = report["waits"].as_array().unwrap();
    assert!(waits.iter().all(|wait| wait["circle"] == 1), "{report:#}");
    assert_eq!(
        (waits.len(), report["held"].as_array().unwrap().len()),
        (2, 2)
    );

    // It was asked by `ps`, which is not for the process to print.
    assert!(asked.is_alive());
    assert_eq!(fs::read_to_string(asked.folder.join("stderr")).unwrap(), "");
    // By `kill`, it prints; stderr is locked all the while.
    asked.kill("USR1");
    let text = asked.text("stderr");
    assert!(text.contains("2 waiting, 2 held"), "{text}");
    assert!(text.contains("deadlock: it waits in cycle 1"), "{text}");

    // For nobody else.
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&asked.desk()), 0o700);
    for file in fs::read_dir(asked.desk()).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

#[test]
fn another_signal_and_a_file() {
    let mut asked = Asked::new("file", "file");
    asked.kill("12");
    let text = asked.text("printed");
    assert!(text.contains("2 waiting, 2 held"), "{text}");
    is_the_cycle(&asked.table(), "deposit", "pay");
    assert!(asked.is_alive());
}

/// While other threads do nothing but begin waits and end them.
#[test]
fn a_busy_registry() {
    let mut asked = Asked::new("busy", "busy");
    for _ in 0..20 {
        asked.table();
    }
    // Several at a time.
    let asked_by_several = &asked;
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| asked_by_several.table());
        }
    });
    assert!(asked.is_alive());
}

#[test]
fn a_process_that_does_not_listen_is_left_alone() {
    for role in ["deaf", "unannounced"] {
        let mut asked = Asked::new(role, role);
        refused(&asked.ps(&[]), "does not listen, and was left alone");
        thread::sleep(Duration::from_millis(50));
        assert!(asked.is_alive());
    }
    let mut other = Command::new("sleep").arg("60").spawn().unwrap();
    refused(&ps(Path::new("/tmp"), other.id(), &[]), "does not listen");
    thread::sleep(Duration::from_millis(50));
    assert!(other.try_wait().unwrap().is_none());
    other.kill().unwrap();
    // It has ended, and nobody has waited for it: a zombie.
    thread::sleep(Duration::from_millis(50));
    refused(
        &ps(Path::new("/tmp"), other.id(), &[]),
        "there is no process",
    );
    other.wait().unwrap();
    refused(
        &ps(Path::new("/tmp"), other.id(), &[]),
        "there is no process",
    );
    refused(&ps(Path::new("/tmp"), 0, &[]), "there is no process");
}

/// The files of a process that has ended, whose number another one has now.
#[test]
fn files_that_are_left_over() {
    let first = Asked::new("left-over", "awaiting");
    let (desk, folder, old) = (first.desk(), first.folder.clone(), first.child.id());
    first.table();
    drop(first);
    let mut deaf = Asked::within(folder.clone(), "deaf");
    let file = |pid: u32, end: &str| desk.join(format!("{pid}{end}"));
    let announcement = fs::read_to_string(file(old, ".json")).unwrap();
    let forged = announcement.replace(&old.to_string(), &deaf.child.id().to_string());
    fs::write(file(deaf.child.id(), ".json"), &forged).unwrap();
    refused(&deaf.ps(&[]), "does not listen, and was left alone");
    assert!(deaf.is_alive());

    // Even where somebody keeps the file locked, a signal without a handler is not sent.
    if cfg!(target_os = "linux") {
        let locked = File::open(file(deaf.child.id(), ".json")).unwrap();
        rustix::fs::flock(&locked, rustix::fs::FlockOperation::LockExclusive).unwrap();
        refused(&deaf.ps(&[]), "does not listen, and was left alone");
        assert!(deaf.is_alive());
        drop(locked);
    }

    // The next process that listens removes them.
    let next = Asked::within(folder, "awaiting");
    assert!(!file(old, ".json").exists() && !file(old, ".answer.json").exists());
    assert!(!file(deaf.child.id(), ".json").exists());
    next.table();
}

/// Links and pipes in the place of the files lead nowhere.
#[test]
fn files_that_are_something_else() {
    let asked = Asked::new("something-else", "awaiting");
    let answer = asked
        .desk()
        .join(format!("{}.answer.json", asked.child.id()));
    let secret = asked.folder.join("secret");
    fs::write(&secret, "{\"number\": 1000, \"report\": 1}").unwrap();
    symlink(&secret, &answer).unwrap();
    let output = asked.ps(&[]);
    assert_eq!(output.status.code(), Some(1));
    fs::remove_file(&answer).unwrap();

    // Where the process would write, there is a link: the file it leads to stays as it is.
    symlink(
        &secret,
        asked
            .desk()
            .join(format!("{}.answer.json.new", asked.child.id())),
    )
    .unwrap();
    asked.table();
    assert!(fs::read_to_string(&secret).unwrap().contains("1000"));

    // A pipe that nobody writes to, in the place of the announcement.
    let announcement = asked.desk().join(format!("{}.json", asked.child.id()));
    fs::remove_file(&announcement).unwrap();
    let made = Command::new("mkfifo").arg(&announcement).status().unwrap();
    assert!(made.success());
    refused(&asked.ps(&[]), "does not listen");
}

/// A folder that others could have written to is not used, by either side.
#[test]
fn a_folder_of_others() {
    let asked = Asked::new("others", "awaiting");
    let desk = asked.desk();
    fs::set_permissions(&desk, fs::Permissions::from_mode(0o777)).unwrap();
    refused(&asked.ps(&[]), "does not listen");
    let folder = asked.folder.clone();
    drop(asked);

    let fails = |folder: &Path| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["process", "--exact", "--nocapture"])
            .env(ROLE, "awaiting")
            .env("TMPDIR", folder)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success());
        assert!(
            text.contains("is not a folder of this user alone"),
            "{text}"
        );
    };
    fails(&folder);
    fs::remove_dir_all(&desk).unwrap();
    DirBuilder::new()
        .mode(0o700)
        .create(folder.join("elsewhere"))
        .unwrap();
    symlink(folder.join("elsewhere"), &desk).unwrap();
    fails(&folder);
}

#[test]
fn a_process_that_is_stopped_does_not_answer() {
    let mut asked = Asked::new("stopped", "awaiting");
    asked.kill("STOP");
    refused(
        &asked.ps(&["--timeout", "0.3"]),
        "has not answered within 300ms",
    );
    asked.kill("CONT");
    is_the_cycle(&asked.table(), "deposit", "pay");
    assert!(asked.is_alive());
}
