//! A lock that is acquired while it is held.

use proc_macro2::{Ident, Span};
use syn::Error;

use super::reach::{Known, Outline, Reached};
use super::walk::{Acquired, Event, EventKind};
use super::{Finding, list, rarity};
use crate::gather::Gather;
use crate::monitor::model::view_name;
use crate::names::plain;
use crate::section::{Mode, OwnLock};

pub(super) fn findings(outline: &Outline<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for known in &outline.methods {
        for event in &known.events {
            let found = match &event.kind {
                EventKind::Acquire(acquired) => acquired.iter().find_map(|lock| {
                    let held = find(&event.held, &lock.field)?;
                    Some(acquired_again(known, event, held, lock))
                }),
                EventKind::Call(callee) => called(outline, known, event, callee),
                EventKind::OnView(..) => None,
            };
            findings.extend(found);
        }
    }
    findings
}

fn find<'h>(held: &'h [OwnLock], field: &Ident) -> Option<&'h OwnLock> {
    held.iter().find(|held| plain(&held.field) == plain(field))
}

/// `self.ledger.acquire()`, `self.acquire_ledger()` or `with_lock!(self.ledger, ..)`
/// while `ledger` is held.
fn acquired_again(known: &Known<'_>, event: &Event, held: &OwnLock, lock: &Acquired) -> Finding {
    let (name, field, binding) = (&known.name, &held.field, &held.binding);
    let deadlock = in_vain(lock.gives_up);
    let error = |message| Error::new(event.token_of(lock).span(), message);
    let again = format!("`{name}` holds `{field}` here, and acquires it again, {deadlock}");
    let instead = format!("use `{binding}`, which leads to what it guards");
    let message = match (held.mode, lock.mode) {
        (Mode::Shared, Mode::Shared) => format!(
            "`{name}` holds `{field}` for reading here, and reads it again, {deadlock} \
             once a writer waits in between: {instead}"
        ),
        (Mode::Shared, Mode::Exclusive) => format!(
            "`{name}` holds `{field}` for reading here, and waits for all who read it, \
             {deadlock}: hold `write({field})` from the beginning, and use `{binding}`"
        ),
        (Mode::Exclusive, _) => format!("{again}: {instead}"),
    };
    let exclusive = match (held.mode, lock.mode) {
        (Mode::Shared, Mode::Exclusive) => {
            format!("{again}: hold `{field}` in place of `read({field})`, and use `{binding}`")
        }
        _ => format!("{again}: {instead}"),
    };
    let is_other = held.mode == Mode::Shared;
    Finding {
        error: error(message),
        of_plain_lock: None,
        of_exclusive_lock: is_other
            .then(|| (field.clone(), Some(error(exclusive))))
            .into_iter()
            .gather(),
        conditions: lock.condition.iter().cloned().gather(),
    }
}

/// The consequence of a wait for a lock that the method itself holds.
fn in_vain(gives_up: bool) -> &'static str {
    if gives_up {
        "which can only run out of time"
    } else {
        "which is a deadlock"
    }
}

/// `self.deposit().await` while a lock that `deposit` acquires is held.
fn called(
    outline: &Outline<'_>,
    known: &Known<'_>,
    event: &Event,
    callee: &str,
) -> Option<Finding> {
    if event.held.is_empty() {
        return None;
    }
    let reached = outline.reached(callee);
    // The nearest certain one.
    let (held, reached) = reached
        .iter()
        .filter_map(|reached| Some((find(&event.held, &reached.field)?, reached)))
        .min_by_key(|(_, reached)| rarity(reached.condition.as_ref()))?;
    let (name, field) = (&known.name, &held.field);
    let through = if reached.through.is_empty() {
        String::new()
    } else {
        format!(", through {}", list(&reached.through))
    };
    let deadlock = in_vain(reached.gives_up);
    let (reading, again, once) = match (held.mode, reached.mode) {
        (Mode::Shared, Mode::Shared) => (
            " for reading",
            "reads it again",
            " once a writer waits in between",
        ),
        (Mode::Shared, Mode::Exclusive) => (" for reading", "acquires it again", ""),
        (Mode::Exclusive, _) => ("", "acquires it again", ""),
    };
    let error = |reading, again, once, advice| {
        Error::new(
            event.token.span(),
            format!(
                "`{name}` holds `{field}`{reading} here, and `{callee}` {again}{through}, \
                 {deadlock}{once}: {advice}"
            ),
        )
    };
    let plain = format!(
        "call it before or after, or move what it does to a fn that takes what is held, `{}`",
        held.binding
    );
    let advice = |kind| advice(outline, held, callee, reached, kind);
    let exclusive = (held.mode == Mode::Shared).then(|| {
        let error = error("", "acquires it again", "", advice(LockKind::Exclusive));
        (field.clone(), Some(error))
    });
    Some(Finding {
        error: error(reading, again, once, advice(LockKind::Rw)),
        of_plain_lock: Some((field.clone(), error(reading, again, once, plain))),
        of_exclusive_lock: exclusive.into_iter().gather(),
        conditions: reached.condition.iter().cloned().gather(),
    })
}

/// The kind of a lock that is held to read; either kind if it is held to write.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LockKind {
    Rw,
    Exclusive,
}

/// What to write instead of `self.callee(..)`.
fn advice(
    outline: &Outline<'_>,
    held: &OwnLock,
    callee: &str,
    reached: &Reached,
    kind: LockKind,
) -> String {
    let (field, binding) = (&held.field, &held.binding);
    let Some(known) = outline.get(callee) else {
        return String::new();
    };
    if !reached.through.is_empty() || known.locks.is_empty() {
        let view = view_type(outline, held, kind);
        let reference = match held.mode {
            Mode::Exclusive => "&mut ",
            Mode::Shared => "&",
        };
        return format!(
            "call it before or after, or let `{callee}` take what is held, \
             `{binding}: {reference}{view}<'_>`"
        );
    }
    if let Some(forms) = &known.method.forms {
        return match (held.mode, forms.lock.mode) {
            (Mode::Shared, Mode::Exclusive) => {
                let instead = match kind {
                    LockKind::Rw => format!("write({field})"),
                    LockKind::Exclusive => field.to_string(),
                };
                format!(
                    "hold `{instead}` here, and write `{binding}.{callee}(..)`, which runs under \
                     the lock already held"
                )
            }
            _ => format!("write `{binding}.{callee}(..)`, which runs under the lock already held"),
        };
    }
    let section = known.method.section.as_ref();
    if section.is_some_and(crate::section::Section::waits_for_a_condition) {
        format!(
            "nobody could make its condition true meanwhile, so call `{callee}` before or after"
        )
    } else if known.locks.len() > 1 {
        format!(
            "it takes several locks, so call `{callee}` before or after, or move what both do to \
             a method of `{field}` alone"
        )
    } else {
        format!("call `{callee}` before or after, when `{field}` is free")
    }
}

/// The name of the view that the body has.
fn view_type(outline: &Outline<'_>, held: &OwnLock, kind: LockKind) -> String {
    let suffix = match (held.mode, kind) {
        (Mode::Shared, LockKind::Rw) => "ReadHeld",
        (Mode::Exclusive, _) | (Mode::Shared, LockKind::Exclusive) => "Held",
    };
    view_name(&outline.struct_name, &held.field, suffix, Span::call_site()).to_string()
}
