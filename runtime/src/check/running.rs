//! The state of one run: the choices that are enabled, and the waits of its tasks if none is.

use std::format;
use std::string::String;
use std::vec::Vec;

use super::engine::{Failure, FailureKind};
use super::relation::Operation;
use super::session::{Body, MAX_TASKS, Session};
use super::tasks::{Kind, TaskState, Tasks};
use super::trace::{Choice, Choices, GO, MAX_TIMERS, Trace};
use crate::checking::{Awaits, GateOp, Op, SyncOp};

/// The state of one run.
pub(super) struct Running<'s> {
    pub(super) session: &'s Session,
    pub(super) tasks: Tasks<'s>,
    pub(super) cancels_left: usize,
    pub(super) timeouts_left: usize,
    pub(super) cancelled: bool,
}

impl Running<'_> {
    pub(super) fn add(&mut self, name: String, body: Body, max: usize) {
        let index = self.tasks.list.len();
        assert!(
            index < max.min(MAX_TASKS),
            "a check has at most {} tasks (`tasks`)",
            max.min(MAX_TASKS)
        );
        self.tasks.push(name, body);
    }

    /// The choices that are enabled.
    pub(super) fn enabled(&self, trace: &Trace) -> Choices {
        let mut enabled = 0;
        let mut late = 0;
        let is_fine = self.session.is_fine.get();
        for (index, task) in self.tasks.list.iter().enumerate() {
            let cell = self.session.task(index);
            let may_cancel = self.cancels_left > 0
                && task.kind == Kind::Future
                && !task.is_cancelled
                && cell.blocking_calls.get() == 0;
            match task.state {
                TaskState::Done => {}
                TaskState::New => enabled |= Choice::go(index).bit(),
                TaskState::At(operation) => {
                    if self.is_possible(operation) {
                        enabled |= Choice::go(index).bit();
                    }
                    if may_cancel && !is_fine && self.waits_in_some_order(trace, index, operation) {
                        enabled |= Choice::cancel(index).bit();
                    }
                }
                TaskState::Suspended => {
                    if cell.is_woken() {
                        enabled |= Choice::go(index).bit();
                    }
                    if may_cancel && (is_fine || !cell.waits_in_queue.get()) {
                        enabled |= Choice::cancel(index).bit();
                    }
                    let timers = cell.timers.borrow().len().min(MAX_TIMERS);
                    for timer in 0..timers {
                        late |= Choice::expire(index, timer).bit();
                    }
                }
            }
        }
        // Time passes if nothing else can happen.
        if self.timeouts_left > 0 || enabled & GO == 0 {
            enabled |= late;
        }
        enabled
    }

    /// Whether an operation can be done now. Only a sync lock can prevent it.
    fn is_possible(&self, operation: Operation) -> bool {
        let Op::Sync(SyncOp::Acquire { is_shared }) = operation.op else {
            return true;
        };
        self.session.is_free(operation.id, is_shared)
    }

    /// Whether an arrival has to wait in some schedule of this class: one in which a task that held
    /// the lock has not released it yet.
    fn waits_in_some_order(&self, trace: &Trace, task: usize, operation: Operation) -> bool {
        if !matches!(
            operation.op,
            Op::Gate(GateOp::Arrive {
                is_exclusive: true,
                ..
            })
        ) || operation.observes_wait
        {
            return false;
        }
        // A request that has been granted the lock, or waits before it.
        let is_before = |index: usize| {
            let cell = self.session.task(index);
            match cell.waits_for.get() {
                Some((id, Awaits::Permit)) => id == operation.id,
                Some((id, Awaits::Truth)) => id == operation.id && cell.is_woken(),
                Some((_, Awaits::Signal)) | None => false,
            }
        };
        let mut suspended = (0..self.tasks.list.len())
            .filter(|index| self.tasks.list[*index].state == TaskState::Suspended);
        if suspended.any(is_before) {
            return true;
        }
        let locks = self.session.locks.borrow();
        let Some(lock) = locks.get(operation.id as usize) else {
            return false;
        };
        !lock.holders.is_empty()
            || lock
                .released
                .is_some_and(|released| !trace.is_known(released, task))
    }

    /// Whether one of the waiting tasks could not go on even if the cancelled tasks had run to their
    /// ends: it waits for a lock whose holder will never release it.
    pub(super) fn is_stuck(&self, waits: &[usize]) -> bool {
        let tasks = 0..self.tasks.list.len();
        // Tasks that wait for a signal may get it, then release their locks, and so on.
        let mut go_on: Vec<usize> = Vec::new();
        loop {
            let more: Vec<usize> = tasks
                .clone()
                .filter(|task| !go_on.contains(task) && self.may_go_on(*task, &go_on))
                .collect();
            if more.is_empty() {
                return waits.iter().any(|task| !go_on.contains(task));
            }
            go_on.extend(more);
        }
    }

    /// Whether a task may go on if others go on and release what they hold.
    fn may_go_on(&self, task: usize, others: &[usize]) -> bool {
        if self.tasks.list[task].state == TaskState::Done {
            return false;
        }
        let Some((id, Awaits::Permit)) = self.waits(task) else {
            return true;
        };
        let locks = self.session.locks.borrow();
        let Some(lock) = locks.get(id as usize) else {
            return true;
        };
        let upgrades = self.session.task(task).is_upgrading.get();
        let mut holders = lock.holders.iter().map(|holder| holder.task);
        if lock.is_semaphore {
            // One of them may release enough, or another task may add permits.
            lock.holders.is_empty() || holders.any(|holder| others.contains(&holder))
        } else {
            holders.all(|holder| others.contains(&holder) || upgrades && holder == task)
        }
    }

    /// What a task waits for.
    fn waits(&self, task: usize) -> Option<(u32, Awaits)> {
        match self.tasks.list[task].state {
            TaskState::At(operation) => Some((operation.id, Awaits::Permit)),
            TaskState::Suspended => self.session.task(task).waits_for.get(),
            TaskState::New | TaskState::Done => None,
        }
    }

    /// The holders of the lock that a task waits for, as the end of a sentence.
    fn held_by(&self, id: u32, task: usize) -> String {
        let locks = self.session.locks.borrow();
        let upgrades = self.session.task(task).is_upgrading.get();
        let mut holders: Vec<usize> = match locks.get(id as usize) {
            Some(lock) => lock.holders.iter().map(|holder| holder.task).collect(),
            None => Vec::new(),
        };
        holders.retain(|holder| !(upgrades && *holder == task));
        // The task itself first.
        holders.sort_unstable_by_key(|holder| (*holder != task, *holder));
        holders.dedup();
        let names: Vec<String> = holders
            .iter()
            .map(|&holder| match self.tasks.list.get(holder) {
                _ if holder == task => "it".into(),
                Some(holder) => format!("`{}`", holder.name),
                None => "the test".into(),
            })
            .collect();
        match &*names {
            [] => String::new(),
            [_] if holders[0] == task => ", which it holds itself".into(),
            [name] => format!(", which {name} holds"),
            [names @ .., last] => format!(", which {} and {last} hold", names.join(", ")),
        }
    }

    pub(super) fn endless(&self, max_steps: usize) -> Failure {
        let names: Vec<&str> = self
            .tasks
            .list
            .iter()
            .filter(|task| task.state != TaskState::Done && task.kind != Kind::Background)
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

    pub(super) fn deadlock(&self, waits: &[usize]) -> Failure {
        let names = self.session.names.borrow();
        let mut lines = Vec::new();
        for &index in waits {
            let task = &self.tasks.list[index];
            let cell = self.session.task(index);
            let Some((id, awaits)) = self.waits(index) else {
                continue;
            };
            let (what, holders) = match awaits {
                Awaits::Permit => ("waits for", self.held_by(id, index)),
                Awaits::Truth => ("waits for its condition at", String::new()),
                Awaits::Signal => match names.kind(id) {
                    "event" => ("waits for", ", which is not set".into()),
                    "barrier" => ("waits at", String::new()),
                    _ => ("waits to be notified by", String::new()),
                },
            };
            let name = super::table::name(&names, id);
            // The section is known only in a run that explains its operations.
            let condition = match cell.note.get().section {
                Some(section) if !section.condition.is_empty() => {
                    format!(", `{}` in `{}`", section.condition, section.name)
                }
                _ => String::new(),
            };
            lines.push(format!("`{}` {what} {name}{holders}{condition}", task.name));
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
