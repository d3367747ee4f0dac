//! What would deadlock, as far as the methods of one impl show it.
//!
//! Two hazards are looked for: a lock that is acquired where it is held, and
//! locks that methods acquire in opposite orders. `walk` finds what each body
//! acquires and calls, and what it holds meanwhile; `reach` what a call acquires
//! in the end; `nested` and `order` the hazards. `reading` finds what is no hazard, and
//! where the compiler could not say what to write: a method that writes, called on a view
//! that only reads.
//!
//! # What counts
//!
//! Only locks of `self`, by their names, and only what runs in the body itself:
//! what is in a closure, an `async` block, an item or an argument of a macro that
//! is not known runs elsewhere, or never. A future that is not awaited acquires
//! nothing. `try_` forms do not wait. What is behind a `#[cfg]` may not be there.

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

/// A hazard. Where it depends on the kind of a lock, which only the derive
/// knows, the conditions say on what.
pub(super) struct Finding {
    pub(super) error: syn::Error,
    /// What is said instead where this lock is none of the derive, so that there
    /// is no view of it.
    pub(super) of_plain_lock: Option<(Ident, syn::Error)>,
    /// What is said instead, if anything, where this lock is one of the derive that one
    /// task holds at a time: `read(..)` acquires it as everybody does.
    pub(super) of_exclusive_lock: Vec<(Ident, Option<syn::Error>)>,
    pub(super) conditions: Vec<Condition>,
}

/// `(acquire, ledger)`: `ledger` is a lock of the derive, with such methods.
pub(super) type Condition = (TokenStream, Ident);

/// How much it takes for something to happen: the less, the more is said.
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
