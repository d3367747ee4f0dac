//! A method that a view does not have: as it writes, and the view only reads, or as it has no form
//! that runs under a lock already held.

use quote::quote;
use syn::Error;

use super::Finding;
use super::reach::{Known, Outline};
use super::walk::{Event, EventKind};
use crate::gather::Gather;
use crate::names::plain;
use crate::section::{Mode, OwnLock};

pub(super) fn findings(outline: &Outline<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for known in &outline.methods {
        for event in &known.events {
            if let EventKind::OnView(lock, method) = &event.kind {
                findings.extend(written(outline, known, event, lock, method));
            }
        }
    }
    findings
}

/// `ledger.deposit(..)` in a section of `read(ledger)`.
fn written(
    outline: &Outline<'_>,
    known: &Known<'_>,
    event: &Event,
    lock: &OwnLock,
    method: &str,
) -> Option<Finding> {
    let called = outline.get(method)?;
    let Some(of_view) = called.method.lock_of_view() else {
        return without_form(known, event, lock, called, method);
    };
    let is_written = of_view.mode == Mode::Exclusive && plain(&of_view.field) == plain(&lock.field);
    if lock.mode == Mode::Exclusive || !is_written {
        return None;
    }
    let (name, field) = (&known.name, &lock.field);
    let error = |instead: &str| {
        Error::new(
            event.token.span(),
            format!(
                "`{name}` holds `{field}` only to read here, and `{method}` writes: hold \
                 `{instead}` in place of `read({field})`"
            ),
        )
    };
    let exclusive = error(&field.to_string());
    Some(Finding {
        error: error(&format!("write({field})")),
        of_plain_lock: None,
        of_exclusive_lock: vec![(field.clone(), Some(exclusive))],
        conditions: [(quote!(write), field.clone())].into_iter().gather(),
    })
}

/// `ledger.withdraw(..)`, where `withdraw` is a section of that lock which waits for a condition,
/// or takes other locks, too.
fn without_form(
    known: &Known<'_>,
    event: &Event,
    lock: &OwnLock,
    called: &Known<'_>,
    method: &str,
) -> Option<Finding> {
    let section = called.method.section.as_ref()?;
    let is_of_lock = |own: &OwnLock| plain(&own.field) == plain(&lock.field);
    if !section.own_locks().iter().any(is_of_lock) {
        return None;
    }
    let why = if section.waits_for_a_condition() {
        "waits for a condition, which nobody could make true meanwhile: call it"
    } else if called.locks.len() > 1 {
        "takes several locks: move what both do to a method of this lock alone, or call it"
    } else {
        return None;
    };
    let (name, field) = (&known.name, &lock.field);
    let message = format!("`{name}` holds `{field}` here, and `{method}` {why} before or after");
    Some(Finding {
        error: Error::new(event.token.span(), message),
        of_plain_lock: None,
        of_exclusive_lock: Vec::new(),
        // Of a derive: of any other lock, it is a method of what that contains.
        conditions: [(quote!(read), field.clone())].into_iter().gather(),
    })
}
