//! Deadlocks that the methods of one impl show.
//!
//! There are two hazards: a lock that is acquired while it is held, and
//! locks that methods acquire in opposite orders. `walk` finds the acquisitions and calls of
//! each body, and the locks held meanwhile; `reach` the acquisitions that a call leads to;
//! `nested` and `order` find the hazards. `reading` finds a mistake that is not a hazard, and
//! for which the compiler's message would not help: a write method called on a read view.
//!
//! # What counts
//!
//! Only locks of `self`, by their names, and only code that runs in the body itself:
//! the code of a closure, an `async` block, an item or an argument of an unknown macro
//! runs elsewhere, or never. A future that is not awaited acquires
//! nothing. `try_` forms do not wait. Code behind a `#[cfg]` may not exist.

mod nested;
mod order;
mod reach;
mod reading;
mod walk;

use proc_macro2::{Ident, TokenStream};

use self::reach::Outline;
use super::model::Monitor;
use super::parse::Arguments;

use crate::gather::Gather;

/// A hazard. If it depends on the kind of a lock, which only the derive
/// knows, the conditions say on which kind.
pub(super) struct Finding {
    pub(super) error: syn::Error,
    /// The message instead if the derive does not know this lock, so that it has no
    /// view.
    pub(super) of_plain_lock: Option<(Ident, syn::Error)>,
    /// The message instead, if any, if this lock is an exclusive one of the derive:
    /// `read(..)` acquires it exclusively.
    pub(super) of_exclusive_lock: Vec<(Ident, Option<syn::Error>)>,
    pub(super) conditions: Vec<Condition>,
}

/// `(acquire, ledger)`: `ledger` is a lock of the derive, with such methods.
pub(super) type Condition = (TokenStream, Ident);

/// How rare a hazard is, by its condition: 0 if it is certain. The least rare ones come first.
fn rarity(condition: Option<&Condition>) -> u8 {
    match condition {
        None => 0,
        Some((kind, _)) if kind.to_string() != "sync" => 1,
        Some(_) => 2,
    }
}

/// All hazards, in the order of the methods.
pub(super) fn findings(monitor: &Monitor, arguments: &Arguments) -> Vec<Finding> {
    let outline = Outline::new(monitor);
    let mut findings = reading::findings(&outline);
    if !arguments.allows_nested {
        findings.extend(nested::findings(&outline));
    }
    if !arguments.allows_order {
        findings.extend(order::findings(&outline));
    }
    findings
}

/// `` `a` ``, `` `a` and `b` ``, `` `a`, `b` and `c` ``.
fn list(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).gather();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}
