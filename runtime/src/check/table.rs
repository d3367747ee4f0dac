//! A schedule as a table.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::engine::Step;
use super::names::Names;
use super::relation::Operation;
use super::state::Note;
use super::trace::Choice;
use crate::checking::{Awaits, BarrierOp, ConditionOp, EventOp, GateOp, Op, SyncOp};
use crate::watch::SectionInfo;

/// The name of a primitive.
pub(super) fn name(names: &Names, id: u32) -> String {
    match names.said(id) {
        // Two objects have a primitive of this name.
        Some(name) if names.is_said_of_another(id) => format!("{name} #{id}"),
        Some(name) => name.to_string(),
        None => format!("{} #{id}", names.kind(id)),
    }
}

/// A line of the table.
struct Line {
    task: usize,
    what: String,
    place: String,
}

/// A permit that a task has acquired and not released yet.
struct Held {
    task: usize,
    id: u32,
    section: Option<SectionInfo>,
}

/// The steps that do something, one per line; a section without a switch in it takes one line.
pub(super) fn table(steps: &[Step], tasks: &[String], names: &Names) -> String {
    let mut table = Table {
        steps,
        names,
        lines: Vec::new(),
        held: Vec::new(),
    };
    let mut index = 0;
    while index < steps.len() {
        index = table.add(index) + 1;
    }
    render(&table.lines, tasks)
}

struct Table<'a> {
    steps: &'a [Step],
    names: &'a Names,
    lines: Vec<Line>,
    held: Vec<Held>,
}

