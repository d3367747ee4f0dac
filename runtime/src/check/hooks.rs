//! What the code of a task calls while it runs: the hooks of the primitives, blocking calls, wakers
//! and timers.
//!
//! They record what the search needs, and suspend the task at scheduling points. See the invariants
//! of [`session`](super::session).

use core::cell::Cell;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::sync::atomic::Ordering;
use core::task::{Context, Poll, Waker};
use std::format;
use std::string::String;
use std::time::Duration;

use super::relation::Operation;
use super::session::{Command, NO_TASK, Session, Stop};
use super::state::{LockHolder, Note};
use super::trace::Moment;
use crate::checking::{Awaits, EventOp, GateOp, LastRun, Op, SyncOp};
use crate::watching;

/// The message if the code of the test has to wait outside of its tasks.
const WAITS_OUTSIDE: &str = "the test waits, outside of its tasks, for one of them; no task runs \
                             until it returns. Use a `try_` form to look without waiting";

impl Session {
    /// Called when the running task is about to do `op`: waits until the schedule lets it, and
    /// records the effect. Returns whether the task may do it.
    pub(crate) fn announce(
        &self,
        address: usize,
        last_run: &LastRun,
        op: Op,
        place: Option<&'static Location<'static>>,
    ) -> bool {
        let id = self.number(op, address);
        if last_run.is_of_another(self.run.get()) && !self.is_setting_up.get() {
            self.record_earlier_use(id, op, place);
        }
        let task = self.running.get();
        if task == NO_TASK {
            self.record_outside(id, op);
            return true;
        }
        let is_unwinding = self.is_unwinding(task);
        if self.tasks[task].must_unwind.get() && !is_unwinding {
            self.unwind_before(task, op);
        }
        if self.is_passive.get() || is_unwinding {
            // Not a scheduling point. But the holder of a sync lock runs on this thread, too.
            if let Op::Sync(SyncOp::Acquire { is_shared }) = op {
                self.wait_until_free(task, id, op, is_shared);
            }
        } else if !self.reach_point(task, id, op, place) {
            return false;
        }
        self.record_effect(task, id, op);
        true
    }

    /// Records what the test does to a sync lock outside of its tasks: they must not wait for the
    /// platform lock on this thread.
    fn record_outside(&self, id: u32, op: Op) {
        self.op_outside.set(Some(op));
        match op {
            Op::Sync(SyncOp::Acquire { is_shared }) => {
                assert!(self.is_free(id, is_shared), "{WAITS_OUTSIDE}");
                self.add_holder(NO_TASK, id, is_shared);
            }
            Op::Sync(SyncOp::Release) => self.remove_holder(NO_TASK, id),
            _ => {}
        }
    }

    fn number(&self, op: Op, address: usize) -> u32 {
        if op.is_of_the_program() {
            self.number_of_use(address)
        } else {
            self.number_of(address)
        }
    }

    /// Suspends the running task, which is to acquire a sync lock, until nobody holds the lock.
    fn wait_until_free(&self, task: usize, id: u32, op: Op, is_shared: bool) {
        while !self.is_free(id, is_shared) {
            let operation = Operation {
                id,
                op,
                observes_wait: false,
                is_point: true,
            };
            self.suspend_or_unwind(task, Stop::At(operation));
        }
    }

    /// Suspends the running task before `op`, if that is a scheduling point. Returns whether it may
    /// do it.
    fn reach_point(
        &self,
        task: usize,
        id: u32,
        op: Op,
        place: Option<&'static Location<'static>>,
    ) -> bool {
        let cell = &self.tasks[task];
        if cell.pending_count.get() > 0 || cell.was_refused.get() {
            self.learn_that_it_observes_pending(task);
        }
        if self.is_explaining.get() {
            self.explain(id, op, place);
        }
        let operation = self.classify(task, id, op);
        if operation.is_point || self.is_fine.get() {
            match self.suspend(task, Stop::At(operation)) {
                Command::Refuse => {
                    cell.was_refused.set(true);
                    return false;
                }
                Command::Unwind => self.unwind_before(task, op),
                Command::Go | Command::Cancel => {}
            }
        }
        cell.arrival_is_pending.set(false);
        if let Op::Gate(GateOp::Arrive { is_exclusive, .. }) = op {
            cell.arrivals.set(cell.arrivals.get() + 1);
            cell.waits_in_queue
                .set(is_exclusive && !operation.observes_wait);
            cell.has_arrived.set(true);
        }
        true
    }

