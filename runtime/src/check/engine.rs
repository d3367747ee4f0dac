//! Runs a test again and again, until every class of its schedules was tried.
//!
//! Two schedules are of one *class* if they differ in the order of steps that do not conflict:
//! they end alike. One of each class is run, by dynamic partial-order reduction (Flanagan and
//! Godefroid, 2005) with source sets and sleep sets (Abdulla, Aronis, Jonsson and Sagonas, 2014).
//! Nothing is stored but the schedule that is run: a run follows it up to the last place where
//! there is another choice to try, and then goes its own way.
//!
//! # Invariants
//!
//! - **X1** The nodes are the choices of the last run, in order, and the events of the trace are
//!   what came of them.
//! - **X2** What decides which operations conflict ([`Learned`](super::session::Learned), the
//!   numbers of primitives) is the same in all runs since the search began. When it changes, the
//!   search begins anew.
//! - **X3** What a task does between two points of the schedule conflicts with nothing: releases
//!   are no points only where no operation that they conflict with was seen.

use std::boxed::Box;
use std::collections::HashSet;
use std::format;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::string::{String, ToString};
use std::time::{Duration, Instant};
use std::vec::Vec;

use super::options::Options;
use super::quiet::Quiet;
use super::random::Random;
use super::relation::Seen;
use super::run::Run;
use super::session::{Body, In, LockState, MOST_TASKS, Note, Session};
use super::tasks::{Kind, State, Task, Tasks, message};
use super::trace::{CANCEL, Choice, Effect, GO, Moment, Race, Trace};
use crate::checking::{Awaits, GateOp, Op, SyncOp};
use crate::queue::of_run;

/// The kind of a failure: what a shorter schedule has to show, too.
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
    /// All tasks have ended, or wait for what a cancelled one would have done.
    Passed,
    Failed(Failure),
    /// Whatever comes next has been tried.
    Redundant,
    /// Something was found out that the search has to begin with.
    Learned,
    /// The test does not do the same in the same schedule.
    NotDeterministic(String),
}

/// Where there was a choice.
struct Node {
    enabled: u64,
    chosen: Choice,
    backtrack: u64,
    done: u64,
    sleep: u64,
    /// Whom the next step of each task has woken, of those in `sleep` and `done`.
    woke: [u32; MOST_TASKS],
}

/// How the next choice of a run is made.
pub(super) enum How<'a> {
    /// By the search.
    Search,
    /// As in the last run.
    Again,
    /// All that is possible is tried.
    Everything,
    /// By a schedule, as far as that is possible; then on, without a switch where that is not
    /// necessary. Where not every operation is a point in it, a task goes on to the next one that
    /// is one there.
    Follow {
        schedule: &'a [Choice],
        is_fine: bool,
        goes_on: bool,
    },
    Random(&'a mut Random),
    /// By a schedule, in whose last choice a request is refused.
    Refuse(&'a [Choice]),
}

/// A step of a run, for those who explain it.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) choice: Choice,
    pub(super) seen: Option<Seen>,
    pub(super) note: Note,
    /// What the task waits for after the step.
    pub(super) waits: Option<(u32, Awaits)>,
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
    /// Schedules whose last choice is an arrival of which it is not known whether the task
    /// suspends if it has to wait.
    probes: Vec<Vec<Choice>>,
    pub(super) steps: Vec<Step>,
    pub(super) names: Vec<String>,
    begin: Instant,
    next_word: Duration,
    /// Where there is a bound that was met.
    pub(super) is_complete: bool,
}

/// The state of one run.
struct Running<'s> {
    session: &'s Session,
    tasks: Tasks<'s>,
    cancels_left: usize,
    timeouts_left: usize,
    cancelled: bool,
}