impl Table<'_> {
    fn name(&self, id: u32) -> String {
        name(self.names, id)
    }

    fn push(&mut self, step: &Step, section: Option<SectionInfo>, what: &str, place: String) {
        let within = section.map_or(String::new(), |section| format!("{}: ", section.name));
        self.lines.push(Line {
            task: step.choice.task(),
            what: format!("{within}{what}"),
            place,
        });
    }

    /// Adds a step, and the steps that belong to it. Returns the last of them.
    fn add(&mut self, index: usize) -> usize {
        let step = &self.steps[index];
        if !step.choice.is_go() {
            self.add_interruption(step);
            return index;
        }
        let Some(operation) = step.operation else {
            return index;
        };
        match operation.op {
            Op::Gate(GateOp::Arrive { .. } | GateOp::Upgrade | GateOp::Poll)
            | Op::Sync(SyncOp::Acquire { .. }) => self.add_request(index, operation),
            Op::Gate(GateOp::Release { .. }) | Op::Sync(SyncOp::Release) => {
                self.add_releases(index, operation)
            }
            op => {
                if let Some(what) = self.what(step, operation.id, op) {
                    let is_of_section =
                        matches!(op, Op::Gate(GateOp::Park) | Op::Sync(SyncOp::Turn));
                    let section = step.note.section.filter(|_| is_of_section);
                    self.push(step, section, &what, place(step));
                }
                index
            }
        }
    }

    /// A cancel, or a timeout that expires.
    fn add_interruption(&mut self, step: &Step) {
        let what = if step.choice.is_cancel() {
            "CANCELLED where it waits"
        } else {
            "its timeout expires"
        };
        let place = place(step);
        // In a section, it may wait for another primitive.
        let task = step.choice.task();
        let within = self.held.iter().rfind(|held| held.task == task);
        match within.and_then(|held| held.section) {
            Some(section) if place.is_empty() => {
                self.push(step, Some(section), what, place_of(section));
            }
            _ => self.push(step, None, what, place),
        }
    }

    /// What a step does that is a line of its own.
    fn what(&self, step: &Step, id: u32, op: Op) -> Option<String> {
        let waits_here = step.waits.is_some_and(|waits| waits.0 == id);
        let name = self.name(id);
        let what = match op {
            // The turn to evaluate the condition: the result follows.
            Op::Sync(SyncOp::Turn) if !waits_here => return None,
            Op::Sync(SyncOp::Leave) => return None,
            Op::Sync(SyncOp::Turn) => "waits for its turn at",
            Op::Gate(GateOp::Park) => "waits for its condition at",
            Op::Gate(GateOp::Leave { .. }) => "gives up its place at",
            Op::Gate(GateOp::Try { .. }) | Op::Sync(SyncOp::Try { .. }) => {
                let result = if step.has_acquired {
                    "acquires it"
                } else {
                    "does not get it"
                };
                return Some(format!("tries {name}, and {result}"));
            }
            Op::Gate(GateOp::Look) => "looks at",
            Op::Event(op) => match op {
                EventOp::Wait if waits_here => "waits for",
                EventOp::Wait | EventOp::Poll => "passes",
                EventOp::Leave => "waits no more for",
                EventOp::Set => "sets",
                EventOp::Clear => "clears",
                EventOp::IsSet => "looks at",
            },
            Op::Condition(op) => match op {
                ConditionOp::Wait => "waits to be notified by",
                ConditionOp::Poll => "was notified by",
                ConditionOp::Leave => "waits no more for",
                ConditionOp::Notify => "notifies",
            },
            Op::Barrier(op) => match op {
                BarrierOp::Arrive if waits_here => "waits at",
                BarrierOp::Arrive | BarrierOp::Poll | BarrierOp::PollLeaving => "passes",
                BarrierOp::Leave => "waits no more at",
                BarrierOp::DriveOut => "aborts or resets",
                BarrierOp::Look => "looks at",
            },
            // They are lines with other steps.
            Op::Gate(
                GateOp::Arrive { .. } | GateOp::Upgrade | GateOp::Poll | GateOp::Release { .. },
            )
            | Op::Sync(SyncOp::Acquire { .. } | SyncOp::Release) => return None,
        };
        Some(format!("{what} {name}"))
    }

    /// A request, with the steps that the task then takes at once.
    fn add_request(&mut self, index: usize, operation: Operation) -> usize {
        let step = &self.steps[index];
        let (task, section) = (step.choice.task(), step.note.section);
        let mut lock = self.name(operation.id);
        let mut place = place(step);
        if let Some(wait) = relocks(&self.steps[..index], step) {
            lock.push_str(" again");
            place = wait;
        }
        let (waits, parks, holds, acquires) = match operation.op {
            Op::Gate(GateOp::Poll) => (
                format!("still waits for {lock}"),
                "waits on for its condition at",
                "is granted",
                "is granted",
            ),
            _ => (
                format!("asks for {lock}, and waits"),
                "waits for its condition at",
                "holds",
                "acquires",
            ),
        };
        let next = |is: fn(Op) -> bool| next_of(self.steps, index, task, operation.id, is);
        let is_false = |end: usize| self.steps[end].waits == Some((operation.id, Awaits::Truth));
        let (what, end) = if step.waits.is_some_and(|waits| waits.0 == operation.id) {
            (waits, index)
        } else if let Some(end) = next(is_park) {
            (format!("{parks} {lock}"), end)
        } else if let Some(end) = next(is_release) {
            if is_false(end) {
                (format!("{parks} {lock}"), end)
            } else {
                (format!("{holds} {lock}, and releases it"), end)
            }
        } else if let Some((what, end)) = signals(self.steps, index, task, operation.id, self.names)
        {
            (format!("{holds} {lock}, {what}"), end)
        } else {
            let mut ids = std::vec![operation.id];
            let mut end = index;
            while let Some((next, id)) = self.next_of_section(end, step) {
                ids.push(id);
                end = next;
            }
            match self.releases(end, task, &ids) {
                Some(end) if ids.len() > 1 => {
                    let what = format!("{holds} {}, and releases them", self.list(lock, &ids));
                    (what, end)
                }
                _ => {
                    let held = ids.iter().map(|&id| Held { task, id, section });
                    self.held.extend(held);
                    (format!("{acquires} {}", self.list(lock, &ids)), end)
                }
            }
        };
        self.push(step, section, &what, place);
        end
    }

    /// The next operation of any task after `index`, if by it the section that began with `first`
    /// acquires one more lock.
    fn next_of_section(&self, index: usize, first: &Step) -> Option<(usize, u32)> {
        let (next, step) = next_op(self.steps, index)?;
        let operation = step.operation?;
        let acquires = matches!(
            operation.op,
            Op::Gate(GateOp::Arrive { .. }) | Op::Sync(SyncOp::Acquire { .. })
        ) && step.waits.is_none();
        let place = step.note.section?.place;
        let is_same = step.choice == first.choice && first.note.section?.place == place;
        (acquires && is_same).then_some((next, operation.id))
    }

    /// The index of the last release, if the task releases all of `ids` next.
    fn releases(&self, index: usize, task: usize, ids: &[u32]) -> Option<usize> {
        let mut left = ids.to_vec();
        let mut end = index;
        while !left.is_empty() {
            let (next, step) = next_op(self.steps, end)?;
            let operation = step.operation?;
            let at = left.iter().position(|&id| id == operation.id)?;
            if !is_release(operation.op) || step.choice != Choice::go(task) {
                return None;
            }
            left.remove(at);
            end = next;
        }
        Some(end)
    }

    /// A release, and the releases of the same section that come next.
    fn add_releases(&mut self, index: usize, operation: Operation) -> usize {
        let step = &self.steps[index];
        let task = step.choice.task();
        let mut ids = std::vec![operation.id];
        let section = self.take_held(task, operation.id);
        let mut end = index;
        while let (Some(section), Some((next, step))) = (section, next_op(self.steps, end)) {
            let Some(operation) = step.operation.filter(|operation| is_release(operation.op))
            else {
                break;
            };
            let is_same = |held: &Held| {
                (held.task, held.id) == (task, operation.id)
                    && held
                        .section
                        .is_some_and(|other| other.place == section.place)
            };
            if step.choice != Choice::go(task) || !self.held.iter().any(is_same) {
                break;
            }
            self.take_held(task, operation.id);
            ids.push(operation.id);
            end = next;
        }
        let what = format!("releases {}", self.list(self.name(operation.id), &ids));
        let place = section.map_or_else(|| place(step), place_of);
        self.push(step, section, &what, place);
        end
    }

    /// The section in which a task acquired the permit that it releases.
    fn take_held(&mut self, task: usize, id: u32) -> Option<SectionInfo> {
        let is_it = |held: &Held| (held.task, held.id) == (task, id);
        let at = self.held.iter().rposition(is_it)?;
        self.held.remove(at).section
    }

    /// The names of several primitives, beginning with `first`.
    fn list(&self, first: String, ids: &[u32]) -> String {
        let mut list = first;
        for (index, &id) in ids.iter().enumerate().skip(1) {
            list += if index + 1 == ids.len() {
                " and "
            } else {
                ", "
            };
            list += &self.name(id);
        }
        list
    }
}

