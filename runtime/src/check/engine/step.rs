//! One step of a run: its choice, its effects, and the alternatives that it adds to the search.

use std::format;
use std::string::ToString;
use std::vec::Vec;

use super::{End, Engine, Failure, FailureKind, How, Node, Step, prefer};
use crate::check::quiet;
use crate::check::relation::Seen;
use crate::check::running::Running;
use crate::check::session::{In, MOST_TASKS};
use crate::check::state::Note;
use crate::check::table::place_of_note;
use crate::check::tasks::{Kind, State, Task};
use crate::check::trace::{CANCEL, Choice, Effect, GO, Moment};
use crate::checking::{GateOp, Op};

impl Engine<'_> {
    pub(super) fn choose(
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
                // On to the next scheduling point of the schedule that is followed.
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
                // A cancel is one choice among many.
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

    /// The sleep set, the choices that lead to classes already tried: that of the previous node,
    /// without the choices that conflict with the step since.
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
            // Before the bound was reached, the other order was a different one.
            let excludes = choice.timer().is_some()
                && event.choice.timer().is_some()
                && running.timeouts_left == 0;
            if excludes {
                continue;
            }
            let stays = match running.tasks.list[choice.task()].state {
                State::At(seen) if choice.is_go() => {
                    // It may wake tasks that the event has woken.
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
        let seen = match state {
            State::At(seen) if choice.is_go() => Some(seen),
            _ => None,
        };
        let mut woken_by = Moment::NEVER;
        // The poll consumes a wake-up before it, but not one after it began.
        let mut begins = 0;
        session.event.set(self.trace.len() as u32);
        session.woken.set(0);
        session.releases.set(0);
        session.has_entered.set(false);
        session.entered_after.set(Moment::NEVER);
        let note = match state {
            // It waits for something other than its last operation.
            State::Suspended if cell.waits_for_others() => Note::default(),
            _ => cell.note.get(),
        };
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
                // It goes on, which the search did not assume.
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
                has_entered: session.has_entered.get(),
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
                    quiet::place(panic)
                ),
            }));
        }
        if self.has_learned() && matches!(how, How::Search) {
            return Err(End::Learned);
        }
        Ok(())
    }

    /// Adds a step to the trace, and the resulting alternatives to the nodes.
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
        let is_waiting = |task: &Task| task.state != State::Done && task.kind != Kind::Background;
        let waits: Vec<usize> = (0..running.tasks.list.len())
            .filter(|index| is_waiting(&running.tasks.list[*index]))
            .collect();
        if waits.is_empty() {
            return End::Passed;
        }
        let foreign = waits.iter().find(|index| {
            running.tasks.list[**index].state == State::Suspended
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