impl<'t> Engine<'t> {
    pub(super) fn new(test: &'t dyn Fn(&mut Run), options: Options) -> Self {
        let session = Rc::new(Session::new());
        session.cancels.set(options.cancels > 0);
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

    /// Tries one schedule of each class. Returns the first failure, and the schedule that has
    /// shown it.
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
            let mut is_first = true;
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
                if is_first {
                    is_first = false;
                    if let Some(end) = self.compare_with_another_run() {
                        return Err((self.schedule(), end));
                    }
                }
                if !self.probe() {
                    self.counts.restarts += 1;
                    continue 'anew;
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
    }

    /// Tries all schedules in which every operation is a point, but no more than so many.
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
            let end = self.run(&mut How::Random(&mut random));
            self.count(&end);
            if let End::Failed(_) = end {
                return Err((self.schedule(), end));
            }
            self.say_how_far();
        }
        Ok(())
    }

    /// Runs one schedule with every operation as a point. `is_fine`: it was made so, too.
    pub(super) fn follow(&mut self, schedule: &[Choice], is_fine: bool) -> End {
        self.session.is_fine.set(true);
        self.nodes.clear();
        self.run(&mut How::Follow {
            schedule,
            is_fine,
            goes_on: true,
        })
    }

    /// Runs one schedule of a search as it was.
    pub(super) fn follow_points(&mut self, schedule: &[Choice]) -> End {
        self.session.is_fine.set(false);
        self.nodes.clear();
        self.run(&mut How::Follow {
            schedule,
            is_fine: true,
            goes_on: true,
        })
    }

    /// Runs the beginning of a schedule of a search with every operation as a point, and returns
    /// what was run.
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

    /// What was chosen in the last run.
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

    /// Where it takes long, a line each second.
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

    /// Runs the first schedule again, and looks whether all is as before.
    fn compare_with_another_run(&mut self) -> Option<End> {
        let events = self.trace.len();
        match self.run(&mut How::Again) {
            End::NotDeterministic(text) => return Some(End::NotDeterministic(text)),
            End::Failed(failure) => {
                return Some(End::NotDeterministic(format!(
                    "the second run of the first schedule fails: {}",
                    failure.text
                )));
            }
            _ => {}
        }
        (self.trace.len() != events).then(|| {
            End::NotDeterministic(format!(
                "the second run of the first schedule ends after {} steps, the first after {events}",
                self.trace.len()
            ))
        })
    }

    /// Finds out what the tasks do if they have to wait where they did not. Returns whether
    /// nothing new was learned.
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
            // The last one is chosen anew.
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
        let quiet = Quiet::new();
        let mut end = self.schedule_tasks(&mut running, &always, how);
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
        } else {
            running.tasks.clear();
            // What the checks have captured goes away as in any other run.
            let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(finally)));
        }
        drop(always);
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
            for check in always {
                if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(check)) {
                    return End::Failed(Failure {
                        kind: FailureKind::Always,
                        text: format!("always: {}", super::quiet::place(message(payload))),
                    });
                }
            }
        }
    }

    /// Runs what is left of a run that is redundant: cheaper than to unwind the stacks.
    fn run_on(&self, running: &mut Running<'_>) {
        running.cancels_left = 0;
        let mut last = self.trace.last_task();
        for _ in 0..self.options.max_steps {
            let enabled = running.enabled(&self.trace);
            let choice = prefer(enabled & GO, last).or_else(|| Choice::first(enabled));
            let Some(choice) = choice else {
                return;
            };
            last = choice.task();
            if let Some(timer) = choice.timer() {
                running.session.expire(last, timer);
            }
            if let State::Suspended | State::New = running.tasks.list[last].state {
                running.session.begin_poll(last);
            }
            if running.tasks.resume(last, In::Go).is_err() {
                return;
            }
            for (name, body) in running.session.spawned.take() {
                running.add(name, body, self.options.tasks);
            }
        }
    }

    fn choose(
        &mut self,
        running: &Running<'_>,
        enabled: u64,
        how: &mut How<'_>,
        at: &mut usize,
    ) -> Result<Choice, End> {
        let depth = self.trace.len();
        let everything = matches!(how, How::Everything);
        match how {
            How::Search | How::Again | How::Everything => {
                if let Some(node) = self.nodes.get(depth) {
                    let differs = || {
                        End::NotDeterministic(
                            "the same schedule has other tasks that can go on".to_string(),
                        )
                    };
                    if node.enabled != enabled {
                        return Err(differs());
                    }
                    return Ok(node.chosen);
                }
                let sleep = if everything {
                    0
                } else {
                    self.sleep(running, depth)
                };
                let free = enabled & GO & !sleep;
                let chosen = prefer(free, self.trace.last_task())
                    .or_else(|| Choice::first(enabled & !CANCEL & !GO & !sleep));
                let Some(chosen) = chosen else {
                    return Err(End::Redundant);
                };
                let backtrack = if everything {
                    enabled
                } else {
                    enabled & chosen.of_task()
                };
                self.nodes.push(Node {
                    enabled,
                    chosen,
                    backtrack,
                    done: 0,
                    sleep,
                    woke: match depth.checked_sub(1) {
                        Some(before) => self.nodes[before].woke,
                        None => [0; MOST_TASKS],
                    },
                });
                Ok(chosen)
            }
            How::Follow {
                schedule,
                is_fine,
                goes_on,
            } => {
                let last = self.trace.last_task();
                // On to the next point of the schedule that is followed.
                if !*is_fine && *at > 0 && last < running.tasks.list.len() {
                    let is_within = match running.tasks.list[last].state {
                        State::At(seen) => !seen.is_point,
                        State::New | State::Suspended | State::Done => false,
                    };
                    if is_within && enabled & Choice::go(last).bit() != 0 {
                        return Ok(Choice::go(last));
                    }
                }
                while let Some(choice) = schedule.get(*at) {
                    *at += 1;
                    if enabled & choice.bit() != 0 {
                        return Ok(*choice);
                    }
                }
                if !*goes_on {
                    return Err(End::Redundant);
                }
                Ok(prefer(enabled & GO, last)
                    .or_else(|| Choice::first(enabled & !CANCEL))
                    .unwrap_or(Choice::go(0)))
            }
            How::Random(random) => {
                let mut left = enabled;
                // To be cancelled is one choice among many.
                if random.below(8) != 0 && enabled & !CANCEL != 0 {
                    left &= !CANCEL;
                }
                let mut skip = random.below(u64::from(left.count_ones()));
                while skip > 0 {
                    left &= left - 1;
                    skip -= 1;
                }
                Ok(Choice::first(left).unwrap_or(Choice::go(0)))
            }
            How::Refuse(schedule) => match schedule.get(*at) {
                Some(choice) if enabled & choice.bit() != 0 => {
                    *at += 1;
                    Ok(*choice)
                }
                _ => Err(End::Redundant),
            },
        }
    }

    /// The choices that lead to classes which have been tried: those that were at the node
    /// before, unless the step since conflicts with them.
    fn sleep(&self, running: &Running<'_>, depth: usize) -> u64 {
        let Some(before) = depth.checked_sub(1) else {
            return 0;
        };
        let node = &self.nodes[before];
        let event = &self.trace.events[before];
        let mut left = (node.sleep | node.done) & !event.choice.of_task();
        let mut sleep = 0;
        while let Some(choice) = Choice::first(left) {
            left &= left - 1;
            let stays = match running.tasks.list[choice.task()].state {
                State::At(seen) if choice.is_go() => {
                    // It may wake whom the event has woken.
                    let woke = if self.options.cancels == 0 && seen.op.wakes_the_same() {
                        node.woke[choice.task()]
                    } else {
                        u32::MAX
                    };
                    event.woken & woke == 0
                        && !event.seen.is_some_and(|other| seen.conflicts(other))
                }
                _ => event.woken & 1 << choice.task() == 0,
            };
            if stays {
                sleep |= choice.bit();
            }
        }
        sleep
    }

    /// Takes a step.
    fn step(
        &mut self,
        running: &mut Running<'_>,
        choice: Choice,
        how: &How<'_>,
        refuses: bool,
    ) -> Result<(), End> {
        let session = running.session;
        let index = choice.task();
        let state = running.tasks.list[index].state;
        let cell = session.task(index);
        let seen = match state {
            State::At(seen) if choice.is_go() => Some(seen),
            _ => None,
        };
        let mut woken_by = Moment::NEVER;
        // A wake-up before the poll begins is over with it, one after it is not.
        let mut begins = 0;
        session.event.set(self.trace.len() as u32);
        session.woken.set(0);
        session.releases.set(0);
        session.entered_after.set(Moment::NEVER);
        let note = cell.note.get();
        let leaves_line = choice.is_cancel() && cell.waits_in_line.get();
        let arrives = match seen {
            Some(Seen {
                op: Op::Gate(GateOp::Arrive { .. }),
                ..
            }) => Some(cell.arrivals.get()),
            _ => None,
        };
        let resumed = if choice.is_cancel() {
            running.cancels_left -= 1;
            running.cancelled = true;
            running.tasks.list[index].is_cancelled = true;
            let refused = match state {
                State::At(_) => running.tasks.resume(index, In::Refuse),
                _ => Ok(()),
            };
            if running.tasks.list[index].state != State::Suspended {
                // It goes on: what it does then is not what the search has assumed.
                return Err(End::Learned);
            }
            refused.and_then(|()| {
                session.begin_poll(index);
                running.tasks.resume(index, In::Cancel)
            })
        } else {
            if let Some(timer) = choice.timer() {
                running.timeouts_left = running.timeouts_left.saturating_sub(1);
                session.expire(index, timer);
            }
            if state == State::Suspended || state == State::New {
                if choice.is_go() {
                    woken_by = cell.woken_by.get();
                }
                session.begin_poll(index);
                if state == State::Suspended {
                    begins = session.learned.borrow().tells & 1 << index;
                }
            }
            let with = if refuses { In::Refuse } else { In::Go };
            running.tasks.resume(index, with)
        };
        if refuses {
            let waits = running.tasks.list[index].state == State::Suspended;
            if let (true, Some(arrival)) = (waits && cell.was_refused(), arrives) {
                session.learn_that_it_suspends(index, arrival);
            }
            return Err(End::Redundant);
        }
        let effect = Effect {
            woken_by,
            entered_after: session.entered_after.get(),
            woken: session.woken.get() | begins,
            leaves_line,
        };
        self.record(choice, seen, effect, how)?;
        if session.explains.get() {
            self.steps.push(Step {
                choice,
                seen,
                note,
                waits: match running.tasks.list[index].state {
                    State::Suspended => cell.waits.get(),
                    _ => None,
                },
            });
        }
        if let (Some(arrival), How::Search) = (arrives, how) {
            let is_known = {
                let learned = session.learned.borrow();
                learned.tells & (1 << index) != 0 || learned.suspends(index, arrival)
            };
            if !is_known && !self.trace.is_replay() {
                self.probes.push(self.schedule());
            }
        }
        for (name, body) in session.spawned.take() {
            let child = running.tasks.list.len();
            running.add(name, body, self.options.tasks);
            session.task(child).woken_by.set(session.now());
        }
        if let Err(panic) = resumed {
            return Err(End::Failed(Failure {
                kind: FailureKind::Panic,
                text: format!(
                    "{}: {}",
                    running.tasks.list[index].name,
                    super::quiet::place(panic)
                ),
            }));
        }
        if self.has_learned() && matches!(how, How::Search) {
            return Err(End::Learned);
        }
        Ok(())
    }

    /// Adds a step to the trace, and what has to be tried because of it to the nodes.
    fn record(
        &mut self,
        choice: Choice,
        seen: Option<Seen>,
        effect: Effect,
        how: &How<'_>,
    ) -> Result<(), End> {
        if self.trace.is_replay() {
            let before = &self.trace.events[self.trace.len()];
            if before.choice != choice || before.seen != seen {
                return Err(End::NotDeterministic(
                    "the same schedule leads to other operations".to_string(),
                ));
            }
            self.trace.replay();
            return Ok(());
        }
        self.races.clear();
        self.trace.push(choice, seen, effect, &mut self.races);
        if matches!(how, How::Search) {
            self.try_the_other_order();
        }
        Ok(())
    }

    /// For each race of the last event: one of the steps with which the other order can begin.
    fn try_the_other_order(&mut self) {
        let mut index = 0;
        while index < self.races.len() {
            let race = self.races[index];
            index += 1;
            let (initials, last) = self.trace.initials(race);
            let node = &mut self.nodes[race.0];
            // To be cancelled at an arrival is possible only behind a holder, and to acquire a sync
            // lock only while it is free.
            let initials = initials & node.enabled;
            if initials == 0 || initials & node.backtrack != 0 {
                continue;
            }
            let first = if initials & last.bit() != 0 {
                Some(last)
            } else {
                Choice::first(initials)
            };
            if let Some(first) = first {
                node.backtrack |= node.enabled & first.of_task();
            }
        }
    }

    /// No task can go on.
    fn finish(&mut self, running: &mut Running<'_>, how: &How<'_>) -> End {
        if matches!(how, How::Search) {
            for index in 0..running.tasks.list.len() {
                // A task that is kept from a sync lock for ever could have had it earlier.
                if let State::At(seen) = running.tasks.list[index].state {
                    self.races.clear();
                    let choice = Choice::go(index);
                    self.trace
                        .push(choice, Some(seen), Effect::NONE, &mut self.races);
                    self.try_the_other_order();
                    self.trace.pop();
                }
            }
        }
        let waiting = |task: &&Task| task.state != State::Done && task.kind != Kind::Background;
        let waits: Vec<usize> = (0..running.tasks.list.len())
            .filter(|index| waiting(&&running.tasks.list[*index]))
            .collect();
        if waits.is_empty() {
            return End::Passed;
        }
        let foreign = waits.iter().find(|index| {
            running.tasks.list[**index].state == State::Suspended
                && running.session.task(**index).waits_for_others()
        });
        if let Some(index) = foreign {
            return End::Failed(Failure {
                kind: FailureKind::Foreign,
                text: format!(
                    "`{}` awaits something that is not of this crate, and that no task of the \
                     test completes: time, sockets, threads and other runtimes are not part of a \
                     check",
                    running.tasks.list[*index].name
                ),
            });
        }
        if running.cancelled && self.options.cancels_may_starve && !running.is_stuck(&waits) {
            return End::Passed;
        }
        End::Failed(running.deadlock(&waits))
    }
}

