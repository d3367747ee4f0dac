//! A schedule as a table.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::engine::Step;
use super::names::Names;
use crate::checking::{Awaits, BarrierOp, ConditionOp, EventOp, GateOp, Op, SyncOp};

/// What a primitive is called.
pub(super) fn name(names: &Names, id: u32) -> String {
    match names.said(id) {
        // Those of two objects.
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

/// The steps that do something, one on a line; a section without a switch in it is one.
pub(super) fn table(steps: &[Step], tasks: &[String], names: &Names) -> String {
    let mut lines: Vec<Line> = Vec::new();
    let mut skipped_to = 0;
    let mut sections: Vec<(usize, u32, Option<&'static str>)> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        if index < skipped_to {
            continue;
        }
        let task = step.choice.task();
        let mut place = place(step);
        let section = step.note.section.map(|section| section.name);
        let mut push = |what: String, place: String| lines.push(Line { task, what, place });
        if step.choice.is_cancel() {
            push("CANCELLED where it waits".to_string(), place);
            continue;
        }
        if step.choice.timer().is_some() {
            push("its timeout expires".to_string(), place);
            continue;
        }
        let Some(seen) = step.seen else {
            continue;
        };
        let mut lock = name(names, seen.id);
        if let Some(wait) = relocks(&steps[..index], step) {
            lock.push_str(" again");
            place = wait;
        }
        let within = section.map_or(String::new(), |section| format!("{section}: "));
        let waits_here = step.waits.is_some_and(|waits| waits.0 == seen.id);
        match seen.op {
            Op::Gate(GateOp::Arrive { .. } | GateOp::Upgrade | GateOp::Poll)
            | Op::Sync(SyncOp::Acquire { .. }) => {
                let (waits, parks, holds, acquires) = match seen.op {
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
                let next = |is: fn(Op) -> bool| next_of(steps, index, task, seen.id, is);
                let is_false = |end: usize| steps[end].waits == Some((seen.id, Awaits::Truth));
                let (what, end) = if waits_here {
                    (waits, index)
                } else if let Some(end) = next(is_park) {
                    (format!("{parks} {lock}"), end)
                } else if let Some(end) = next(is_release) {
                    if is_false(end) {
                        (format!("{parks} {lock}"), end)
                    } else {
                        (format!("{holds} {lock}, and releases it"), end)
                    }
                } else if let Some((what, end)) = signals(steps, index, task, seen.id, names) {
                    (format!("{holds} {lock}, {what}"), end)
                } else {
                    sections.push((task, seen.id, section));
                    (format!("{acquires} {lock}"), index)
                };
                skipped_to = end + 1;
                push(format!("{within}{what}"), place);
            }
            // The turn to look at the condition: what comes of it follows.
            Op::Sync(SyncOp::Turn) if waits_here => {
                push(format!("{within}waits for its turn at {lock}"), place);
            }
            Op::Sync(SyncOp::Turn) => {}
            Op::Gate(GateOp::Release { .. }) | Op::Sync(SyncOp::Release) => {
                let open = sections
                    .iter()
                    .rposition(|open| (open.0, open.1) == (task, seen.id));
                let section = open.and_then(|open| sections.remove(open).2);
                let within = section.map_or(String::new(), |section| format!("{section}: "));
                push(format!("{within}releases {lock}"), place);
            }
            Op::Gate(GateOp::Park) => {
                push(format!("{within}waits for its condition at {lock}"), place);
            }
            Op::Gate(GateOp::Leave { .. }) => push(format!("gives up its place at {lock}"), place),
            Op::Gate(GateOp::Try { .. }) | Op::Sync(SyncOp::Try { .. }) => {
                let result = if step.has_entered {
                    "acquires it"
                } else {
                    "does not get it"
                };
                push(format!("tries {lock}, and {result}"), place);
            }
            Op::Gate(GateOp::Look) => push(format!("looks at {lock}"), place),
            Op::Event(op) => {
                let what = match op {
                    EventOp::Wait if waits_here => "waits for",
                    EventOp::Wait | EventOp::Poll => "passes",
                    EventOp::Leave => "waits no more for",
                    EventOp::Set => "sets",
                    EventOp::Clear => "clears",
                    EventOp::IsSet => "looks at",
                };
                push(format!("{what} {lock}"), place);
            }
            Op::Condition(op) => {
                let what = match op {
                    ConditionOp::Wait => "waits to be notified by",
                    ConditionOp::Poll => "was notified by",
                    ConditionOp::Leave => "waits no more for",
                    ConditionOp::Notify => "notifies",
                };
                push(format!("{what} {lock}"), place);
            }
            Op::Barrier(op) => {
                let what = match op {
                    BarrierOp::Arrive if waits_here => "waits at",
                    BarrierOp::Arrive | BarrierOp::Poll | BarrierOp::PollLeaving => "passes",
                    BarrierOp::Leave => "waits no more at",
                    BarrierOp::DriveOut => "aborts or resets",
                    BarrierOp::Look => "looks at",
                };
                push(format!("{what} {lock}"), place);
            }
        }
    }
    render(&lines, tasks)
}

/// Where the task waits for a condition, if it acquires the lock again after that.
fn relocks(before: &[Step], step: &Step) -> Option<String> {
    let Some(Op::Gate(GateOp::Arrive { .. })) = step.seen.map(|seen| seen.op) else {
        return None;
    };
    let task = step.choice.task();
    let last = before
        .iter()
        .rfind(|before| before.choice.task() == task && before.seen.is_some())?;
    let is_wait = last.seen?.op == Op::Condition(ConditionOp::Poll);
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

/// The next operation of all, if it is one of that task at that primitive.
fn next_of(
    steps: &[Step],
    index: usize,
    task: usize,
    id: u32,
    is: impl Fn(Op) -> bool,
) -> Option<usize> {
    let (offset, next) = steps[index + 1..]
        .iter()
        .enumerate()
        .find(|(_, step)| step.seen.is_some() || !step.choice.is_go())?;
    let seen = next.seen?;
    let same = next.choice.is_go() && next.choice.task() == task && seen.id == id;
    (same && is(seen.op)).then_some(index + 1 + offset)
}

/// What a section does that does one thing with a condition or an event, without a switch in it,
/// and where it ends.
fn signals(
    steps: &[Step],
    index: usize,
    task: usize,
    id: u32,
    names: &Names,
) -> Option<(String, usize)> {
    let (offset, step) = steps[index + 1..]
        .iter()
        .enumerate()
        .find(|(_, step)| step.seen.is_some() || !step.choice.is_go())?;
    let seen = step.seen?;
    if !step.choice.is_go() || step.choice.task() != task {
        return None;
    }
    let other = name(names, seen.id);
    let what = match seen.op {
        Op::Condition(ConditionOp::Wait) => {
            format!("releases it, and waits to be notified by {other}")
        }
        Op::Condition(ConditionOp::Notify) => format!("notifies {other}, and releases it"),
        Op::Event(EventOp::Set) => format!("sets {other}, and releases it"),
        Op::Event(EventOp::Clear) => format!("clears {other}, and releases it"),
        _ => return None,
    };
    let end = next_of(steps, index + 1 + offset, task, id, is_release)?;
    Some((what, end))
}

/// The section, or the call.
fn place(step: &Step) -> String {
    match (step.note.section, step.note.place) {
        (Some(section), _) => format!("{}:{}", short(section.place.file()), section.place.line()),
        (None, Some(place)) => format!("{}:{}", short(place.file()), place.line()),
        (None, None) => String::new(),
    }
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