/// The next step after `index` that does something.
fn next_op(steps: &[Step], index: usize) -> Option<(usize, &Step)> {
    let mut rest = steps.iter().enumerate().skip(index + 1);
    rest.find(|(_, step)| step.operation.is_some() || !step.choice.is_go())
}

/// The place where the task waits for a condition, if it then reacquires the lock.
fn relocks(before: &[Step], step: &Step) -> Option<String> {
    let Some(Op::Gate(GateOp::Arrive { .. })) = step.operation.map(|operation| operation.op) else {
        return None;
    };
    let task = step.choice.task();
    let last = before
        .iter()
        .rfind(|before| before.choice.task() == task && before.operation.is_some())?;
    let is_wait = last.operation?.op == Op::Condition(ConditionOp::Poll);
    (is_wait && last.choice.is_go()).then(|| place(last))
}

fn is_park(op: Op) -> bool {
    op == Op::Gate(GateOp::Park)
}

fn is_release(op: Op) -> bool {
    matches!(
        op,
        Op::Gate(GateOp::Release { .. }) | Op::Sync(SyncOp::Release)
    )
}

/// The next operation of any task, if it is of that task at that primitive.
fn next_of(
    steps: &[Step],
    index: usize,
    task: usize,
    id: u32,
    is: impl Fn(Op) -> bool,
) -> Option<usize> {
    let (at, next) = next_op(steps, index)?;
    let operation = next.operation?;
    let same = next.choice == Choice::go(task) && operation.id == id;
    (same && is(operation.op)).then_some(at)
}

/// The text of a section without a switch that does one operation on a condition or an event, and
/// the index of its end.
fn signals(
    steps: &[Step],
    index: usize,
    task: usize,
    id: u32,
    names: &Names,
) -> Option<(String, usize)> {
    let (at, step) = next_op(steps, index)?;
    let operation = step.operation?;
    if step.choice != Choice::go(task) {
        return None;
    }
    let other = name(names, operation.id);
    let what = match operation.op {
        Op::Condition(ConditionOp::Wait) => {
            format!("releases it, and waits to be notified by {other}")
        }
        Op::Condition(ConditionOp::Notify) => format!("notifies {other}, and releases it"),
        Op::Event(EventOp::Set) => format!("sets {other}, and releases it"),
        Op::Event(EventOp::Clear) => format!("clears {other}, and releases it"),
        _ => return None,
    };
    let end = next_of(steps, at, task, id, is_release)?;
    Some((what, end))
}

/// The section, or the call.
fn place(step: &Step) -> String {
    place_of_note(step.note)
}

pub(super) fn place_of_note(note: Note) -> String {
    match (note.section, note.place) {
        (Some(section), _) => place_of(section),
        (None, Some(place)) => format!("{}:{}", short(place.file()), place.line()),
        (None, None) => String::new(),
    }
}

fn place_of(section: SectionInfo) -> String {
    format!("{}:{}", short(section.place.file()), section.place.line())
}

/// The name of a file without its folders.
fn short(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

fn render(lines: &[Line], tasks: &[String]) -> String {
    let width = |texts: &mut dyn Iterator<Item = &str>| {
        texts.map(|text| text.chars().count()).max().unwrap_or(0)
    };
    let task_width = width(&mut lines.iter().map(|line| &*tasks[line.task])).max(4);
    let what_width = width(&mut lines.iter().map(|line| &*line.what)).max(4);
    let mut table = format!(
        "step  {:task_width$}  {:what_width$}  where\n",
        "task", "what"
    );
    for (index, line) in lines.iter().enumerate() {
        let row = format!(
            "{:>4}  {:task_width$}  {:what_width$}  {}",
            index + 1,
            tasks[line.task],
            line.what,
            line.place
        );
        table.push_str(row.trim_end());
        table.push('\n');
    }
    table
}
