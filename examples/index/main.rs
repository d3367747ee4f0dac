//! Counts the words of all text files below a directory, with many tasks that
//! share one guarded index.
//!
//! ```text
//! cargo run --release --example index -- ~/src --check
//! ```
//!
//! | file | what |
//! |---|---|
//! | `main.rs` | the command line, the report, the exit status |
//! | `job.rs` | the tasks and their shared state: all primitives together |
//! | `index.rs` | the guarded index: two locks, and the data of each |
//! | `queue.rs` | a bounded queue, made of two semaphores |
//! | `text.rs` | the definitions of text files, texts and words |
//! | `check.rs` | the same count on one thread, done in another way |
//! | `executor.rs` | tokio or smol: the primitives work with either |

mod check;
mod executor;
mod index;
mod job;
mod queue;
mod text;

use std::cmp::Reverse;
use std::fmt::Display;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use crate::executor::Executor;
use crate::index::{Entry, Totals};

/// Counts the words of all text files below a directory.
///
/// A word is a run of letters, digits and underscores, in lower case and at
/// most 255 bytes long. A text file is valid UTF-8 and has no NUL byte in its
/// first 8 KiB; all other files are counted as binary. Symbolic links are not
/// followed. Directories named `.git` are left out, and so are those that hold
/// a CACHEDIR.TAG, such as the `target` of cargo.
#[derive(Parser)]
#[command(verbatim_doc_comment, after_long_help = EXIT_STATUS)]
struct Args {
    /// Where the files are [default: this repository]
    dir: Option<PathBuf>,

    /// How many tasks share the work
    #[arg(long, value_name = "N", default_value_t = 32)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: u16,

    /// What runs the tasks
    #[arg(long, value_name = "NAME", value_enum, default_value_t = Executor::Tokio)]
    executor: Executor,

    /// How many of the most frequent words to print
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,

    /// Count again on one thread, and compare
    #[arg(long)]
    check: bool,
}

const EXIT_STATUS: &str = "\
Exit status:
  0  all text files were counted, even if there were none
  1  --check found a difference; or a file has changed meanwhile
  2  wrong arguments, or DIR is not a directory that can be read
  3  something below DIR could not be read, the report could not be written,
     or the executor could not be started";

const DIFFERENT: u8 = 1;
const WRONG_ARGUMENTS: u8 = 2;
const INCOMPLETE: u8 = 3;

fn main() -> ExitCode {
    let args = Args::parse();
    let repository = || PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let dir = args.dir.unwrap_or_else(repository);
    if let Err(error) = fs::read_dir(&dir) {
        complain(format_args!("cannot read {}: {error}", dir.display()));
        return ExitCode::from(WRONG_ARGUMENTS);
    }

    let bar = progress_bar();
    let job = job::run(args.executor, args.workers.into(), dir.clone(), bar);
    let (totals, time) = match args.executor.run(job) {
        Ok(result) => result,
        Err(error) => {
            complain(format_args!("cannot start {}: {error}", args.executor));
            return ExitCode::from(INCOMPLETE);
        }
    };

    let mut status = 0;
    for failure in &totals.unreadable {
        complain(failure);
        status = INCOMPLETE;
    }
    if totals.files == 0 {
        complain(format_args!("no text files below {}", dir.display()));
    }

    let mut report = describe(&totals, args.top);
    let (executor, workers) = (args.executor, args.workers);
    report += &format!("time          {time:.3?} on {executor}, workers: {workers}\n");
    if args.check {
        let start = Instant::now();
        let differences = check::differences(&totals, &check::count(&dir));
        for difference in &differences {
            complain(format_args!("check: {difference}"));
            status = DIFFERENT;
        }
        if differences.is_empty() {
            let time = start.elapsed();
            report += &format!("check         the same, {time:.3?} on one thread\n");
        }
    }

    // Written last, so that the exit status does not depend on the reader, who
    // may have gone (`index | head -1`) without that being an error.
    match io::stdout().write_all(report.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            complain(format_args!("cannot write the report: {error}"));
            ExitCode::from(INCOMPLETE)
        }
        _ => ExitCode::from(status),
    }
}

/// The top words and all counts, a line each.
fn describe(totals: &Totals, top: usize) -> String {
    let mut words: Vec<_> = totals.entries.iter().collect();
    words.sort_unstable_by_key(|&(word, entry)| (Reverse(entry.occurrences), word));

    let mut text = String::new();
    for (word, Entry { occurrences, files }) in words.iter().take(top) {
        let all = totals.files;
        text += &format!("{occurrences:>10}  {word}, in {files} of {all} files\n");
    }
    text += &format!(
        "words         {}, {} different\n",
        totals.occurrences,
        words.len()
    );
    text += &format!("text files    {}, {} bytes\n", totals.files, totals.bytes);
    text += &format!("binary files  {}\n", totals.binary);
    text += &format!("unreadable    {}\n", totals.unreadable.len());
    text
}

/// A bar on stderr; hidden by itself where that is not a terminal.
fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files, {elapsed}");
    ProgressBar::no_length().with_style(style.expect("the template is correct"))
}

/// Says what went wrong. Not `eprintln!`, which panics when nobody reads it.
fn complain(problem: impl Display) {
    let _ = writeln!(io::stderr(), "index: {problem}");
}