    /// Records what the running task does by `op`, as far as it is known before.
    fn record_effect(&self, task: usize, id: u32, op: Op) {
        let cell = &self.tasks[task];
        cell.op.set(Some(op));
        match op {
            Op::Gate(GateOp::Release { .. } | GateOp::Park) | Op::Sync(SyncOp::Release) => {
                self.record_release(task, id);
            }
            Op::Gate(GateOp::Arrive { is_semaphore, .. }) => {
                self.with_lock_state(id, |lock| lock.is_semaphore = is_semaphore);
            }
            Op::Gate(GateOp::Upgrade) => cell.is_upgrading.set(true),
            Op::Gate(GateOp::Leave { .. }) => {
                cell.is_upgrading.set(false);
                self.count_release();
                self.with_lock_state(id, |lock| lock.released = Some(self.now()));
            }
            Op::Sync(SyncOp::Acquire { is_shared }) => {
                self.record_acquisition(task, id, is_shared);
            }
            _ => {}
        }
    }

    /// `op` as it is compared with others.
    fn classify(&self, task: usize, id: u32, op: Op) -> Operation {
        let index = id as usize;
        let mut learned = self.learned.borrow_mut();
        if learned.release_matters.len() <= index {
            learned.release_matters.resize(index + 1, false);
        }
        let observes_pending = learned.observes_pending & (1 << task) != 0;
        let observes_wait = match op {
            Op::Gate(GateOp::Arrive { is_exclusive, .. }) => {
                observes_pending
                    || self.may_cancel.get() && (!is_exclusive || learned.release_matters[index])
            }
            Op::Gate(GateOp::Leave { .. }) | Op::Event(EventOp::Leave) => observes_pending,
            _ => false,
        };
        // A later poll of a task with one wait is not a scheduling point, and reads nothing.
        let conflicts_with_releases = match op {
            Op::Gate(GateOp::Poll) => observes_pending,
            op => op.conflicts_with_releases(observes_wait),
        };
        if conflicts_with_releases && !learned.release_matters[index] && !self.is_fine.get() {
            learned.release_matters[index] = true;
            learned.has_changed = true;
        }
        let is_point = op.is_point(learned.release_matters[index], observes_pending);
        Operation {
            id,
            op,
            observes_wait,
            is_point,
        }
    }

    /// The task goes on after a request has returned `Pending`: it observes that.
    fn learn_that_it_observes_pending(&self, task: usize) {
        let mut learned = self.learned.borrow_mut();
        if learned.observes_pending & (1 << task) == 0 && !self.is_fine.get() {
            learned.observes_pending |= 1 << task;
            learned.has_changed = true;
        }
    }

    /// Called when a task uses a primitive that another run, perhaps of another check, has used:
    /// records the message.
    #[cold]
    fn record_earlier_use(&self, id: u32, op: Op, place: Option<&'static Location<'static>>) {
        let section = watching::entered_section();
        let mut names = self.names.borrow_mut();
        names.is_a(id, op.kind());
        if let Some((name, _)) = section {
            names.say(id, name);
        }
        let place = match (section, place) {
            (Some((_, section)), _) => format!(" ({})", section.place),
            (None, Some(place)) => format!(" ({}:{})", place.file(), place.line()),
            (None, None) => String::new(),
        };
        self.earlier_use.replace(Some(format!(
            "{}{place} was used by an earlier run: a task would see what that run left in it. \
             Create it in the test's closure, or reset it there before the tasks start",
            super::table::name(&names, id)
        )));
    }

