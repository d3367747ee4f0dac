//! A failure that a check has found: its table, and its schedule as text.

use core::fmt;
use std::boxed::Box;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::engine::{End, Engine, Failure as Found, FailureKind};
use super::minimize::{minimize, refined};
use super::report::Outcome;
use super::session::MAX_TASKS;
use super::table::table;
use super::trace::{Choice, MAX_TIMERS};

/// The environment variable with a schedule to run.
pub(super) const REPLAY: &str = "ASYNC_MONITOR_REPLAY";

/// A failing schedule of a test, and its failure.
///
/// ```
/// use async_monitor::{Event, check::Check};
///
/// let result = Check::new().run(|run| {
///     run.spawn("waiter", async { Event::new().wait().await });
/// });
/// let failure = result.expect_err("nobody sets the event");
/// println!("{failure}");
/// ```
#[derive(Clone, Debug)]
pub struct Failure(Box<Shown>);

#[derive(Clone, Debug)]
struct Shown {
    what: String,
    table: String,
    replay: Option<String>,
    outcome: Outcome,
}

impl Failure {
    /// The failure, as text.
    ///
    /// ```
    /// use async_monitor::{Event, check::Check};
    ///
    /// let result = Check::new().run(|run| {
    ///     run.spawn("waiter", async { Event::new().wait().await });
    /// });
    /// let failure = result.expect_err("nobody sets the event");
    /// println!("{}", failure.what());
    /// assert!(!failure.what().is_empty());
    /// ```
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// The schedule as a table: the step, the task, what it does, and where. Empty if there is no
    /// schedule to show.
    ///
    /// ```
    /// use async_monitor::{Event, check::Check};
    ///
    /// let result = Check::new().run(|run| {
    ///     run.spawn("waiter", async { Event::new().wait().await });
    /// });
    /// let failure = result.expect_err("nobody sets the event");
    /// assert!(failure.table().contains("waiter"));
    /// ```
    pub fn table(&self) -> &str {
        &self.0.table
    }

    /// The schedule, for the variable `ASYNC_MONITOR_REPLAY`.
    ///
    /// ```
    /// use async_monitor::{Event, check::Check};
    ///
    /// let result = Check::new().run(|run| {
    ///     run.spawn("waiter", async { Event::new().wait().await });
    /// });
    /// let failure = result.expect_err("nobody sets the event");
    /// println!("ASYNC_MONITOR_REPLAY={}", failure.replay().expect("there is a schedule"));
    /// ```
    pub fn replay(&self) -> Option<&str> {
        self.0.replay.as_deref()
    }

    /// The work of the check up to the failure.
    ///
    /// ```
    /// use async_monitor::{Event, check::Check};
    ///
    /// let result = Check::new().run(|run| {
    ///     run.spawn("waiter", async { Event::new().wait().await });
    /// });
    /// let failure = result.expect_err("nobody sets the event");
    /// assert!(!failure.outcome().is_proof());
    /// ```
    pub fn outcome(&self) -> &Outcome {
        &self.0.outcome
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.table.is_empty() {
            let order = "a schedule fails, in which the tasks do this, one after the other";
            writeln!(f, "{order}:\n\n{}", self.0.table)?;
        }
        write!(f, "=> {}", self.0.what)?;
        if let Some(replay) = &self.0.replay {
            write!(f, "\n\n{REPLAY}={replay}")?;
        }
        Ok(())
    }
}

impl core::error::Error for Failure {}

/// Explains a failure by a table.
pub(super) fn explain(
    engine: &mut Engine<'_>,
    schedule: Vec<Choice>,
    end: End,
    outcome: Outcome,
) -> Failure {
    let found = match end {
        End::Failed(found) => found,
        End::NotDeterministic(text) => return not_deterministic(&text, outcome),
        End::Passed | End::Redundant | End::Learned => unreachable!("no failure"),
    };
    let again = if engine.options.sample.is_some() {
        engine.follow(&schedule, true)
    } else {
        engine.follow_points(&schedule)
    };
    if !matches!(again, End::Failed(again) if again.kind == found.kind) {
        let text = format!(
            "a schedule fails, and does not when it is run again ({})",
            found.text
        );
        return not_deterministic(&text, outcome);
    }
    let fine = match found.kind {
        // It would not become much shorter.
        FailureKind::Endless => None,
        kind if engine.options.sample.is_some() => Some((schedule.clone(), kind)),
        kind => refined(engine, &schedule, kind).map(|schedule| (schedule, kind)),
    };
    let (schedule, is_fine) = match fine {
        Some((schedule, kind)) => (minimize(engine, schedule, kind), true),
        None => (schedule, false),
    };
    let (schedule, found) = shown(engine, &schedule, is_fine, found);
    Failure(Box::new(Shown {
        table: table(&engine.steps, &engine.names, &engine.session.names.borrow()),
        what: found.text,
        replay: Some(written(&schedule, is_fine)),
        outcome,
    }))
}