/// The task that has run last, or else the first.
fn prefer(free: u64, last: usize) -> Option<Choice> {
    if last < MOST_TASKS && free & Choice::go(last).bit() != 0 {
        return Some(Choice::go(last));
    }
    Choice::first(free)
}

impl Running<'_> {
    fn add(&mut self, name: String, body: Body, most: usize) {
        let index = self.tasks.list.len();
        assert!(
            index < most.min(MOST_TASKS),
            "a check has {} tasks at the most (`tasks`)",
            most.min(MOST_TASKS)
        );
        self.tasks.push(name, body);
    }

    /// What can be done next.
    fn enabled(&self, trace: &Trace) -> u64 {
        let mut enabled = 0;
        let mut late = 0;
        let is_fine = self.session.is_fine.get();
        for (index, task) in self.tasks.list.iter().enumerate() {
            let cell = self.session.task(index);
            let may_cancel = self.cancels_left > 0
                && task.kind == Kind::Future
                && !task.is_cancelled
                && cell.blocks.get() == 0;
            match task.state {
                State::Done => {}
                State::New => enabled |= Choice::go(index).bit(),
                State::At(seen) => {
                    if self.is_possible(seen) {
                        enabled |= Choice::go(index).bit();
                    }
                    if may_cancel && !is_fine && self.waits_in_some_order(trace, index, seen) {
                        enabled |= Choice::cancel(index).bit();
                    }
                }
                State::Suspended => {
                    if cell.is_woken() {
                        enabled |= Choice::go(index).bit();
                    }
                    if may_cancel && (is_fine || !cell.waits_in_line.get()) {
                        enabled |= Choice::cancel(index).bit();
                    }
                    let timers = cell.timers.borrow().len().min(2);
                    for timer in 0..timers {
                        late |= Choice::expire(index, timer).bit();
                    }
                }
            }
        }
        // Time passes if nothing else happens.
        if self.timeouts_left > 0 || enabled & GO == 0 {
            enabled |= late;
        }
        enabled
    }

    /// Whether an operation can be done now. Only sync locks are waited for in here.
    fn is_possible(&self, seen: Seen) -> bool {
        let Op::Sync(SyncOp::Acquire { reads }) = seen.op else {
            return true;
        };
        let locks = self.session.locks.borrow();
        let Some(lock) = locks.get(seen.id as usize) else {
            return true;
        };
        lock.holders.iter().all(|holder| reads && holder.1)
    }

    /// Whether an arrival has to wait in some schedule of this class: a task that holds the lock
    /// need not have released it before.
    fn waits_in_some_order(&self, trace: &Trace, task: usize, seen: Seen) -> bool {
        if !matches!(seen.op, Op::Gate(GateOp::Arrive { alone: true, .. })) || seen.watches {
            return false;
        }
        // One that has been granted the lock, or waits before it.
        let is_before = |index: usize| {
            let cell = self.session.task(index);
            match cell.waits.get() {
                Some((id, Awaits::Permit)) => id == seen.id,
                Some((id, Awaits::Truth)) => id == seen.id && cell.is_woken(),
                Some((_, Awaits::Signal)) | None => false,
            }
        };
        let mut suspended = (0..self.tasks.list.len())
            .filter(|index| self.tasks.list[*index].state == State::Suspended);
        if suspended.any(is_before) {
            return true;
        }
        let locks = self.session.locks.borrow();
        let Some(lock) = locks.get(seen.id as usize) else {
            return false;
        };
        !lock.holders.is_empty()
            || lock
                .released
                .is_some_and(|released| !trace.is_known(released, task))
    }

    /// Whether a task of those waits for something that another one of them has, or that one has
    /// that is gone, directly or by way of others: no task that was cancelled would help.
    fn is_stuck(&self, waits: &[usize]) -> bool {
        let locks = self.session.locks.borrow();
        // Who waits for a task that waits, through any number of locks, comes to an end or to
        // itself.
        for &first in waits {
            let mut task = first;
            for _ in 0..=waits.len() {
                let Some(holder) = self.held_by(task, &locks) else {
                    break;
                };
                if holder == first || self.tasks.list[holder].state == State::Done {
                    return true;
                }
                task = holder;
            }
        }
        false
    }

    /// Who has what a task waits for.
    fn held_by(&self, task: usize, locks: &[LockState]) -> Option<usize> {
        let id = match self.tasks.list[task].state {
            State::At(seen) => seen.id,
            State::Suspended => match self.session.task(task).waits.get()? {
                (id, Awaits::Permit) => id,
                (_, Awaits::Truth | Awaits::Signal) => return None,
            },
            State::New | State::Done => return None,
        };
        let lock = locks.get(id as usize)?;
        lock.holders.first().map(|holder| holder.0)
    }

    fn endless(&self, max_steps: usize) -> Failure {
        let names: Vec<&str> = self
            .tasks
            .list
            .iter()
            .filter(|task| task.state != State::Done && task.kind != Kind::Background)
            .map(|task| &*task.name)
            .collect();
        Failure {
            kind: FailureKind::Endless,
            text: format!(
                "after {max_steps} steps, these tasks have not ended: {} (`max_steps`)",
                names.join(", ")
            ),
        }
    }

    fn deadlock(&self, waits: &[usize]) -> Failure {
        let locks = self.session.locks.borrow();
        let names = self.session.names.borrow();
        let mut lines = Vec::new();
        for &index in waits {
            let task = &self.tasks.list[index];
            let cell = self.session.task(index);
            let (id, what) = match task.state {
                State::At(seen) => (seen.id, "waits for"),
                _ => match cell.waits.get() {
                    Some((id, Awaits::Permit)) => (id, "waits for"),
                    Some((id, Awaits::Truth)) => (id, "waits for its condition at"),
                    Some((id, Awaits::Signal)) => (id, "waits to be told by"),
                    None => continue,
                },
            };
            let name = super::table::name(&names, id);
            // What is known of the section where operations are explained.
            let condition = match cell.note.get().section {
                Some(section) if !section.condition.is_empty() => {
                    format!(", `{}` in `{}`", section.condition, section.name)
                }
                _ => String::new(),
            };
            let holder = self
                .held_by(index, &locks)
                .map(|holder| format!(", which `{}` holds", self.tasks.list[holder].name));
            lines.push(format!(
                "`{}` {what} {name}{}{condition}",
                task.name,
                holder.unwrap_or_default()
            ));
        }
        let what = if self.cancelled {
            "deadlock after a cancel"
        } else {
            "deadlock"
        };
        Failure {
            kind: FailureKind::Deadlock,
            text: format!("{what}: {}", lines.join("; ")),
        }
    }
}