    fn count_release(&self) {
        self.releases_in_event
            .set(self.releases_in_event.get().saturating_add(1));
    }

    fn record_release(&self, task: usize, id: u32) {
        self.count_release();
        self.remove_holder(task, id);
        self.with_lock_state(id, |lock| lock.released = Some(self.now()));
    }

    fn record_acquisition(&self, task: usize, id: u32, is_shared: bool) {
        self.add_holder(task, id, is_shared);
        if !is_shared {
            let released = self.with_lock_state(id, |lock| lock.released);
            self.acquired_after.set(released.unwrap_or(Moment::NEVER));
        }
    }

    fn add_holder(&self, task: usize, id: u32, is_shared: bool) {
        self.with_lock_state(id, |lock| lock.holders.push(LockHolder { task, is_shared }));
    }

    /// Removes a task from the holders of a lock, or another one: a guard may have been sent to
    /// another task.
    fn remove_holder(&self, task: usize, id: u32) {
        self.with_lock_state(id, |lock| {
            let own = lock.holders.iter().rposition(|holder| holder.task == task);
            if let Some(index) = own.or(lock.holders.len().checked_sub(1)) {
                lock.holders.remove(index);
            }
        });
    }

    /// Called when the running task has acquired: records it as a holder.
    pub(crate) fn on_acquired(&self, address: usize) {
        let id = self.number_of(address);
        let task = self.running.get();
        if task == NO_TASK {
            if let Some(Op::Sync(SyncOp::Try { is_shared })) = self.op_outside.get() {
                self.add_holder(NO_TASK, id, is_shared);
            }
            return;
        }
        self.has_acquired.set(true);
        let cell = &self.tasks[task];
        match cell.op.get() {
            // It held the lock before.
            _ if cell.is_upgrading.replace(false) => {}
            Some(Op::Sync(SyncOp::Try { is_shared })) => {
                self.record_acquisition(task, id, is_shared)
            }
            Some(Op::Gate(GateOp::Arrive {
                is_exclusive: true, ..
            })) if cell.has_arrived.get() => {
                // All previous holders have released.
                self.record_acquisition(task, id, false);
            }
            _ => self.add_holder(task, id, false),
        }
        cell.has_arrived.set(false);
        cell.waits_in_queue.set(false);
    }

    /// Called when the poll of a request is about to return `Pending`: records what the running
    /// task waits for.
    pub(crate) fn on_pending(&self, address: usize, awaits: Awaits) {
        let id = self.number_of(address);
        let task = self.running.get();
        if task == NO_TASK {
            return;
        }
        let cell = &self.tasks[task];
        cell.arrival_is_pending.set(cell.has_arrived.replace(false));
        if awaits != Awaits::Permit {
            cell.waits_in_queue.set(false);
        }
        cell.waits_for.set(Some((id, awaits)));
        cell.pending_count.set(cell.pending_count.get() + 1);
        if cell.pending_count.get() > 1 && !self.is_passive.get() {
            self.learn_that_it_observes_pending(task);
        }
    }

    /// Called before a task is polled: forgets what its last poll has recorded.
    pub(super) fn begin_poll(&self, task: usize) {
        let cell = &self.tasks[task];
        cell.pending_count.set(0);
        cell.was_refused.set(false);
        cell.arrival_is_pending.set(false);
        cell.timers.borrow_mut().clear();
        cell.waits_for.set(None);
        cell.waits_in_queue.set(false);
        cell.flag.woken.store(false, Ordering::Relaxed);
        cell.woken_by.set(Moment::NEVER);
    }

