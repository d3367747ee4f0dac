//! A write method called on a read view.

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
    let of_view = outline.get(method)?.method.lock_of_view()?;
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
