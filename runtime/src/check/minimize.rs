//! A shorter schedule that shows the same failure.

use std::vec::Vec;

use super::engine::{End, Engine, FailureKind};
use super::trace::Choice;

/// How many schedules are run to find a shorter one.
const MAX_RUNS: usize = 400;

/// How hard a schedule is to read: by its cancels and timeouts, switches, and steps.
fn cost(schedule: &[Choice]) -> (usize, usize, usize) {
    let other = schedule.iter().filter(|choice| !choice.is_go()).count();
    let switches = schedule
        .windows(2)
        .filter(|pair| pair[0].task() != pair[1].task())
        .count();
    (other, switches, schedule.len())
}

/// Runs a schedule, and returns the choices made, if it fails as before.
fn fails(
    engine: &mut Engine<'_>,
    schedule: &[Choice],
    is_fine: bool,
    kind: FailureKind,
) -> Option<Vec<Choice>> {
    match engine.follow(schedule, is_fine) {
        End::Failed(failure) if failure.kind == kind => Some(engine.schedule()),
        _ => None,
    }
}

/// Converts the schedule of a search to one in which every operation is a scheduling point.
pub(super) fn refined(
    engine: &mut Engine<'_>,
    schedule: &[Choice],
    kind: FailureKind,
) -> Option<Vec<Choice>> {
    // If all cancels come at waits, it is the same schedule.
    if let Some(refined) = fails(engine, schedule, false, kind) {
        if refined.iter().filter(|choice| choice.is_cancel()).count()
            == schedule.iter().filter(|choice| choice.is_cancel()).count()
        {
            return Some(refined);
        }
    }
    // A task that was cancelled at an arrival has to wait there: it arrives before the holder
    // releases the lock.
    let cancels = |choice: &Choice| choice.is_cancel();
    let last = schedule.iter().rposition(cancels)?;
    let task = schedule[last].task();
    let beginning = engine.refined(&schedule[..last]);
    for at in (0..=beginning.len()).rev() {
        let mut candidate: Vec<Choice> = beginning[..at].to_vec();
        candidate.extend(
            beginning[at..]
                .iter()
                .filter(|choice| choice.task() == task),
        );
        candidate.push(Choice::go(task));
        candidate.push(Choice::cancel(task));
        candidate.extend(
            beginning[at..]
                .iter()
                .filter(|choice| choice.task() != task),
        );
        let rest = &schedule[last + 1..];
        candidate.extend(rest.iter().filter(|choice| choice.task() != task));
        if let Some(refined) = fails(engine, &candidate, true, kind) {
            if refined.iter().any(|choice| *choice == Choice::cancel(task)) {
                return Some(refined);
            }
        }
    }
    None
}

/// Fewer cancels, then fewer switches, then fewer steps.
pub(super) fn minimize(
    engine: &mut Engine<'_>,
    schedule: Vec<Choice>,
    kind: FailureKind,
) -> Vec<Choice> {
    let mut best = schedule;
    let mut runs = 0;
    loop {
        let mut improved = false;
        for candidate in candidates(&best) {
            if runs == MAX_RUNS {
                return best;
            }
            runs += 1;
            if let Some(found) = fails(engine, &candidate, true, kind) {
                if cost(&found) < cost(&best) {
                    best = found;
                    improved = true;
                    break;
                }
            }
        }
        if !improved {
            return best;
        }
    }
}

/// The schedule with one of its blocks moved, shortened or left out. A block is a run of steps of
/// one task.
fn candidates(schedule: &[Choice]) -> Vec<Vec<Choice>> {
    let mut blocks: Vec<Vec<Choice>> = Vec::new();
    for choice in schedule {
        match blocks.last_mut() {
            Some(block) if block[0].task() == choice.task() => block.push(*choice),
            _ => blocks.push(std::vec![*choice]),
        }
    }
    let mut candidates = Vec::new();
    for index in 0..blocks.len() {
        candidates.push(blocks[..index].concat());
        let mut left_out = blocks.clone();
        left_out.remove(index);
        candidates.push(left_out.concat());
        for later in index + 1..blocks.len() {
            if blocks[later][0].task() == blocks[index][0].task() {
                let mut pulled = blocks.clone();
                let block = pulled.remove(later);
                pulled[index].extend(block);
                candidates.push(pulled.concat());
                let mut pushed = blocks.clone();
                let block = pushed.remove(index);
                pushed[later - 1].splice(0..0, block);
                candidates.push(pushed.concat());
                break;
            }
        }
        for (at, choice) in blocks[index].iter().enumerate() {
            if !choice.is_go() {
                let mut without = blocks.clone();
                without[index].remove(at);
                candidates.push(without.concat());
            }
        }
        if blocks[index].len() > 1 {
            let mut split = blocks.clone();
            let half = split[index].len() / 2;
            let tail = split[index].split_off(half);
            split.insert((index + 2).min(split.len()), tail);
            candidates.push(split.concat());
        }
    }
    candidates
}
