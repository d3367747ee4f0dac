//! The rules for sections.

use std::fmt::Display;

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;

use super::function::{Function, Kind};
use super::lexical::{self, Exit, Suspension};
use super::model::{Lock, Place, Section};
use super::parse::Mode;
use crate::diagnostics::Errors;
use crate::names::{has_ident, plain};

pub(super) fn function(function: &Function, section: &Section, errors: &Errors) {
    if section.locks.is_empty() && errors.is_empty() {
        errors.push(syn::Error::new(
            Span::call_site(),
            "`#[synchronized]` without a lock: write the name of the field that is the lock, \
             `#[synchronized(lock)]`",
        ));
    }
    check_asynchronous(function, errors);
    check_receiver(function, section, errors);
    check_params(function, section, errors);
    common(section, &function.statements(), errors);
}

pub(super) fn block(section: &Section, body: &TokenStream, errors: &Errors) {
    if section.locks.is_empty() && errors.is_empty() {
        errors.push(syn::Error::new(
            Span::call_site(),
            "`with_lock!` without a lock: write it in front of the block, \
             `with_lock!(account.ledger, { .. })`",
        ));
    }
    common(section, body, errors);
    check_exits(section, body, errors);
}

fn common(section: &Section, body: &TokenStream, errors: &Errors) {
    // Unit tests do not depend on the features that happen to be on.
    check_timeout(section, cfg!(feature = "timer") || cfg!(test), errors);
    check_atomic(section, errors);
    check_when(section, errors);
    check_bindings(section, errors);
    check_suspensions(section, body, errors);
}

/// One condition, at one lock.
fn check_when(section: &Section, errors: &Errors) {
    let Some(when) = &section.options.when else {
        return;
    };
    if section.locks.len() > 1 {
        errors.at(
            &when.name,
            "`when` waits at one lock, and there are several here: acquire the others in the \
             body, with `with_lock!`, in an order that is the same everywhere",
        );
    }
}

/// Waiting for a lock takes an `async fn`.
fn check_asynchronous(function: &Function, errors: &Errors) {
    if function.kind != Kind::Blocking {
        return;
    }
    // As `#[tokio::main]` leaves it.
    let was_async = has_ident(&function.body, "async");
    let instead = if was_async {
        "if it is one, write `#[synchronized]` above the attribute that has made a plain fn of it"
    } else {
        "acquire the lock in the body by a `.._blocking()` method"
    };
    errors.at(
        function.sig.fn_token,
        format!(
            "`#[synchronized]` waits for a lock, which takes an `async fn`: write `async fn {}`, \
             or {instead}",
            function.sig.ident
        ),
    );
}

/// No parameter is hidden by a lock that got its name by itself, unless it is that
/// lock.
fn check_params(function: &Function, section: &Section, errors: &Errors) {
    for lock in section.locks.iter().filter(|lock| !lock.is_named) {
        let Place::Field {
            base,
            field,
            is_own,
        } = &lock.place
        else {
            continue;
        };
        let mut params = function.simple_params();
        let hidden = params.find(|param| **param == lock.binding);
        // Who gets to the lock by the parameter knows of it.
        let is_meant = |param: &Ident| has_ident(base, &plain(param));
        let Some(param) = hidden.filter(|param| !is_meant(param)) else {
            continue;
        };
        let place = if *is_own {
            format!("self.{field}")
        } else {
            compact(&lock.written)
        };
        let held = |place: &dyn Display| match lock.mode {
            Mode::Shared => format!("read({place})"),
            Mode::Exclusive => place.to_string(),
        };
        let or_param = if *param == lock.written.to_string() {
            format!(
                ", or if the parameter is the lock, `other = {}`",
                held(param)
            )
        } else {
            String::new()
        };
        errors.at(
            &lock.written,
            format!(
                "the parameter `{param}` could not be used in the body, where the lock has its \
                 name: give the lock another one, `other = {}`{or_param}",
                held(&place)
            ),
        );
    }
}

