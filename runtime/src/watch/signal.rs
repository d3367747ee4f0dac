//! Answers to whoever asks the process from outside.
//!
//! A thread of its own waits for the signal. Nothing is done in the handler but to wake it, and
//! the thread takes no lock but the mutex of the registry, under which nothing waits. So
//! there is an answer whatever the other threads are blocked in.
//!
//! # How `async-monitor ps` finds the process
//!
//! In the temporary folder is `async-monitor-UID`, of the effective user and for nobody else
//! (mode 0700; another folder of that name is refused), with, for the process PID:
//!
//! | file | written by | what |
//! |---|---|---|
//! | `PID.json` | the process, as it begins to listen | `{"version": 1, "pid": PID, "signal": 10}`. It stays locked (`flock`) while the process lives and is the same program: without the lock, the file is left over |
//! | `PID.ask` | who asks, before the signal | empty: the answer is to be a file. Without it, the signal came from `kill`, and the answer is printed |
//! | `PID.answer.json` | the process | `{"version": 1, "pid": PID, "number": N, "report": {..}}`, where N counts the answers |
//!
//! What the process writes is written to another name, with mode 0600, and renamed.

use core::fmt::Display;
use std::borrow::ToOwned;
use std::format;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::vec::Vec;

use rustix::fs::{FlockOperation, OFlags, flock};
use serde::Serialize;
use signal_hook::consts::{FORBIDDEN, SIGUSR1};
use signal_hook::iterator::Signals;

use super::Report;

/// Of the files.
const VERSION: u32 = 1;

/// From now on, the process can be asked for a report, even while all threads of its executors are
/// blocked: `kill -USR1 PID` makes it print [`report`](super::report) to stderr, and
/// `async-monitor ps PID` shows it.
///
/// Starts a thread. Call it once, best at the beginning of `main`. With [`OnSignal`], you can
/// choose another signal, or a file to print to.
///
/// # Errors
///
/// If it was called before, if the signal or the thread is refused, or if the files by which
/// `async-monitor ps` finds the process cannot be written (see [`OnSignal::unannounced`]).
///
/// # Examples
///
/// ```
/// use async_monitor::watch;
///
/// # fn main() -> std::io::Result<()> {
/// watch::on_signal()?;
/// # Ok(())
/// # }
/// ```
pub fn on_signal() -> io::Result<()> {
    OnSignal::new().start()
}

/// The options of [`on_signal`]: the signal, and where the report goes.
///
/// ```no_run
/// use async_monitor::watch::OnSignal;
///
/// # fn main() -> std::io::Result<()> {
/// OnSignal::new().append_to("/var/log/bank.hangs").start()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing listens before `start`"]
pub struct OnSignal {
    signal: i32,
    file: Option<PathBuf>,
    is_announced: bool,
}

impl Default for OnSignal {
    fn default() -> Self {
        OnSignal::new()
    }
}

impl OnSignal {
    /// The default options: on SIGUSR1, the report is printed to stderr.
    ///
    /// ```no_run
    /// use async_monitor::watch::OnSignal;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// OnSignal::new().start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn new() -> Self {
        OnSignal {
            signal: SIGUSR1,
            file: None,
            is_announced: true,
        }
    }

    /// Sets another signal. It must be a named one, because `async-monitor ps` sends no real-time
    /// signals.
    ///
    /// ```no_run
    /// use async_monitor::watch::OnSignal;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// # const SIGUSR2: i32 = 12;
    /// // The number of the `libc` or `signal-hook` crate.
    /// OnSignal::new().signal(SIGUSR2).start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn signal(mut self, signal: i32) -> Self {
        self.signal = signal;
        self
    }

    /// Appends the report to `file` instead. If the file does not exist, it is created, readable
    /// only by the user.
    ///
    /// ```no_run
    /// use async_monitor::watch::OnSignal;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// OnSignal::new().append_to("/var/log/bank.hangs").start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn append_to(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Writes no files for `async-monitor ps`, which then cannot ask the process. For systems
    /// without a writable temporary folder.
    ///
    /// ```no_run
    /// use async_monitor::watch::OnSignal;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// OnSignal::new().unannounced().start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn unannounced(mut self) -> Self {
        self.is_announced = false;
        self
    }

    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// As for [`on_signal`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use async_monitor::watch::OnSignal;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// if let Err(error) = OnSignal::new().start() {
    ///     eprintln!("nobody can ask what hangs: {error}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn start(self) -> io::Result<()> {
        static IS_STARTED: AtomicBool = AtomicBool::new(false);

        if FORBIDDEN.contains(&self.signal) {
            let message = format!("the signal {} cannot be listened for", self.signal);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        if IS_STARTED.swap(true, Ordering::Relaxed) {
            let message = "the process listens for a signal already";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        self.listen()
            .inspect_err(|_| IS_STARTED.store(false, Ordering::Relaxed))
    }

    fn listen(self) -> io::Result<()> {
        // Before the announcement: who asks must not end the process.
        let mut signals = Signals::new([self.signal])?;
        let mut desk = match self.is_announced {
            true => Some(Desk::open(self.signal)?),
            false => None,
        };
        let listener = thread::Builder::new().name("async-monitor-signal".into());
        listener.spawn(move || {
            for _ in &mut signals {
                let report = super::report();
                // Whatever goes wrong, there is nobody to tell.
                let _ = match &mut desk {
                    Some(desk) if desk.is_asked() => desk.answer(&report),
                    Some(_) | None => self.print(&report),
                };
            }
        })?;
        Ok(())
    }

    fn print(&self, report: &Report) -> io::Result<()> {
        match &self.file {
            Some(path) => {
                let mut file = OpenOptions::new();
                let mut file = file.append(true).create(true).mode(0o600).open(path)?;
                print(&mut file, report)
            }
            // Not by `eprintln!`: a thread that hangs may have stderr locked.
            None => print(
                &mut File::from(io::stderr().as_fd().try_clone_to_owned()?),
                report,
            ),
        }
    }
}

