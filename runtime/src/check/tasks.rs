//! The tasks of a run: each is a coroutine, on a stack of its own.
//!
//! # Invariants
//!
//! - **CT1** Only [`Tasks::resume`] resumes a coroutine, and makes its task the running one.
//!   So CS2 holds: only code on that stack suspends it.
//! - **CT2** A coroutine has a pointer to the session, which outlives all code in it: [`Tasks`]
//!   borrows the session, and its drop ends all coroutines. One that does not end is forgotten: it
//!   is never resumed, and its stack is leaked.
//! - **CT3** No panic unwinds out of a coroutine, so the caller of `resume` goes on as after any
//!   step.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::string::{String, ToString};
use std::vec::Vec;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult};

use super::relation::Operation;
use super::session::{Body, Command, Session, Stop, TaskYielder, Unwound};
use crate::panics;

/// How often the destructors of tasks may wait for each other.
const MAX_ROUNDS: usize = 1_000;

/// The state of a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TaskState {
    /// Before its first poll.
    New,
    /// About to do this operation.
    At(Operation),
    Suspended,
    Done,
}

/// The kind of a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// It may be cancelled.
    Future,
    /// It is not cancelled, and need not end.
    Background,
    /// A future that is not cancelled.
    Uncancelled,
    /// It blocks, and is not cancelled.
    Thread,
}

pub(super) struct Task {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) state: TaskState,
    pub(super) is_cancelled: bool,
    coroutine: Option<Coroutine<Command, Stop, Result<(), String>, DefaultStack>>,
}

/// The tasks of a run.
pub(super) struct Tasks<'s> {
    session: &'s Session,
    pub(super) list: Vec<Task>,
    stack_size: usize,
}

impl<'s> Tasks<'s> {
    pub(super) fn new(session: &'s Session, stack_size: usize) -> Self {
        Tasks {
            session,
            list: Vec::new(),
            stack_size,
        }
    }

    /// Adds a task.
    pub(super) fn push(&mut self, name: String, body: Body) {
        let index = self.list.len();
        let kind = match &body {
            Body::Future(_) => Kind::Future,
            Body::Background(_) => Kind::Background,
            Body::Uncancelled(_) => Kind::Uncancelled,
            Body::Thread(_) => Kind::Thread,
        };
        let stack = self.session.stacks.borrow_mut().pop();
        let stack = stack.unwrap_or_else(|| {
            DefaultStack::new(self.stack_size).expect("memory for the stack of a task")
        });
        let session: *const Session = self.session;
        let run = move |yielder: &TaskYielder, first: Command| {
            // SAFETY: CT2.
            let session = unsafe { &*session };
            session.task(index).yielder.set(yielder);
            let run = AssertUnwindSafe(|| match first {
                Command::Go | Command::Refuse => session.run_body(index, body),
                Command::Cancel | Command::Unwind => drop(body),
            });
            match panic::catch_unwind(run) {
                Ok(()) => Ok(()),
                Err(payload) if payload.is::<Unwound>() => Ok(()),
                Err(payload) => Err(message(payload)),
            }
        };
        self.list.push(Task {
            name,
            kind,
            state: TaskState::New,
            is_cancelled: false,
            coroutine: Some(Coroutine::with_stack(stack, run)),
        });
    }

    /// Lets a task go on until it stops. An error is the message of its panic.
    pub(super) fn resume(&mut self, index: usize, command: Command) -> Result<(), String> {
        let task = &mut self.list[index];
        let Some(coroutine) = &mut task.coroutine else {
            return Ok(());
        };
        let resumed = self.session.run_as(index, || coroutine.resume(command));
        match resumed {
            CoroutineResult::Yield(Stop::At(operation)) => task.state = TaskState::At(operation),
            CoroutineResult::Yield(Stop::Suspended) => {
                task.state = TaskState::Suspended;
                self.session.on_stopped(index, false);
            }
            CoroutineResult::Return(result) => {
                task.state = TaskState::Done;
                self.session.on_stopped(index, true);
                let stack = task.coroutine.take().map(Coroutine::into_stack);
                self.session.stacks.borrow_mut().extend(stack);
                return result;
            }
        }
        Ok(())
    }

    /// Ends all tasks: drops the remains of them, without scheduling points.
    pub(super) fn clear(&mut self) {
        self.session.be_passive();
        for index in 0..self.list.len() {
            let command = match self.list[index].state {
                // Its stack is already unwinding.
                _ if self.session.task(index).is_unwinding.get() => Command::Go,
                TaskState::At(_) => Command::Unwind,
                TaskState::Suspended if !self.is_at_await(index) => Command::Unwind,
                TaskState::New | TaskState::Suspended | TaskState::Done => Command::Cancel,
            };
            let _ = self.resume(index, command);
        }
        // A destructor may wait for a lock that another task holds.
        for round in 0..=MAX_ROUNDS {
            let is_last = round == MAX_ROUNDS;
            for index in 0..self.list.len() {
                if is_last && self.list[index].coroutine.is_some() {
                    self.leave_destructor(index);
                } else if self.is_at_await(index) {
                    let _ = self.resume(index, Command::Cancel);
                } else {
                    let _ = self.resume(index, Command::Go);
                }
            }
            if self.list.iter().all(|task| task.coroutine.is_none()) {
                break;
            }
        }
        self.list.clear();
    }

    /// Whether a task is suspended in the middle of unwinding.
    pub(super) fn is_any_unwinding(&self) -> bool {
        (0..self.list.len()).any(|index| {
            self.list[index].state != TaskState::Done && self.session.task(index).is_unwinding.get()
        })
    }

    /// A task whose request was refused. Nobody will wake it, but it may poll the request again.
    pub(super) fn refused(&self) -> Option<usize> {
        (0..self.list.len()).find(|index| {
            self.list[*index].state == TaskState::Suspended
                && self.session.task(*index).was_refused.get()
        })
    }

    /// Whether the remains of a task are a future that is not being polled.
    fn is_at_await(&self, index: usize) -> bool {
        let task = &self.list[index];
        task.state == TaskState::Suspended
            && task.kind != Kind::Thread
            && self.session.task(index).blocking_calls.get() == 0
    }

    /// Unwinds the destructor in which a task waits.
    fn leave_destructor(&mut self, index: usize) {
        let cell = self.session.task(index);
        if !cell.is_unwinding.get() {
            let _ = self.resume(index, Command::Unwind);
        }
        if !cell.is_unwinding.get() {
            // It catches every panic. It is abandoned, with everything it holds.
            core::mem::forget(self.list[index].coroutine.take());
        } else if self.list[index].coroutine.is_some() {
            std::eprintln!(
                "check: while `{}` unwinds, one of its destructors waits for ever. The process \
                 ends here, as it would by a panic in there",
                self.list[index].name
            );
            std::process::abort();
        }
    }
}

impl Drop for Tasks<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The message of a panic.
pub(super) fn message(payload: std::boxed::Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => match payload.downcast::<&'static str>() {
            Ok(message) => message.to_string(),
            Err(payload) => {
                // Its destructor may panic, in the coroutine or in the checker (CT3).
                panics::discard(payload);
                "a panic without a message".to_string()
            }
        },
    }
}