/// Whoever has `&mut self` needs no lock of `self`.
fn check_receiver(function: &Function, section: &Section, errors: &Errors) {
    let Some(receiver) = function.mutable_receiver() else {
        return;
    };
    let own_lock = section.locks.iter().find_map(|lock| match &lock.place {
        Place::Field { field, is_own, .. } => is_own.then_some(field),
        Place::Value(_) => None,
    });
    if let Some(lock) = own_lock {
        errors.at(
            receiver,
            format!(
                "`&mut self` means that nobody else has the object, so waiting for its lock \
                 `{lock}` is pointless: take `&self`, or remove the attribute and use \
                 `self.{lock}_mut()`"
            ),
        );
    }
}

/// There is a timer.
pub(super) fn check_timeout(section: &Section, has_timer: bool, errors: &Errors) {
    if let Some(timeout) = section.options.timeout.as_ref().filter(|_| !has_timer) {
        errors.at(
            &timeout.name,
            "`timeout` needs a timer, which async-monitor takes from a runtime: enable its \
             feature `tokio` or `smol`, \
             `async-monitor = { version = \"..\", features = [\"tokio\"] }`",
        );
    }
}

/// There is something to put back.
fn check_atomic(section: &Section, errors: &Errors) {
    let Some(atomic) = &section.options.atomic else {
        return;
    };
    let is_read = |lock: &Lock| lock.mode == Mode::Shared;
    if !section.locks.is_empty() && section.locks.iter().all(is_read) {
        errors.at(
            atomic,
            "`atomic` puts back what a section has changed, and this one only reads: remove \
             `atomic`, or acquire the lock by `write(..)`",
        );
    }
}

/// A block that is `atomic` commits at its end, which it therefore reaches.
fn check_exits(section: &Section, body: &TokenStream, errors: &Errors) {
    if section.options.atomic.is_none() {
        return;
    }
    const ADVICE: &str = "leaves a block that is `atomic` before its end, where it is committed, \
                          so that all would be put back: let the value of the block say what to \
                          do and do it behind the block, or write the section as a fn, \
                          `#[synchronized(.., atomic)]`, which is undone only where it returns an `Err`";
    for exit in lexical::exits(body) {
        match exit {
            Exit::Return(keyword) => errors.at(keyword, format!("this `return` {ADVICE}")),
            Exit::Break(keyword) => errors.at(keyword, format!("this `break` {ADVICE}")),
            Exit::Continue(keyword) => errors.at(keyword, format!("this `continue` {ADVICE}")),
        }
    }
}

/// Every lock is bound as something else.
fn check_bindings(section: &Section, errors: &Errors) {
    for (index, lock) in section.locks.iter().enumerate() {
        let mut earlier = section.locks.iter().take(index);
        if earlier.any(|earlier| earlier.binding == lock.binding) {
            let (binding, written) = (&lock.binding, compact(&lock.written));
            errors.at(
                &lock.written,
                format!(
                    "two locks would be bound as `{binding}`: give this one another name, \
                     `other = {written}`"
                ),
            );
        }
    }
}

/// Under `no_await`, the body does not suspend, as far as that can be seen.
fn check_suspensions(section: &Section, body: &TokenStream, errors: &Errors) {
    if section.options.no_await.is_none() {
        return;
    }
    for suspension in lexical::suspensions(body) {
        match suspension {
            Suspension::Await(keyword) => errors.at(
                keyword,
                "`.await` in a section that is `no_await`, which could be cancelled here: await \
                 before or after the section, or remove `no_await`",
            ),
            Suspension::Section(name) => errors.at(
                &name,
                format!(
                    "`{name}!` waits for a lock in a section that is `no_await`, which could be \
                     cancelled here: acquire both locks by one section, or remove `no_await`"
                ),
            ),
        }
    }
}

/// The tokens, without the spaces that printing puts between them.
fn compact(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string().replace(' ', "")
}
