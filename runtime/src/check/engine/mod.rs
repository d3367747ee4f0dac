//! Runs a test again and again, until every class of its schedules was tried.
//!
//! Two schedules are of one *class* if they differ only in the order of steps that do not conflict:
//! they end alike. One of each class is run, by dynamic partial-order reduction (Flanagan and
//! Godefroid, 2005) with source sets and sleep sets (Abdulla, Aronis, Jonsson and Sagonas, 2014).
//! Only the current schedule is stored: a run follows it up to the last choice with an untried
//! alternative, and then deviates.
//!
//! # Invariants
//!
//! - **CE1** The nodes are the choices of the last run, in order, and the events of the trace are
//!   their results.
//! - **CE2** The conflict relation depends on [`Learned`](super::state::Learned) and on the
//!   numbers of primitives. These are the same in all runs since the search started. When they
//!   change, the search starts again.
//! - **CE3** The operations of a task between two scheduling points conflict with nothing: a release
//!   is not a scheduling point only if no operation that it conflicts with was seen.

mod step;

use std::boxed::Box;
use std::collections::HashSet;
use std::format;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::string::String;
use std::time::{Duration, Instant};
use std::vec::Vec;

use super::options::Options;
use super::quiet::Quiet;
use super::random::Random;
use super::relation::Operation;
use super::run::Run;
use super::running::Running;
use super::session::{Command, MAX_TASKS, Session};
use super::state::Note;
use super::tasks::{TaskState, Tasks, message};
use super::trace::{CANCEL, Choice, Choices, GO, Race, Trace};
use crate::checking::Awaits;
use crate::panics;
use crate::queue::of_run;

/// The kind of a failure, which a shorter schedule must reproduce.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FailureKind {
    Panic,
    Always,
    Finally,
    Deadlock,
    Endless,
    Foreign,
}

#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    pub(super) text: String,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// All tasks have ended, or wait for an operation that a cancelled task would have done.
    Passed,
    Failed(Failure),
    /// All continuations have been tried.
    Redundant,
    /// Something was learned, so the search has to start again.
    Learned,
    /// The test behaves differently in the same schedule.
    NotDeterministic(String),
}

/// A choice of a run.
#[derive(Clone)]
struct Node {
    enabled: Choices,
    chosen: Choice,
    backtrack: Choices,
    done: Choices,
    sleep: Choices,
    /// For each task in `sleep` and `done`: the tasks that its next step has woken.
    woke: [u32; MAX_TASKS],
}

/// How the next choice of a run is made.
pub(super) enum How<'a> {
    /// By the search.
    Search,
    /// Repeats the last run.
    Again,
    /// Tries everything that is possible.
    Everything,
    /// Follows a schedule, as far as that is possible, and then goes on with as few switches as
    /// possible. If not every operation is a scheduling point in it, a task goes on to its next
    /// scheduling point there.
    Follow {
        schedule: &'a [Choice],
        is_fine: bool,
        goes_on: bool,
    },
    Random(&'a mut Random),
    /// Follows a schedule, and refuses the request of its last choice.
    Refuse(&'a [Choice]),
}

/// A step of a run, for its explanation.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) choice: Choice,
    pub(super) operation: Option<Operation>,
    pub(super) note: Note,
    /// What the task waits for after the step.
    pub(super) waits: Option<(u32, Awaits)>,
    /// It has acquired something.
    pub(super) has_acquired: bool,
}

/// What has been done so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) runs: u64,
    pub(super) redundant: u64,
    pub(super) steps: u64,
    pub(super) restarts: u32,
    pub(super) depth: usize,
}

pub(super) struct Engine<'t> {
    test: &'t dyn Fn(&mut Run),
    pub(super) options: Options,
    pub(super) session: Rc<Session>,
    nodes: Vec<Node>,
    trace: Trace,
    races: Vec<Race>,
    pub(super) counts: Counts,
    pub(super) classes: HashSet<u64>,
    /// Whether to collect the classes.
    pub(super) collects: bool,
    /// Schedules whose last choice is an arrival, if it is not known whether the task suspends
    /// when that has to wait.
    probes: Vec<Vec<Choice>>,
    pub(super) steps: Vec<Step>,
    pub(super) names: Vec<String>,
    begin: Instant,
    next_word: Duration,
    /// False once a bound has been reached.
    pub(super) is_complete: bool,
}

