//! What the command `async-monitor` does: it asks a process that was built with the feature
//! `watch-signal` of the crate `async-monitor`, and has called `watch::on_signal`, what its
//! locks wait for.
//!
//! ```text
//! $ async-monitor ps 4711
//! ```
//!
//! A library, so that the example `ps` of the repository is the same code.

#![cfg_attr(not(unix), allow(dead_code))] // nobody is asked there

#[cfg(unix)]
mod ask;
mod report;
mod table;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

/// What a command line asks for.
#[derive(Debug)]
struct Options {
    pid: u32,
    is_json: bool,
    patience: Duration,
}

/// Asks the process that the arguments name, and prints what it says. `command` is what the
/// user has written before the arguments.
///
/// Fails with 1 if there is no answer, and with 2 if the arguments are wrong.
pub fn ps(command: &str, args: impl IntoIterator<Item = String>) -> ExitCode {
    let options = match parse(args) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{}", usage(command));
            return ExitCode::SUCCESS;
        }
        Err(mistake) => {
            eprintln!("{mistake}\n\n{}", usage(command));
            return ExitCode::from(2);
        }
    };
    let answered = answer(&options).and_then(|answer| {
        // A reader that has gone (`| head`) is no mistake.
        match io::stdout().lock().write_all(answer.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
            Ok(()) | Err(_) => Ok(()),
        }
    });
    match answered {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn usage(command: &str) -> String {
    format!(
        "usage: {command} PID [--json] [--timeout SECONDS]\n\n\
         Prints who holds the locks of a process and who waits for them. The process must have\n\
         been built with the feature `watch-signal`, and have called `watch::on_signal`.\n\n    \
         --json               the report as JSON\n    \
         --timeout SECONDS    how long to wait for the answer (5)"
    )
}

/// Nothing if only the usage is asked for.
fn parse(args: impl IntoIterator<Item = String>) -> Result<Option<Options>, String> {
    let (mut pid, mut is_json, mut patience) = (None, false, Duration::from_secs(5));
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--help" | "-h" => return Ok(None),
            "--json" => is_json = true,
            "--timeout" => {
                let seconds = args.next().and_then(|seconds| seconds.parse().ok());
                let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                patience = timeout.ok_or("`--timeout` takes a number of seconds")?;
            }
            number if pid.is_none() => match number.parse() {
                Ok(number) => pid = Some(number),
                Err(_) => return Err(format!("`{number}` is no process id")),
            },
            _ => return Err(format!("`{arg}` is one argument too many")),
        }
    }
    let pid = pid.ok_or("which process?")?;
    Ok(Some(Options {
        pid,
        is_json,
        patience,
    }))
}

#[cfg(unix)]
fn answer(options: &Options) -> Result<String, String> {
    let report = ask::ask(options.pid, options.patience).map_err(|error| error.to_string())?;
    if options.is_json {
        return serde_json::to_string_pretty(&report)
            .map(|json| json + "\n")
            .map_err(|error| error.to_string());
    }
    let report = report::Report::read(report).map_err(|error| {
        format!(
            "the answer of the process {} cannot be read: {error}",
            options.pid
        )
    })?;
    Ok(table::table(options.pid, &report))
}

#[cfg(not(unix))]
fn answer(_options: &Options) -> Result<String, String> {
    Err("a process can be asked on Unix only".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &str) -> Result<Option<Options>, String> {
        parse(args.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn arguments() {
        let options = parsed("7 --json --timeout 0.5").unwrap().unwrap();
        assert_eq!((options.pid, options.is_json), (7, true));
        assert_eq!(options.patience, Duration::from_millis(500));
        assert!(parsed("7 --help").unwrap().is_none());
        for wrong in [
            "",
            "seven",
            "-7",
            "7 8",
            "7 --jason",
            "7 --timeout",
            "7 --timeout -1",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