/// In one piece, so that nothing comes in between.
fn print(file: &mut File, report: &dyn Display) -> io::Result<()> {
    file.write_all(format!("{report}\n").as_bytes())
}

#[derive(Serialize)]
struct Announcement {
    version: u32,
    pid: u32,
    signal: i32,
}

#[derive(Serialize)]
struct Answer<'a> {
    version: u32,
    pid: u32,
    number: u64,
    report: &'a Report,
}

/// The files by which the process is asked.
struct Desk {
    folder: PathBuf,
    pid: u32,
    answers: u64,
    /// Locked.
    _announcement: File,
}

impl Desk {
    fn open(signal: i32) -> io::Result<Self> {
        let user = rustix::process::geteuid().as_raw();
        let folder = std::env::temp_dir().join(format!("async-monitor-{user}"));
        make_private_folder(&folder, user)?;
        remove_left_overs(&folder);
        let pid = process::id();
        // Of another process that had the number.
        let _ = fs::remove_file(folder.join(format!("{pid}.answer.json")));
        let _ = fs::remove_file(folder.join(format!("{pid}.ask")));
        let announcement = Announcement {
            version: VERSION,
            pid,
            signal,
        };
        let name = format!("{pid}.json");
        let announcement = write_private(&folder, &name, &announcement, |file| {
            Ok(flock(file, FlockOperation::NonBlockingLockExclusive)?)
        })?;
        Ok(Desk {
            folder,
            pid,
            answers: 0,
            _announcement: announcement,
        })
    }

    fn is_asked(&self) -> bool {
        // A process that was forked has no such thread; what it is asked, it is not asked here.
        fs::remove_file(self.folder.join(format!("{}.ask", self.pid))).is_ok()
    }

    fn answer(&mut self, report: &Report) -> io::Result<()> {
        self.answers += 1;
        let answer = Answer {
            version: VERSION,
            pid: self.pid,
            number: self.answers,
            report,
        };
        let name = format!("{}.answer.json", self.pid);
        write_private(&self.folder, &name, &answer, |_| Ok(()))?;
        Ok(())
    }
}

/// Makes the folder, or accepts it if nobody else can have put anything into it. No link is
/// followed.
fn make_private_folder(folder: &Path, user: u32) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let metadata = fs::symlink_metadata(folder)?;
    if metadata.is_dir() && metadata.uid() == user && metadata.mode() & 0o077 == 0 {
        return Ok(());
    }
    let message = format!("`{}` is not a folder of this user alone", folder.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

/// Removes the files of processes that have ended.
fn remove_left_overs(folder: &Path) {
    let Ok(files) = fs::read_dir(folder) else {
        return;
    };
    let names: Vec<_> = files
        .filter_map(|file| file.ok()?.file_name().into_string().ok())
        .collect();
    for name in &names {
        let Some(pid) = name.strip_suffix(".json") else {
            continue;
        };
        // No other name is a number.
        if pid.parse::<u32>().is_err() || !is_left_over(&folder.join(name)) {
            continue;
        }
        for end in [".json", ".answer.json", ".ask"] {
            let _ = fs::remove_file(folder.join(pid.to_owned() + end));
        }
    }
}

fn is_left_over(announcement: &Path) -> bool {
    // Not to wait, whatever it is.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let mut file = OpenOptions::new();
    file.read(true)
        .custom_flags(flags)
        .open(announcement)
        .is_ok_and(|file| flock(file, FlockOperation::NonBlockingLockShared).is_ok())
}

/// Writes a file of the folder, so that it appears with its whole content, after `prepare`.
fn write_private(
    folder: &Path,
    name: &str,
    content: &impl Serialize,
    prepare: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<File> {
    let temporary = folder.join(format!("{name}.new"));
    let _ = fs::remove_file(&temporary);
    let mut file = OpenOptions::new();
    // Never one that is there, nor where a link leads.
    let file = file.write(true).create_new(true).mode(0o600);
    let mut file = file.open(&temporary)?;
    prepare(&file)?;
    file.write_all(&serde_json::to_vec(content)?)?;
    fs::rename(&temporary, folder.join(name))?;
    Ok(file)
}