impl<'t> Engine<'t> {
    pub(super) fn new(test: &'t dyn Fn(&mut Run), options: Options) -> Self {
        let session = Rc::new(Session::new());
        session.may_cancel.set(options.cancels > 0);
        Engine {
            test,
            options,
            session,
            nodes: Vec::new(),
            trace: Trace::default(),
            races: Vec::new(),
            counts: Counts::default(),
            classes: HashSet::new(),
            collects: false,
            probes: Vec::new(),
            steps: Vec::new(),
            names: Vec::new(),
            begin: Instant::now(),
            next_word: Duration::from_secs(1),
            is_complete: false,
        }
    }

    /// Tries one schedule of each class. Returns the first failure, and its schedule.
    pub(super) fn search(&mut self) -> Result<(), (Vec<Choice>, End)> {
        'anew: loop {
            self.nodes.clear();
            self.probes.clear();
            self.classes.clear();
            let restarts = self.counts.restarts;
            self.counts = Counts {
                restarts,
                ..Counts::default()
            };
            self.session.learned.borrow_mut().has_changed = false;
            let mut first = None;
            loop {
                let end = self.run(&mut How::Search);
                if self.has_learned() {
                    self.counts.restarts += 1;
                    continue 'anew;
                }
                self.count(&end);
                if let End::Failed(_) | End::NotDeterministic(_) = end {
                    return Err((self.schedule(), end));
                }
                let first = match &mut first {
                    Some(first) => first,
                    None => {
                        if let Some(end) = self.compare_with_another_run() {
                            return Err((self.schedule(), end));
                        }
                        first.insert((self.nodes.clone(), self.trace.clone()))
                    }
                };
                if !self.probe() {
                    self.counts.restarts += 1;
                    continue 'anew;
                }
                let is_out_of_bounds = self.is_out_of_bounds();
                if is_out_of_bounds || !self.next_schedule() {
                    // The runs since then may have left state behind.
                    (self.nodes, self.trace) = core::mem::take(first);
                    if let Some(end) = self.compare_with_another_run() {
                        return Err((self.schedule(), end));
                    }
                    self.is_complete = !is_out_of_bounds;
                    return Ok(());
                }
            }
        }
    }

    /// Tries all schedules with every operation as a scheduling point, up to the bound.
    pub(super) fn search_everything(&mut self) -> Result<(), (Vec<Choice>, End)> {
        self.session.is_fine.set(true);
        self.session.learned.borrow_mut().has_changed = false;
        self.nodes.clear();
        self.classes.clear();
        loop {
            let end = self.run(&mut How::Everything);
            if self.has_learned() {
                return self.search_everything();
            }
            self.count(&end);
            if let End::Failed(_) | End::NotDeterministic(_) = end {
                return Err((self.schedule(), end));
            }
            if self.is_out_of_bounds() {
                return Ok(());
            }
            if !self.next_schedule() {
                self.is_complete = true;
                return Ok(());
            }
        }
    }

    /// Tries schedules at random.
    pub(super) fn sample(&mut self, runs: u64, seed: u64) -> Result<(), (Vec<Choice>, End)> {
        self.session.is_fine.set(true);
        let mut random = Random::new(seed);
        for _ in 0..runs {
            self.nodes.clear();
            let names = self.collects.then(|| self.session.names.borrow().clone());
            let end = self.run(&mut How::Random(&mut random));
            match names {
                // Its class would differ.
                Some(names) if !self.session.names.borrow().is_like(&names) => {
                    self.session.names.replace(names);
                }
                _ => self.count(&end),
            }
            if let End::Failed(_) | End::NotDeterministic(_) = end {
                return Err((self.schedule(), end));
            }
            self.say_how_far();
        }
        Ok(())
    }

    /// Runs one schedule with every operation as a scheduling point. `is_fine`: it was recorded
    /// in the same way.
    pub(super) fn follow(&mut self, schedule: &[Choice], is_fine: bool) -> End {
        self.session.is_fine.set(true);
        self.nodes.clear();
        self.run(&mut How::Follow {
            schedule,
            is_fine,
            goes_on: true,
        })
    }

    /// Runs one schedule of a search with the scheduling points of the search.
    pub(super) fn follow_points(&mut self, schedule: &[Choice]) -> End {
        self.session.is_fine.set(false);
        self.nodes.clear();
        self.run(&mut How::Follow {
            schedule,
            is_fine: true,
            goes_on: true,
        })
    }

    /// Runs the beginning of a schedule of a search with every operation as a scheduling point,
    /// and returns the choices made.
    pub(super) fn refined(&mut self, schedule: &[Choice]) -> Vec<Choice> {
        self.session.is_fine.set(true);
        self.nodes.clear();
        self.run(&mut How::Follow {
            schedule,
            is_fine: false,
            goes_on: false,
        });
        self.schedule()
    }

    /// The choices of the last run.
    pub(super) fn schedule(&self) -> Vec<Choice> {
        let events = &self.trace.events[..self.trace.len()];
        events.iter().map(|event| event.choice).collect()
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    fn has_learned(&self) -> bool {
        self.session.learned.borrow().has_changed
    }

    fn count(&mut self, end: &End) {
        match end {
            End::Redundant => self.counts.redundant += 1,
            _ => {
                self.counts.runs += 1;
                if self.collects {
                    let class = super::class::of(&self.trace.events[..self.trace.len()]);
                    self.classes.insert(class);
                }
            }
        }
    }

    fn is_out_of_bounds(&mut self) -> bool {
        self.say_how_far();
        self.counts.runs + self.counts.redundant >= self.options.max_runs
    }

    /// Prints progress, a line each second, if the search takes long.
    fn say_how_far(&mut self) {
        let elapsed = self.begin.elapsed();
        if elapsed >= self.next_word {
            self.next_word = elapsed + Duration::from_secs(1);
            std::eprintln!(
                "checking: {} schedules in {:.0} s",
                self.counts.runs,
                elapsed.as_secs_f64()
            );
        }
    }

    /// Runs a schedule again, and compares.
    fn compare_with_another_run(&mut self) -> Option<End> {
        let events = self.trace.len();
        match self.run(&mut How::Again) {
            End::NotDeterministic(text) => return Some(End::NotDeterministic(text)),
            End::Failed(failure) => {
                return Some(End::NotDeterministic(format!(
                    "another run of the first schedule fails: {}",
                    failure.text
                )));
            }
            _ => {}
        }
        (self.trace.len() != events).then(|| {
            End::NotDeterministic(format!(
                "the first schedule ends after {events} steps, and after {} in another run",
                self.trace.len()
            ))
        })
    }

    /// Finds out what tasks do after arrivals that did not have to wait, if these do. Returns
    /// whether nothing new was learned.
    fn probe(&mut self) -> bool {
        while let Some(schedule) = self.probes.pop() {
            let nodes = core::mem::take(&mut self.nodes);
            let trace = core::mem::take(&mut self.trace);
            self.run(&mut How::Refuse(&schedule));
            self.nodes = nodes;
            self.trace = trace;
            if self.has_learned() {
                return false;
            }
        }
        true
    }

    /// Goes back to the last choice that has an alternative to try, and makes it.
    fn next_schedule(&mut self) -> bool {
        while let Some(depth) = self.nodes.len().checked_sub(1) {
            let node = &mut self.nodes[depth];
            node.done |= node.chosen.bit();
            if let Some(event) = self.trace.events.get(depth) {
                node.woke[node.chosen.task()] = event.woken;
            }
            let left = node.backtrack & !node.done & !node.sleep;
            if let Some(next) = Choice::first(left) {
                node.chosen = next;
                return true;
            }
            self.nodes.pop();
        }
        false
    }

    /// One run.
    fn run(&mut self, how: &mut How<'_>) -> End {
        of_run::begin();
        let session = Rc::clone(&self.session);
        let session = &*session;
        let _entered = session.enter();
        session.begin_run();
        self.steps.clear();
        let kept = match how {
            How::Again => self.nodes.len(),
            // The last choice is made again.
            How::Search | How::Everything => self.nodes.len().saturating_sub(1),
            How::Follow { .. } | How::Random(_) | How::Refuse(_) => 0,
        };
        self.trace.begin_run(kept);
        let mut run = Run::new();
        (self.test)(&mut run);
        let (bodies, always, finally) = run.into_parts();
        let mut running = Running {
            session,
            tasks: Tasks::new(session, self.options.stack_size),
            cancels_left: self.options.cancels,
            timeouts_left: self.options.timeouts,
            cancelled: false,
        };
        for (name, body) in bodies {
            running.add(name, body, self.options.tasks);
        }
        session.is_setting_up.set(false);
        let quiet = Quiet::new();
        let mut end = self.schedule_tasks(&mut running, &always, how);
        if running.tasks.is_any_unwinding() {
            // Its destructor may wait for what other tasks do next.
            self.run_on(&mut running);
        }
        self.names.clear();
        self.names
            .extend(running.tasks.list.iter().map(|task| task.name.clone()));
        if let End::Passed = end {
            running.tasks.clear();
            let finally = AssertUnwindSafe(|| finally.into_iter().for_each(|check| check()));
            if let Err(payload) = panic::catch_unwind(finally) {
                end = End::Failed(Failure {
                    kind: FailureKind::Finally,
                    text: format!("finally: {}", quiet.place_of(message(payload))),
                });
            }
            if let Some(text) = session.earlier_use.take() {
                end = End::NotDeterministic(text);
            }
        } else {
            running.tasks.clear();
            // The captures of the checks are dropped as in any other run.
            panics::catch_and_forget(|| drop(finally));
        }
        drop(always);
        // Destructors have made them after all tasks have ended.
        let spawned = session.spawned.take();
        panics::catch_and_forget(|| drop(spawned));
        self.counts.depth = self.counts.depth.max(self.trace.len());
        end
    }

    fn schedule_tasks(
        &mut self,
        running: &mut Running<'_>,
        always: &[Box<dyn Fn()>],
        how: &mut How<'_>,
    ) -> End {
        let mut at = 0;
        loop {
            self.trace.set_tasks(running.tasks.list.len());
            let enabled = running.enabled(&self.trace);
            if enabled & !CANCEL == 0 {
                return self.finish(running, how);
            }
            if self.trace.len() >= self.options.max_steps {
                return End::Failed(running.endless(self.options.max_steps));
            }
            let choice = match self.choose(running, enabled, how, &mut at) {
                Ok(choice) => choice,
                Err(end) => {
                    if let (End::Redundant, How::Search) = (&end, &how) {
                        // Cheaper than unwinding the stacks.
                        self.run_on(running);
                    }
                    return end;
                }
            };
            let is_last = match how {
                How::Refuse(schedule) => at == schedule.len(),
                _ => false,
            };
            if let Err(end) = self.step(running, choice, how, is_last) {
                return end;
            }
            self.counts.steps += 1;
            running.session.is_evaluating_always.set(true);
            let looked = panic::catch_unwind(AssertUnwindSafe(|| {
                always.iter().for_each(|check| check());
            }));
            running.session.is_evaluating_always.set(false);
            if let Some(text) = running.session.earlier_use.take() {
                return End::NotDeterministic(text);
            }
            if let Err(payload) = looked {
                return End::Failed(Failure {
                    kind: FailureKind::Always,
                    text: format!("always: {}", super::quiet::place(message(payload))),
                });
            }
        }
    }

    /// Runs a run to its end, although its result is known.
    fn run_on(&self, running: &mut Running<'_>) {
        running.cancels_left = 0;
        let mut last = self.trace.last_task();
        for _ in 0..self.options.max_steps {
            let enabled = running.enabled(&self.trace);
            let choice = prefer(enabled & GO, last)
                .or_else(|| Choice::first(enabled))
                .or_else(|| running.tasks.refused().map(Choice::go));
            let Some(choice) = choice else {
                return;
            };
            last = choice.task();
            if let Some(timer) = choice.timer() {
                running.session.expire(last, timer);
            }
            if let TaskState::Suspended | TaskState::New = running.tasks.list[last].state {
                running.session.begin_poll(last);
            }
            let _ = running.tasks.resume(last, Command::Go);
            for (name, body) in running.session.spawned.take() {
                running.add(name, body, self.options.tasks);
            }
        }
    }
}

/// The task that has run last, or else the first.
fn prefer(free: Choices, last: usize) -> Option<Choice> {
    if last < MAX_TASKS && free & Choice::go(last).bit() != 0 {
        return Some(Choice::go(last));
    }
    Choice::first(free)
}
