//! What `#[monitor]` asks of the sections in its impl.

use proc_macro2::{Ident, Span, TokenStream};

use super::function::{Function, Kind};
use super::model::{Place, Scope, Section};
use super::parse::Mode;
use super::{lexical, parse, validate};
use crate::diagnostics::Errors;
use crate::names::Krate;

/// A lock of a section that is a field of `self`.
#[derive(Clone)]
pub(crate) struct OwnLock {
    pub(crate) field: Ident,
    /// What the body calls the view.
    pub(crate) binding: Ident,
    pub(crate) mode: Mode,
}

/// `#[synchronized(arguments)]`, as it is written above a method.
pub(crate) struct SynchronizedAttribute {
    pub(crate) place: Span,
    pub(crate) arguments: TokenStream,
}

/// The section under the attribute, with its mistakes reported.
pub(crate) fn of_method(
    attribute: &SynchronizedAttribute,
    function: &Function,
    krate: &Krate,
    errors: &Errors,
) -> Section {
    let arguments = parse::attribute(attribute.arguments.clone(), errors);
    let mut section = Section::new(arguments, &Scope::of_fn(function), errors);
    section.options.krate = section.options.krate.or(krate);
    validate::function(function, &section, attribute.place, errors);
    section
}

/// The section under `with_lock!(tokens)`, and its statements. Mistakes in it
/// are reported when the macro is expanded.
pub(crate) fn in_block(tokens: TokenStream) -> Option<(Section, TokenStream)> {
    let errors = Errors::new();
    let (arguments, body) = parse::block(tokens, &errors);
    let section = Section::new(arguments, &Scope::of_block(), &errors);
    let is_right = errors.is_empty();
    errors.finish();
    is_right.then_some((section, body))
}

impl Section {
    /// The locks that are fields of `self`.
    pub(crate) fn own_locks(&self) -> Vec<OwnLock> {
        let own = self.locks.iter().filter_map(|lock| match &lock.place {
            Place::Field {
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
        own.collect()
    }

    /// The lock of the object under which the body could run as well if it was
    /// held already: nothing but the acquisition is then left out.
    pub(crate) fn only_own_lock(&self) -> Option<OwnLock> {
        let own = self.own_locks();
        let is_plain = self.options.when.is_none() && !self.options.is_atomic();
        match own.as_slice() {
            [only] if self.locks.len() == 1 && is_plain => Some(only.clone()),
            _ => None,
        }
    }

    /// Whether it is entered when a condition is true.
    pub(crate) fn waits_for_a_condition(&self) -> bool {
        self.options.when.is_some()
    }

    /// How expansions reach the runtime crate.
    pub(crate) fn krate(&self) -> &Krate {
        &self.options.krate
    }

    /// Whether the body may suspend: it has an `.await`, or a macro that is not
    /// known to have none.
    pub(crate) fn may_suspend(&self, function: &Function) -> bool {
        debug_assert!(function.kind == Kind::Async);
        lexical::may_suspend(&function.body, self.options.no_await.is_some())
    }
}
