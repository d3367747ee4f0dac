//! The locks that a call of a method acquires, directly or through other methods.

use proc_macro2::Ident;

use super::Condition;
use super::walk::{self, Event, EventKind, Methods};
use crate::gather::Gather;
use crate::monitor::model::{Method, Monitor};
use crate::names::plain;
use crate::section::{Mode, OwnLock};

/// The methods of an impl, as far as locks are concerned.
pub(super) struct Outline<'m> {
    pub(super) struct_name: String,
    pub(super) methods: Vec<Known<'m>>,
}

/// A method and the events of its body.
pub(super) struct Known<'m> {
    pub(super) name: String,
    pub(super) method: &'m Method,
    /// The locks that it holds from its beginning.
    pub(super) locks: Vec<OwnLock>,
    pub(super) events: Vec<Event>,
}

/// A lock that a call waits for.
#[derive(Clone)]
pub(super) struct Reached {
    pub(super) field: Ident,
    pub(super) mode: Mode,
    /// The wait has a timeout.
    pub(super) gives_up: bool,
    /// The methods between the call and the acquisition.
    pub(super) through: Vec<String>,
    pub(super) condition: Option<Condition>,
}

impl<'m> Outline<'m> {
    pub(super) fn new(monitor: &'m Monitor) -> Self {
        let struct_name = monitor.struct_name();
        let mut is_async = Methods::default();
        for method in monitor.methods() {
            is_async.add(method.name(), method.function.sig.asyncness.is_some());
        }
        let methods = monitor.methods().map(|method| {
            let locks = method.own_locks();
            let body = &method.function.body;
            let events = walk::events(body, locks.clone(), &is_async, &struct_name);
            Known {
                name: plain(method.name()),
                method,
                locks,
                events,
            }
        });
        let methods = methods.gather();
        Outline {
            struct_name,
            methods,
        }
    }

    /// The method of that name, if there is only one.
    pub(super) fn get(&self, name: &str) -> Option<&Known<'m>> {
        let mut found = self.methods.iter().filter(|known| known.name == name);
        let only = found.next();
        only.filter(|_| found.next().is_none())
    }

    /// All locks that a call of the method waits for, the nearest first.
    pub(super) fn reached(&self, name: &str) -> Vec<Reached> {
        let mut reached = Vec::new();
        let mut seen = vec![name.to_owned()];
        let mut calls = vec![(name.to_owned(), Vec::new())];
        while !calls.is_empty() {
            let mut next = Vec::new();
            for (name, through) in calls {
                if let Some(known) = self.get(&name) {
                    known.acquired_at(&through, &mut reached);
                    for event in &known.events {
                        if let EventKind::Call(callee) = &event.kind {
                            if !seen.contains(callee) {
                                seen.push(callee.clone());
                                let mut through = through.clone();
                                through.push(callee.clone());
                                next.push((callee.clone(), through));
                            }
                        }
                    }
                }
            }
            calls = next;
        }
        reached
    }
}

impl Known<'_> {
    /// The locks that the method itself waits for.
    fn acquired_at(&self, through: &[String], reached: &mut Vec<Reached>) {
        // It does not wait for a lock that it requires to be held.
        let is_held = self.method.holding.is_some();
        for lock in self.locks.iter().filter(|_| !is_held) {
            reached.push(Reached {
                field: lock.field.clone(),
                mode: lock.mode,
                gives_up: self.method.gives_up(),
                through: through.to_vec(),
                condition: None,
            });
        }
        for event in &self.events {
            if let EventKind::Acquire(acquired) = &event.kind {
                for lock in acquired {
                    reached.push(Reached {
                        field: lock.field.clone(),
                        mode: lock.mode,
                        gives_up: lock.gives_up,
                        through: through.to_vec(),
                        condition: lock.condition.clone(),
                    });
                }
            }
        }
    }
}