    /// Called when a task has been suspended, or has `ended`: learns whether it observes `Pending`.
    pub(super) fn on_stopped(&self, task: usize, ended: bool) {
        if self.is_passive.get() {
            // It was told to.
            return;
        }
        let cell = &self.tasks[task];
        if ended {
            if cell.pending_count.get() > 0 || cell.was_refused.get() {
                self.learn_that_it_observes_pending(task);
            }
        } else if cell.arrival_is_pending.get() && cell.pending_count.get() == 1 {
            self.learn_that_it_suspends(task, cell.arrivals.get() - 1);
        }
    }

    /// The task suspends after its arrival of that number returns `Pending`.
    pub(super) fn learn_that_it_suspends(&self, task: usize, arrival: u32) {
        let arrivals = &mut self.learned.borrow_mut().suspends[task];
        let index = arrival as usize;
        if arrivals.len() <= index {
            arrivals.resize(index + 1, false);
        }
        arrivals[index] = true;
    }

    /// Called when the waker of a task is called: records the cause.
    pub(super) fn on_wake(&self, task: usize, was_woken: bool) {
        let running = self.running.get();
        let cell = &self.tasks[task];
        if running == task {
            // It would go on in any case.
            cell.woken_by.set(Moment::NEVER);
        } else {
            if !was_woken {
                cell.woken_by.set(self.now());
            }
            if self.learned.borrow().observes_pending & (1 << task) != 0 {
                self.woken.set(self.woken.get() | 1 << task);
            }
        }
    }

    /// Records where the running task does `op`, for the table.
    #[cold]
    fn explain(&self, id: u32, op: Op, place: Option<&'static Location<'static>>) {
        self.names.borrow_mut().is_a(id, op.kind());
        let entered = watching::entered_section();
        if let Some((name, _)) = entered {
            self.names.borrow_mut().say(id, name);
        }
        self.tasks[self.running.get()].note.set(Note {
            section: entered.map(|(_, section)| section),
            place,
        });
    }

    /// Runs `future` to its end in the running task, which is suspended wherever it waits. `None` if
    /// `limit` has expired.
    pub(crate) fn block_on<F: Future>(
        &self,
        mut future: Pin<&mut F>,
        limit: Option<Duration>,
    ) -> Option<F::Output> {
        /// Ends the blocking call when it is dropped.
        struct BlockingCall<'c>(&'c Cell<u32>);

        impl Drop for BlockingCall<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }

        let task = self.running.get();
        if task == NO_TASK {
            let polled = future.poll(&mut Context::from_waker(Waker::noop()));
            return match polled {
                Poll::Ready(output) => Some(output),
                Poll::Pending if limit.is_some() => None,
                Poll::Pending => panic!("{WAITS_OUTSIDE}"),
            };
        }
        let cell = &self.tasks[task];
        cell.blocking_calls.set(cell.blocking_calls.get() + 1);
        let call = BlockingCall(&cell.blocking_calls);
        let timer = (&raw const call).addr();
        let mut cx = Context::from_waker(&cell.waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return Some(output);
            }
            match limit {
                Some(limit)
                    if limit.is_zero()
                        || self.is_passive.get()
                        || self.poll_timer(timer).is_ready() =>
                {
                    return None;
                }
                _ => {}
            }
            self.suspend_or_unwind(task, Stop::Suspended);
        }
    }

    /// Whether the timer at that address has expired. If not, the running task waits for it.
    pub(crate) fn poll_timer(&self, timer: usize) -> Poll<()> {
        let task = self.running.get();
        if task == NO_TASK {
            return Poll::Pending;
        }
        let cell = &self.tasks[task];
        if cell.expired_timer.get() == timer {
            cell.expired_timer.set(0);
            return Poll::Ready(());
        }
        self.learn_that_it_observes_pending(task);
        cell.timers.borrow_mut().push(timer);
        Poll::Pending
    }

    /// The timer with that index expires; the task polls it next.
    pub(super) fn expire(&self, task: usize, index: usize) {
        let cell = &self.tasks[task];
        let timer = cell.timers.borrow().get(index).copied();
        cell.expired_timer.set(timer.unwrap_or(0));
    }
}
