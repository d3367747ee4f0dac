//! How a check is started, and its outcome.

use core::cell::RefCell;
use core::fmt;
use core::future::Future;
use std::env;
use std::time::Duration;

use super::engine::{Counts, Engine};
use super::failure::{Failure, REPLAY, explain, replay};
use super::options::Options;
use super::run::Run;

/// Runs a test in every schedule that matters. See [the module](super).
///
/// # Panics
///
/// If the test fails in a schedule. The message is the table of that schedule.
///
/// # Examples
///
/// ```
/// use async_monitor::{Event, check};
/// use std::sync::Arc;
///
/// check::every_schedule(|run| {
///     let ready = Arc::new(Event::new());
///     let waiter = Arc::clone(&ready);
///     run.spawn("waiter", async move { waiter.wait().await });
///     run.spawn("setter", async move { ready.set() });
/// });
/// ```
#[track_caller]
pub fn every_schedule(test: impl Fn(&mut Run)) -> Outcome {
    Check::new().every_schedule(test)
}

/// A check with bounds of your own.
///
/// ```
/// use async_monitor::{Event, check::Check};
/// use std::sync::Arc;
///
/// Check::new().cancels(2).every_schedule(|run| {
///     let ready = Arc::new(Event::new());
///     let waiter = Arc::clone(&ready);
///     run.spawn("waiter", async move { waiter.wait().await });
///     run.spawn("setter", async move { ready.set() });
/// });
/// ```
#[derive(Clone, Debug, Default)]
pub struct Check {
    options: Options,
}

