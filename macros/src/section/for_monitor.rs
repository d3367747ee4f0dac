//! The interface of sections for `#[monitor]`.

use proc_macro2::{Ident, Span, TokenStream};

use super::function::{Function, Kind};
use super::model::{LockExpr, Scope, Section};
use super::parse::Mode;
use super::{control_flow, parse, validate};
use crate::diagnostics::Errors;
use crate::gather::Gather;

/// A lock of a section that is a field of `self`.
#[derive(Clone)]
pub(crate) struct OwnLock {
    pub(crate) field: Ident,
    /// The binding of the view in the body.
    pub(crate) binding: Ident,
    pub(crate) mode: Mode,
}

/// The section under `#[synchronized(arguments)]`, and whether it is valid.
/// Mistakes are reported when the attribute is expanded.
pub(crate) fn of_method(arguments: TokenStream, function: &Function) -> (Section, bool) {
    let errors = Errors::new();
    let arguments = parse::attribute(arguments, &errors);
    let arguments = validate::arguments(arguments, &errors);
    let mut section = Section::new(arguments, &Scope::of_fn(function));
    validate::function(&mut function.clone(), &mut section, &errors);
    let is_right = errors.is_empty();
    errors.finish();
    (section, is_right)
}

/// The one lock in `#[holding(arguments)]`, if it is a field of `self`. Reports any other
/// arguments.
pub(crate) fn held_lock(
    arguments: &TokenStream,
    function: &Function,
    attribute: Span,
    errors: &Errors,
) -> Option<OwnLock> {
    let of_arguments = Errors::new();
    let parsed = parse::attribute(arguments.clone(), &of_arguments);
    let parsed = validate::arguments(parsed, &of_arguments);
    if !errors.all_of(of_arguments) {
        return None;
    }
    if let Some(option) = parsed.options.first() {
        errors.at(
            option.name(),
            format!(
                "`{}` is about how a section is entered, and a method under `#[holding(..)]` \
                 enters none: remove the option, or write `#[synchronized(..)]`",
                option.name()
            ),
        );
        return None;
    }
    let section = Section::new(parsed, &Scope::of_fn(function));
    if let Some(second) = section.locks.get(1) {
        errors.at(
            &second.written,
            "a method of a view holds one lock: name that one alone",
        );
        return None;
    }
    let own = section.own_locks();
    match (own.into_iter().next(), section.locks.first()) {
        (Some(lock), _) => Some(lock),
        (None, Some(lock)) => {
            errors.at(
                &lock.written,
                "this is not a lock of `self`: write the name of the field, `#[holding(lock)]`",
            );
            None
        }
        (None, None) => {
            errors.push(syn::Error::new(
                attribute,
                "`holding` without a lock: write the name of the field that is held, \
                 `#[holding(lock)]`",
            ));
            None
        }
    }
}

/// The section under `with_lock!(tokens)`, and its statements. Mistakes in it
/// are reported when the macro is expanded.
pub(crate) fn in_block(tokens: TokenStream) -> Option<(Section, TokenStream)> {
    let errors = Errors::new();
    let (arguments, body) = parse::block(tokens, &errors);
    let arguments = validate::arguments(arguments, &errors);
    let section = Section::new(arguments, &Scope::of_block());
    let is_right = errors.is_empty();
    errors.finish();
    is_right.then_some((section, body))
}

impl Section {
    /// The locks that are fields of `self`.
    pub(crate) fn own_locks(&self) -> Vec<OwnLock> {
        let own = self.locks.iter().filter_map(|lock| match &lock.expr {
            LockExpr::Field {
                field,
                is_own: true,
                ..
            } => Some(OwnLock {
                field: field.clone(),
                binding: lock.binding.clone(),
                mode: lock.mode,
            }),
            _ => None,
        });
        own.gather()
    }

    /// The bindings of the locks that are not fields of `self`.
    pub(crate) fn other_bindings(&self) -> Vec<Ident> {
        let others = self.locks.iter().filter(|lock| {
            let is_own = matches!(&lock.expr, LockExpr::Field { is_own: true, .. });
            !is_own
        });
        others.map(|lock| lock.binding.clone()).gather()
    }

    /// The lock of the object, if the body could as well run with that lock already
    /// held: then a held form leaves out only the acquisition.
    pub(crate) fn only_own_lock(&self) -> Option<OwnLock> {
        let own = self.own_locks();
        match own.as_slice() {
            [only] if self.locks.len() == 1 && !self.waits_for_a_condition() => Some(only.clone()),
            _ => None,
        }
    }

    /// Whether it waits for a condition.
    pub(crate) fn waits_for_a_condition(&self) -> bool {
        self.options.when.is_some()
    }

    /// Whether its wait to enter has a timeout.
    pub(crate) fn gives_up(&self) -> bool {
        self.options.timeout.is_some()
    }

    /// The option `atomic`.
    pub(crate) fn atomic(&self) -> Option<&Ident> {
        self.options.atomic.as_ref()
    }

    /// Whether it has the option `crate`.
    pub(crate) fn has_crate(&self) -> bool {
        self.options.krate.is_given()
    }

    /// Whether the body may suspend: it has an `.await`, or a macro that may hide
    /// one.
    pub(crate) fn may_suspend(&self, function: &Function) -> bool {
        function.kind == Kind::Async
            && control_flow::may_suspend(&function.body, self.options.no_await.is_some())
    }
}
