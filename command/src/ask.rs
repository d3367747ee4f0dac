//! Asks a process. How both find each other is in `runtime/src/watch/signal.rs`.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, geteuid, kill_process, test_kill_process};
use serde::Deserialize;
use serde_json::Value;

/// Of the files.
const VERSION: u32 = 1;

/// No answer is that long.
const LONGEST: u64 = 64 << 20;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Error {
    NoProcess(u32),
    NotPermitted(u32),
    NotListening { pid: u32, folder: PathBuf },
    OtherVersion { pid: u32, version: u32 },
    NoAnswer { pid: u32, patience: Duration },
    Ended(u32),
    Files { path: PathBuf, error: io::Error },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoProcess(pid) => write!(f, "there is no process {pid}"),
            Error::NotPermitted(pid) => write!(
                f,
                "not permitted to ask the process {pid}: it is another user's"
            ),
            Error::NotListening { pid, folder } => write!(
                f,
                "the process {pid} does not listen, and was left alone: it must be built with the \
                 feature `watch-signal` of async-monitor and call `watch::on_signal()`, with the \
                 same temporary folder as here (looked in `{}`)",
                folder.display()
            ),
            Error::OtherVersion { pid, version } => write!(
                f,
                "the process {pid} answers in another format ({version}, not {VERSION}): use the \
                 `async-monitor` of its version"
            ),
            Error::NoAnswer { pid, patience } => write!(
                f,
                "the process {pid} listens, but has not answered within {patience:?}: is it \
                 stopped?"
            ),
            Error::Ended(pid) => write!(f, "the process {pid} ended before it answered"),
            Error::Files { path, error } => write!(f, "`{}`: {error}", path.display()),
        }
    }
}

#[derive(Deserialize)]
struct Announcement {
    version: u32,
    pid: u32,
    signal: i32,
}

#[derive(Deserialize)]
struct Answer {
    number: u64,
    report: Value,
}

/// The report of the process. Does nothing to one that does not listen: the signal would end
/// it.
pub(crate) fn ask(pid: u32, patience: Duration) -> Result<Value, Error> {
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let process = process.ok_or(Error::NoProcess(pid))?;
    is_alive(process, pid)?;
    let user = user_of(pid);
    let folder = std::env::temp_dir().join(format!("async-monitor-{user}"));
    let announcement = announcement(&folder, user, pid)?;
    let signal = match announcement {
        Some(announcement) if announcement.version != VERSION => {
            let version = announcement.version;
            return Err(Error::OtherVersion { pid, version });
        }
        Some(announcement) if announcement.pid == pid && catches(pid, announcement.signal) => {
            Signal::from_named_raw(announcement.signal)
        }
        Some(_) | None => None,
    };
    let Some(signal) = signal else {
        return Err(Error::NotListening { pid, folder });
    };

    let answer = folder.join(format!("{pid}.answer.json"));
    let number = |answer: Option<Answer>| answer.map_or(0, |answer| answer.number);
    let before = number(read(&answer)?);
    let asked = folder.join(format!("{pid}.ask"));
    mark_asked(&asked)?;
    kill_process(process, signal).map_err(|_| Error::NoProcess(pid))?;
    let begin = Instant::now();
    loop {
        // An answer to somebody who has asked meanwhile is as good.
        match read::<Answer>(&answer)? {
            Some(answer) if answer.number > before => return Ok(answer.report),
            Some(_) | None => {}
        }
        if begin.elapsed() >= patience {
            let _ = fs::remove_file(&asked);
            return Err(Error::NoAnswer { pid, patience });
        }
        is_alive(process, pid).map_err(|_| Error::Ended(pid))?;
        thread::sleep(Duration::from_millis(5));
    }
}

fn is_alive(process: Pid, pid: u32) -> Result<(), Error> {
    match test_kill_process(process) {
        Ok(()) if is_zombie(pid) => Err(Error::NoProcess(pid)),
        Ok(()) => Ok(()),
        Err(Errno::PERM) => Err(Error::NotPermitted(pid)),
        Err(_) => Err(Error::NoProcess(pid)),
    }
}

/// It has ended, and nobody has taken notice.
fn is_zombie(pid: u32) -> bool {
    status(pid, "State:").is_some_and(|state| state.starts_with('Z'))
}

/// A line of the process's status, where there is one (Linux).
fn status(pid: u32, label: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(label))?;
    Some(line.trim().to_owned())
}

/// The effective user; ours where that cannot be known, as only root may ask others.
fn user_of(pid: u32) -> u32 {
    let users = status(pid, "Uid:");
    let effective = users.and_then(|users| users.split_whitespace().nth(1)?.parse().ok());
    effective.unwrap_or_else(|| geteuid().as_raw())
}

/// The process has a handler of the signal, as far as can be known.
fn catches(pid: u32, signal: i32) -> bool {
    if !cfg!(any(target_os = "linux", target_os = "android")) {
        return true;
    }
    let caught = status(pid, "SigCgt:").and_then(|set| u64::from_str_radix(&set, 16).ok());
    let bit = u32::try_from(signal - 1)
        .ok()
        .and_then(|bit| 1_u64.checked_shl(bit));
    matches!((caught, bit), (Some(caught), Some(bit)) if caught & bit != 0)
}

/// What the process has said of itself, if it is the one that did.
fn announcement(folder: &Path, user: u32, pid: u32) -> Result<Option<Announcement>, Error> {
    let Ok(metadata) = fs::symlink_metadata(folder) else {
        return Ok(None);
    };
    // Nobody but the user has put anything into it.
    if !metadata.is_dir() || metadata.uid() != user || metadata.mode() & 0o077 != 0 {
        return Ok(None);
    }
    let path = folder.join(format!("{pid}.json"));
    let Some(mut file) = open(&path)? else {
        return Ok(None);
    };
    // The process keeps it locked while it lives and is the same program.
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Err(Errno::WOULDBLOCK) => {}
        Ok(()) | Err(_) => return Ok(None),
    }
    parse(&mut file, &path)
}

/// A file of the folder: no link, and nothing that blocks.
fn open(path: &Path) -> Result<Option<File>, Error> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    let failed = |error| Error::Files {
        path: path.to_owned(),
        error,
    };
    match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
        Ok(file) => {
            let metadata = file.metadata().map_err(failed)?;
            Ok((metadata.is_file() && metadata.len() <= LONGEST).then_some(file))
        }
    }
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>, Error> {
    match open(path)? {
        Some(mut file) => parse(&mut file, path),
        None => Ok(None),
    }
}

fn parse<T: for<'de> Deserialize<'de>>(file: &mut File, path: &Path) -> Result<Option<T>, Error> {
    let mut text = Vec::new();
    let read = file.take(LONGEST).read_to_end(&mut text);
    let value = read.and_then(|_| Ok(serde_json::from_slice(&text)?));
    value.map(Some).map_err(|error| Error::Files {
        path: path.to_owned(),
        error,
    })
}

/// Makes the file that says that the signal is from here. The process removes it: to do so
/// here could take that of somebody else who asks.
fn mark_asked(path: &Path) -> Result<(), Error> {
    let mut file = OpenOptions::new();
    match file.write(true).create_new(true).mode(0o600).open(path) {
        // Somebody else asks at the same time.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(Error::Files {
            path: path.to_owned(),
            error,
        }),
        Ok(_) | Err(_) => Ok(()),
    }
}