macro_rules! options {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {
        impl Check {
            $(
                $(#[$doc])*
                #[must_use = "a check does nothing before it is run"]
                pub fn $name(mut self, $name: $type) -> Self {
                    self.options.$name = $name;
                    self
                }
            )*
        }
    };
}

options! {
    /// The maximum number of cancelled tasks in a run. The default is 1. A task is cancelled where
    /// it waits, or would wait in an equivalent schedule.
    ///
    /// ```
    /// use async_monitor::{Event, check::Check};
    /// use std::sync::Arc;
    ///
    /// Check::new().cancels(0).every_schedule(|run| {
    ///     let ready = Arc::new(Event::new());
    ///     let waiter = Arc::clone(&ready);
    ///     run.spawn("waiter", async move { waiter.wait().await });
    ///     run.spawn("setter", async move { ready.set() });
    /// });
    /// ```
    cancels: usize;
    /// The maximum number of timeouts that expire in a run while other tasks can run. The default
    /// is 2.
    ///
    /// ```
    /// use async_monitor::check::Check;
    ///
    /// Check::new().timeouts(1).every_schedule(|run| {
    ///     run.spawn("task", async { /* ... */ });
    /// });
    /// ```
    timeouts: usize;
    /// The number of runs after which the check gives up and proves nothing. The default is 50 000.
    ///
    /// ```
    /// use async_monitor::check::Check;
    ///
    /// Check::new().max_runs(1000).every_schedule(|run| {
    ///     run.spawn("task", async { /* ... */ });
    /// });
    /// ```
    max_runs: u64;
    /// The number of steps after which a run counts as one that never ends. The default is 2000.
    ///
    /// ```
    /// use async_monitor::check::Check;
    ///
    /// Check::new().max_steps(100).every_schedule(|run| {
    ///     run.spawn("task", async { /* ... */ });
    /// });
    /// ```
    max_steps: usize;
    /// The maximum number of tasks. The default, and the upper limit, is 16.
    ///
    /// ```
    /// use async_monitor::check::Check;
    ///
    /// let result = Check::new().tasks(1).run(|run| {
    ///     run.spawn("one", async {});
    /// });
    /// assert!(result.is_ok());
    /// ```
    tasks: usize;
    /// Whether tasks may wait for ever for something that a cancelled task would have done. The
    /// default is `true`.
    ///
    /// ```
    /// use async_monitor::{Event, check::Check};
    /// use std::sync::Arc;
    ///
    /// let result = Check::new().cancels_may_starve(false).run(|run| {
    ///     let ready = Arc::new(Event::new());
    ///     let waiter = Arc::clone(&ready);
    ///     run.spawn("waiter", async move { waiter.wait().await });
    ///     run.spawn("setter", async move { ready.set() });
    /// });
    /// println!("{result:?}");
    /// ```
    cancels_may_starve: bool;
    /// The size of the stack of a task, in bytes. The default is 256 KiB.
    ///
    /// ```
    /// use async_monitor::check::Check;
    ///
    /// Check::new().stack_size(1 << 20).every_schedule(|run| {
    ///     run.spawn("task", async { /* ... */ });
    /// });
    /// ```
    stack_size: usize;
}

impl Check {
    /// A check with the default bounds.
    ///
    /// ```
    /// use async_monitor::{Event, check::Check};
    /// use std::sync::Arc;
    ///
    /// Check::new().every_schedule(|run| {
    ///     let ready = Arc::new(Event::new());
    ///     let waiter = Arc::clone(&ready);
    ///     run.spawn("waiter", async move { waiter.wait().await });
    ///     run.spawn("setter", async move { ready.set() });
    /// });
    /// ```
    #[must_use = "a check does nothing before it is run"]
    pub fn new() -> Self {
        Check::default()
    }

    /// Runs only one schedule, that of a [failure](Failure::replay). The environment variable
    /// `ASYNC_MONITOR_REPLAY` does the same.
    ///
    /// ```
    /// use async_monitor::check::{Check, Run};
    /// use async_monitor::Event;
    ///
    /// let test = |run: &mut Run| run.spawn("waiter", async { Event::new().wait().await });
    /// let failure = Check::new().run(test).expect_err("nobody sets the event");
    /// let schedule = failure.replay().expect("there is a schedule");
    /// let again = Check::new().replay(schedule).run(test).expect_err("nor is it set here");
    /// assert_eq!(again.table(), failure.table());
    /// ```
    #[must_use = "a check does nothing before it is run"]
    pub fn replay(mut self, schedule: &str) -> Self {
        self.options.replay = Some(schedule.to_string());
        self
    }

    /// Runs `runs` random schedules instead of all.
    ///
    /// ```
    /// use async_monitor::{Event, check::Check};
    /// use std::sync::Arc;
    ///
    /// let outcome = Check::new().sample(100).every_schedule(|run| {
    ///     let ready = Arc::new(Event::new());
    ///     let waiter = Arc::clone(&ready);
    ///     run.spawn("waiter", async move { waiter.wait().await });
    ///     run.spawn("setter", async move { ready.set() });
    /// });
    /// assert!(!outcome.is_proof());
    /// ```
    #[must_use = "a check does nothing before it is run"]
    pub fn sample(self, runs: u64) -> Self {
        self.seeded_sample(runs, 0)
    }

    /// Like [`sample`](Self::sample), but with a seed of your own.
    ///
    /// ```
    /// use async_monitor::check::Check;
    ///
    /// Check::new().seeded_sample(100, 7).every_schedule(|run| {
    ///     run.spawn("task", async { /* ... */ });
    /// });
    /// ```
    #[must_use = "a check does nothing before it is run"]
    pub fn seeded_sample(mut self, runs: u64, seed: u64) -> Self {
        self.options.sample = Some((runs, seed));
        self
    }

    /// Runs a test in every schedule that matters.
    ///
    /// # Panics
    ///
    /// If the test fails in a schedule. The message is the table of that schedule.
    ///
    /// # Examples
    ///
    /// ```
    /// use async_monitor::{Event, check::Check};
    /// use std::sync::Arc;
    ///
    /// let outcome = Check::new().cancels(0).every_schedule(|run| {
    ///     let ready = Arc::new(Event::new());
    ///     let waiter = Arc::clone(&ready);
    ///     run.spawn("waiter", async move { waiter.wait().await });
    ///     run.spawn("setter", async move { ready.set() });
    /// });
    /// assert!(outcome.is_proof());
    /// ```
    #[track_caller]
    pub fn every_schedule(&self, test: impl Fn(&mut Run)) -> Outcome {
        match self.run(test) {
            Ok(outcome) => {
                std::eprintln!("{outcome}");
                outcome
            }
            Err(failure) => panic!("{failure}"),
        }
    }

    /// The same for a test that is a future, and makes its tasks by [`spawn`](super::spawn).
    #[doc(hidden)]
    #[track_caller]
    pub fn __every_schedule_of<F: Future<Output = ()> + 'static>(
        &self,
        name: &str,
        test: impl Fn() -> F,
    ) -> Outcome {
        self.every_schedule(|run| run.uncancelled(name, test()))
    }

    /// Runs a test in every schedule that matters, and returns the result.
    ///
    /// # Errors
    ///
    /// A failure of the test.
    ///
    /// # Panics
    ///
    /// If `test` panics while it creates the tasks, if panics abort the process, or if the check is
    /// run by a destructor while a panic unwinds, or by a task of another check.
    ///
    /// # Examples
    ///
    /// ```
    /// use async_monitor::{Event, check::Check};
    ///
    /// let failure = Check::new().run(|run| {
    ///     run.spawn("waiter", async { Event::new().wait().await });
    /// });
    /// println!("{}", failure.expect_err("nobody sets the event"));
    /// ```
    pub fn run(&self, test: impl Fn(&mut Run)) -> Result<Outcome, Failure> {
        if cfg!(panic = "abort") {
            panic!("a check runs into panics and goes on: it needs `panic = \"unwind\"`")
        }
        assert!(
            !std::thread::panicking(),
            "a check is run while its thread panics, when it cannot see the panics of its tasks"
        );
        assert!(
            !super::session::is_current(),
            "a check is run within another one"
        );
        let mut engine = Engine::new(&test, self.options.clone());
        let schedule = self.options.replay.clone();
        if let Some(schedule) = schedule.or_else(|| env::var(REPLAY).ok()) {
            return replay(&mut engine, &schedule);
        }
        let found = match self.options.sample {
            Some((runs, seed)) => engine.sample(runs, seed),
            None => engine.search(),
        };
        let outcome = Outcome::new(&engine);
        match found {
            Ok(()) => Ok(outcome),
            Err((schedule, end)) => Err(explain(&mut engine, schedule, end, outcome)),
        }
    }

    /// The classes that the search finds, and those that exhaustive runs find: if these are more
    /// than `max_runs`, the first ones and half as many random ones. The argument of the test says
    /// which runs it is for: 0 for a search that learns which operations conflict, 1 for a search
    /// that knows, 2 for the exhaustive runs.
    #[doc(hidden)]
    pub fn __compare(
        &self,
        test: impl Fn(&mut Run, usize),
    ) -> [Result<(Outcome, Vec<u64>), Failure>; 3] {
        let learned = RefCell::default();
        let names = RefCell::default();
        [0, 1, 2].map(|phase| {
            let test = |run: &mut Run| test(run, phase);
            let mut options = self.options.clone();
            if phase < 2 {
                options.max_runs *= 20;
            }
            let mut engine = Engine::new(&test, options);
            engine.session.learned.swap(&learned);
            engine.session.names.swap(&names);
            engine.collects = true;
            let found = match phase {
                0 | 1 => engine.search(),
                _ => engine.search_everything().and_then(|()| {
                    if engine.is_complete {
                        return Ok(());
                    }
                    engine.sample(self.options.max_runs / 2, 0)
                }),
            };
            let outcome = Outcome::new(&engine);
            let mut classes: Vec<u64> = engine.classes.iter().copied().collect();
            classes.sort_unstable();
            let result = match found {
                Ok(()) => Ok((outcome, classes)),
                Err((schedule, end)) => Err(explain(&mut engine, schedule, end, outcome)),
            };
            engine.session.learned.swap(&learned);
            engine.session.names.swap(&names);
            result
        })
    }
}

