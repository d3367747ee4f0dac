//! One step of a run: its choice, its effects, and the alternatives that it adds to the search.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::{End, Engine, Failure, FailureKind, How, Node, Step, prefer};
use crate::check::quiet;
use crate::check::random::Random;
use crate::check::relation::Operation;
use crate::check::running::Running;
use crate::check::session::{Command, MAX_TASKS, Session};
use crate::check::state::Note;
use crate::check::table::place_of_note;
use crate::check::tasks::{Kind, Task, TaskState};
use crate::check::trace::{CANCEL, Choice, Choices, Effect, GO, Moment};
use crate::checking::{GateOp, Op};

impl Engine<'_> {
    /// The next choice of a run. `at` is the index of the next choice of a schedule that is followed.
    pub(super) fn choose(
        &mut self,
        running: &Running<'_>,
        enabled: Choices,
        how: &mut How<'_>,
        at: &mut usize,
    ) -> Result<Choice, End> {
        match how {
            How::Search | How::Again => self.choose_node(running, enabled, false),
            How::Everything => self.choose_node(running, enabled, true),
            How::Follow {
                schedule,
                is_fine,
                goes_on,
            } => {
                if !*is_fine && *at > 0 {
                    if let Some(choice) = self.within_step(running, enabled) {
                        return Ok(choice);
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
                Ok(prefer(enabled & GO, self.trace.last_task())
                    .or_else(|| Choice::first(enabled & !CANCEL))
                    .unwrap_or(Choice::go(0)))
            }
            How::Random(random) => Ok(choose_at_random(random, enabled)),
            How::Refuse(schedule) => match schedule.get(*at) {
                Some(choice) if enabled & choice.bit() != 0 => {
                    *at += 1;
                    Ok(*choice)
                }
                _ => Err(End::Redundant),
            },
        }
    }

    /// The choice of the node at this depth. A new node takes a choice outside of its sleep set.
    fn choose_node(
        &mut self,
        running: &Running<'_>,
        enabled: Choices,
        everything: bool,
    ) -> Result<Choice, End> {
        let depth = self.trace.len();
        if let Some(node) = self.nodes.get(depth) {
            if node.enabled != enabled {
                return Err(End::NotDeterministic(
                    "the same schedule has other tasks that can go on".to_string(),
                ));
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
            .or_else(|| Choice::first(enabled & !CANCEL & !GO & !sleep))
            // Its destructors may conflict with steps that have been tried.
            .or_else(|| Choice::first(enabled & CANCEL & !sleep));
        let Some(chosen) = chosen else {
            return Err(End::Redundant);
        };
        let backtrack = if everything {
            enabled
        } else if chosen.is_cancel() {
            // No other cancel may come after it.
            enabled & CANCEL
        } else if !chosen.is_go() {
            // It may reach the bound.
            enabled & (!GO & !CANCEL | chosen.of_task())
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
                None => [0; MAX_TASKS],
            },
        });
        Ok(chosen)
    }

    /// The choice by which the last task goes on to the next scheduling point of a search, if it is
    /// not there yet.
    fn within_step(&self, running: &Running<'_>, enabled: Choices) -> Option<Choice> {
        let last = self.trace.last_task();
        let is_within = match running.tasks.list.get(last)?.state {
            TaskState::At(operation) => !operation.is_point,
            TaskState::New | TaskState::Suspended | TaskState::Done => false,
        };
        (is_within && enabled & Choice::go(last).bit() != 0).then(|| Choice::go(last))
    }

    /// The sleep set, the choices that lead to classes already tried: that of the previous node,
    /// without the choices that conflict with the step since.
    fn sleep(&self, running: &Running<'_>, depth: usize) -> Choices {
        let Some(before) = depth.checked_sub(1) else {
            return 0;
        };
        let node = &self.nodes[before];
        let event = &self.trace.events[before];
        let mut left = (node.sleep | node.done) & !event.choice.of_task();
        let mut sleep = 0;
        while let Some(choice) = Choice::first(left) {
            left &= left - 1;
            // Before the bound was reached, the other order was a different one.
            let excludes = choice.timer().is_some()
                && event.choice.timer().is_some()
                && running.timeouts_left == 0;
            if excludes {
                continue;
            }
            let stays = match running.tasks.list[choice.task()].state {
                TaskState::At(operation) if choice.is_go() => {
                    // It may wake tasks that the event has woken.
                    let woke = if self.options.cancels == 0 && operation.op.wakes_the_same() {
                        node.woke[choice.task()]
                    } else {
                        u32::MAX
                    };
                    event.woken & woke == 0
                        && !event
                            .operation
                            .is_some_and(|other| operation.conflicts(other))
                }
                _ => event.woken & 1 << choice.task() == 0,
            };
            if stays {
                sleep |= choice.bit();
            }
        }
        sleep
    }

    /// Takes a step. `refuses`: the request with which it begins returns `Pending`.
    pub(super) fn step(
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
        let operation = match state {
            TaskState::At(operation) if choice.is_go() => Some(operation),
            _ => None,
        };
        let arrival = match operation.map(|operation| operation.op) {
            Some(Op::Gate(GateOp::Arrive { .. })) => Some(cell.arrivals.get()),
            _ => None,
        };
        let note = match state {
            // It waits for something other than its last operation.
            TaskState::Suspended if cell.waits_for_others() => Note::default(),
            _ => cell.note.get(),
        };
        session.begin_event(self.trace.len());
        let (resumed, effect) = if choice.is_cancel() {
            cancel(running, index)?
        } else {
            go_on(running, choice, refuses)
        };
        if refuses {
            let waits = running.tasks.list[index].state == TaskState::Suspended;
            if let (true, Some(arrival)) = (waits && cell.was_refused.get(), arrival) {
                session.learn_that_it_suspends(index, arrival);
            }
            return Err(End::Redundant);
        }
        self.record(choice, operation, effect, how)?;
        if session.is_explaining.get() {
            self.steps.push(Step {
                choice,
                operation,
                note,
                waits: match running.tasks.list[index].state {
                    TaskState::Suspended => cell.waits_for.get(),
                    _ => None,
                },
                has_acquired: session.has_acquired.get(),
            });
        }
        if let (Some(arrival), How::Search) = (arrival, how) {
            self.add_probe(session, index, arrival);
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
                    quiet::place(panic)
                ),
            }));
        }
        if self.has_learned() && matches!(how, How::Search) {
            return Err(End::Learned);
        }
        Ok(())
    }

    /// Remembers to find out what a task does after its last arrival, if that has to wait.
    fn add_probe(&mut self, session: &Session, task: usize, arrival: u32) {
        let is_known = {
            let learned = session.learned.borrow();
            learned.observes_pending & (1 << task) != 0 || learned.suspends(task, arrival)
        };
        if !is_known && !self.trace.is_replay() {
            self.probes.push(self.schedule());
        }
    }

    /// Adds a step to the trace, and the resulting alternatives to the nodes.
    fn record(
        &mut self,
        choice: Choice,
        operation: Option<Operation>,
        effect: Effect,
        how: &How<'_>,
    ) -> Result<(), End> {
        if self.trace.is_replay() {
            let before = &self.trace.events[self.trace.len()];
            if before.choice != choice || before.operation != operation {
                return Err(End::NotDeterministic(
                    "the same schedule leads to other operations".to_string(),
                ));
            }
            self.trace.replay();
            return Ok(());
        }
        self.races.clear();
        self.trace.push(choice, operation, effect, &mut self.races);
        if matches!(how, How::Search) {
            self.try_the_other_order();
        }
        Ok(())
    }

    /// For each race of the last event: adds one of the steps that can begin the reverse order.
    fn try_the_other_order(&mut self) {
        let mut index = 0;
        while index < self.races.len() {
            let race = self.races[index];
            index += 1;
            let (initials, last) = self.trace.initials(race);
            let node = &mut self.nodes[race.0];
            // A cancel at an arrival is possible only behind a holder, and the acquisition of a sync
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
    pub(super) fn finish(&mut self, running: &mut Running<'_>, how: &How<'_>) -> End {
        if matches!(how, How::Search) {
            for index in 0..running.tasks.list.len() {
                // A task that is kept from a sync lock for ever could have acquired it earlier.
                if let TaskState::At(operation) = running.tasks.list[index].state {
                    self.races.clear();
                    let choice = Choice::go(index);
                    self.trace
                        .push(choice, Some(operation), Effect::NONE, &mut self.races);
                    self.try_the_other_order();
                    self.trace.pop();
                }
            }
        }
        let is_waiting =
            |task: &Task| task.state != TaskState::Done && task.kind != Kind::Background;
        let waits: Vec<usize> = (0..running.tasks.list.len())
            .filter(|index| is_waiting(&running.tasks.list[*index]))
            .collect();
        if waits.is_empty() {
            return End::Passed;
        }
        let foreign = waits.iter().find(|index| {
            running.tasks.list[**index].state == TaskState::Suspended
                && running.session.task(**index).waits_for_others()
        });
        if let Some(index) = foreign {
            let last = place_of_note(running.session.task(*index).note.get());
            let after = match &*last {
                "" => "",
                _ => &format!(", after {last},"),
            };
            return End::Failed(Failure {
                kind: FailureKind::Foreign,
                text: format!(
                    "`{}`{after} awaits something that is not of this crate, and that no task of the \
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

/// What a task returned: an error is the message of its panic.
type Resumed = Result<(), String>;

/// Cancels a task. At an arrival, it first refuses the request.
fn cancel(running: &mut Running<'_>, index: usize) -> Result<(Resumed, Effect), End> {
    let session = running.session;
    let leaves_queue = session.task(index).waits_in_queue.get();
    running.cancels_left -= 1;
    running.cancelled = true;
    running.tasks.list[index].is_cancelled = true;
    let refused = match running.tasks.list[index].state {
        TaskState::At(_) => running.tasks.resume(index, Command::Refuse),
        _ => Ok(()),
    };
    if running.tasks.list[index].state != TaskState::Suspended {
        // It goes on, which the search did not assume.
        return Err(End::Learned);
    }
    let resumed = refused.and_then(|()| {
        session.begin_poll(index);
        running.tasks.resume(index, Command::Cancel)
    });
    let effect = Effect {
        woken_by: Moment::NEVER,
        acquired_after: session.acquired_after.get(),
        woken: session.woken.get(),
        leaves_queue,
    };
    Ok((resumed, effect))
}

/// Lets a task go on, perhaps because a timer has expired.
fn go_on(running: &mut Running<'_>, choice: Choice, refuses: bool) -> (Resumed, Effect) {
    let session = running.session;
    let index = choice.task();
    let state = running.tasks.list[index].state;
    if let Some(timer) = choice.timer() {
        running.timeouts_left = running.timeouts_left.saturating_sub(1);
        session.expire(index, timer);
    }
    let mut woken_by = Moment::NEVER;
    // The poll consumes a wake-up before it, but not one after it began.
    let mut begins = 0;
    if state == TaskState::Suspended || state == TaskState::New {
        if choice.is_go() {
            woken_by = session.task(index).woken_by.get();
        }
        session.begin_poll(index);
        if state == TaskState::Suspended {
            begins = session.learned.borrow().observes_pending & 1 << index;
        }
    }
    let command = if refuses {
        Command::Refuse
    } else {
        Command::Go
    };
    let resumed = running.tasks.resume(index, command);
    let effect = Effect {
        woken_by,
        acquired_after: session.acquired_after.get(),
        woken: session.woken.get() | begins,
        leaves_queue: false,
    };
    (resumed, effect)
}

/// One of the enabled choices. A cancel is one among many.
fn choose_at_random(random: &mut Random, enabled: Choices) -> Choice {
    let mut left = enabled;
    if random.below(8) != 0 && enabled & !CANCEL != 0 {
        left &= !CANCEL;
    }
    let mut skip = random.below(u64::from(left.count_ones()));
    while skip > 0 {
        left &= left - 1;
        skip -= 1;
    }
    Choice::first(left).unwrap_or(Choice::go(0))
}