fn not_deterministic(text: &str, outcome: Outcome) -> Failure {
    Failure(Box::new(Shown {
        what: format!(
            "the test is not deterministic: {text}. What a task does may depend on the schedule \
             alone: not on the time, a random number, the address of something, the order of a \
             `HashMap`, or what an earlier run has left in a `static`"
        ),
        table: String::new(),
        replay: None,
        outcome,
    }))
}

/// Runs a schedule once more, and collects everything for the report.
fn shown(
    engine: &mut Engine<'_>,
    schedule: &[Choice],
    is_fine: bool,
    found: Found,
) -> (Vec<Choice>, Found) {
    engine.session.is_explaining.set(true);
    // Once for the names.
    let end = if is_fine {
        engine.follow(schedule, true);
        engine.follow(schedule, true)
    } else {
        engine.follow_points(schedule)
    };
    engine.session.is_explaining.set(false);
    let found = match end {
        End::Failed(again) => again,
        _ => found,
    };
    (engine.schedule(), found)
}

/// The letters of timers.
const TIMERS: &str = "tuvwyz";

const _: () = assert!(TIMERS.len() == MAX_TIMERS);

/// A schedule as text: the number of a task for each step, with `x` if it is cancelled, one of
/// [`TIMERS`] if a timer expires, and a count if the step is repeated.
fn written(schedule: &[Choice], is_fine: bool) -> String {
    let mut text = if is_fine {
        String::new()
    } else {
        "p".to_string()
    };
    let mut index = 0;
    while index < schedule.len() {
        let choice = schedule[index];
        let count = schedule[index..]
            .iter()
            .take_while(|next| **next == choice)
            .count();
        if index > 0 {
            text.push('.');
        }
        text.push_str(&choice.task().to_string());
        text.push_str(match choice.timer() {
            Some(timer) => &TIMERS[timer..=timer],
            None if choice.is_cancel() => "x",
            None => "",
        });
        if count > 1 {
            text.push_str(&format!("*{count}"));
        }
        index += count;
    }
    text
}

/// Parses the output of [`written`].
fn read(text: &str) -> Option<(Vec<Choice>, bool)> {
    let (text, is_fine) = match text.strip_prefix('p') {
        Some(rest) => (rest, false),
        None => (text, true),
    };
    let mut schedule = Vec::new();
    for part in text.split('.').filter(|part| !part.is_empty()) {
        let (step, count) = part.split_once('*').unwrap_or((part, "1"));
        let digits = step.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
        let task: usize = digits.parse().ok().filter(|task| *task < MAX_TASKS)?;
        let choice = match &step[digits.len()..] {
            "" => Choice::go(task),
            "x" => Choice::cancel(task),
            letter if letter.len() == 1 => Choice::expire(task, TIMERS.find(letter)?),
            _ => return None,
        };
        for _ in 0..count.parse().ok()? {
            schedule.push(choice);
        }
    }
    Some((schedule, is_fine))
}

/// Runs one schedule, and prints panics as usual.
pub(super) fn replay(engine: &mut Engine<'_>, text: &str) -> Result<Outcome, Failure> {
    let Some((schedule, is_fine)) = read(text) else {
        panic!("`{REPLAY}` is no schedule: {text}")
    };
    engine.session.is_explaining.set(true);
    let end = if is_fine {
        engine.follow(&schedule, true)
    } else {
        engine.follow_points(&schedule)
    };
    engine.counts.runs = 1;
    let outcome = Outcome::new(engine);
    match end {
        End::Failed(found) => Err(Failure(Box::new(Shown {
            table: table(&engine.steps, &engine.names, &engine.session.names.borrow()),
            what: found.text,
            replay: Some(written(&engine.schedule(), is_fine)),
            outcome,
        }))),
        _ => Ok(outcome),
    }
}