/// The extent of a check: schedules, steps and time.
///
/// ```
/// use async_monitor::check::every_schedule;
///
/// let outcome = every_schedule(|run| run.spawn("task", async {}));
/// println!("{outcome}");
/// assert!(outcome.is_proof());
/// ```
#[derive(Clone, Debug)]
pub struct Outcome {
    counts: Counts,
    elapsed: Duration,
    is_complete: bool,
    is_sample: bool,
}

impl Outcome {
    pub(super) fn new(engine: &Engine<'_>) -> Self {
        Outcome {
            counts: engine.counts,
            elapsed: engine.elapsed(),
            is_complete: engine.is_complete,
            is_sample: engine.options.sample.is_some(),
        }
    }

    /// The number of schedules that were run to their end: one of each class of equivalent
    /// schedules.
    ///
    /// ```
    /// use async_monitor::check::every_schedule;
    ///
    /// let outcome = every_schedule(|run| run.spawn("task", async {}));
    /// assert_eq!(outcome.schedules(), 1);
    /// ```
    pub fn schedules(&self) -> u64 {
        self.counts.runs
    }

    /// The number of further schedules that were started, but found equivalent to one already run.
    ///
    /// ```
    /// use async_monitor::check::every_schedule;
    ///
    /// let outcome = every_schedule(|run| run.spawn("task", async {}));
    /// assert_eq!(outcome.redundant(), 0);
    /// ```
    pub fn redundant(&self) -> u64 {
        self.counts.redundant
    }

    /// The total number of steps.
    ///
    /// ```
    /// use async_monitor::check::every_schedule;
    ///
    /// let outcome = every_schedule(|run| run.spawn("task", async {}));
    /// println!("{} steps", outcome.steps());
    /// ```
    pub fn steps(&self) -> u64 {
        self.counts.steps
    }

    /// The duration of the check.
    ///
    /// ```
    /// use async_monitor::check::every_schedule;
    ///
    /// let outcome = every_schedule(|run| run.spawn("task", async {}));
    /// println!("{} schedules in {:?}", outcome.schedules(), outcome.elapsed());
    /// ```
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Whether all schedules that matter were run, within the bounds for cancels and timeouts.
    ///
    /// ```
    /// use async_monitor::check::Check;
    ///
    /// let sample = Check::new().sample(10).every_schedule(|run| run.spawn("task", async {}));
    /// assert!(!sample.is_proof());
    /// ```
    pub fn is_proof(&self) -> bool {
        self.is_complete
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts {
            runs,
            redundant,
            steps,
            depth,
            ..
        } = self.counts;
        let millis = self.elapsed.as_secs_f64() * 1e3;
        if self.is_complete {
            write!(f, "checked: {runs} classes of schedules")?;
        } else if self.is_sample {
            write!(f, "NO PROOF: {runs} schedules at random")?;
        } else {
            write!(
                f,
                "NO PROOF: stopped after {} runs (`max_runs`); {runs} classes of schedules",
                runs + redundant
            )?;
        }
        write!(f, ", {steps} steps, {depth} in the longest, {millis:.1} ms")?;
        if redundant > 0 {
            write!(f, " ({redundant} redundant)")?;
        }
        Ok(())
    }
}
