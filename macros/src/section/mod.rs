//! `#[synchronized(...)]` and `with_lock!`.
//!
//! Both acquire locks and run statements while they are held. The arguments are
//! parsed into a [`model::Section`], and both expand to the same statements in
//! front of the user's.

mod control_flow;
mod expand;
mod for_monitor;
mod function;
mod mend;
mod misnamed;
mod model;
mod options;
mod parse;
mod suggest;
mod validate;
mod visit;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::ToTokens;

pub(crate) use self::control_flow::{first_await, is_known_macro};
pub(crate) use self::expand::Rollback;
pub(crate) use self::for_monitor::{OwnLock, held_lock, in_block, of_method};
pub(crate) use self::function::{Function, Kind, collect_idents, function, is_fn};
use self::model::Scope;
pub(crate) use self::model::Section;
pub(crate) use self::parse::Mode;
pub(crate) use self::visit::{Visit, walk};
use crate::diagnostics::Errors;

/// `#[synchronized(arguments)] item`: if there are errors, the item is emitted next to them, as far
/// as it is understood.
pub(crate) fn synchronized(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let errors = Errors::new();
    let mut output = TokenStream::new();
    let parsed = validate::arguments(parse::attribute(arguments.clone(), &errors), &errors);
    match function::parse(item.clone(), &errors) {
        Some(mut function) => {
            let mut section = Section::new(parsed, &Scope::of_fn(&function));
            validate::function(&mut function, &mut section, &errors);
            output.extend(if section.is_complete {
                misnamed::rename(&mut section, &function);
                expand::function(function, &section)
            } else {
                let first = errors.first().unwrap_or_default();
                expand::unresolved_function(function, &arguments, &first)
            });
        }
        None => item.to_tokens(&mut output),
    }
    output.extend(errors.finish());
    output
}

/// `with_lock!(arguments, { .. })`: if there are errors, it expands to them.
pub(crate) fn with_lock(input: TokenStream) -> TokenStream {
    let errors = Errors::new();
    let (enclosing, input) = parse::take_enclosing_mark(input);
    let (arguments, body) = parse::block(input.clone(), &errors);
    let arguments = validate::arguments(arguments, &errors);
    let mut section = Section::new(arguments, &Scope::of_block());
    section.enclosing = enclosing;
    validate::block(&section, &body, &errors);
    let first = errors.first();
    let errors = errors.finish();
    match first {
        None => {
            misnamed::hide(&mut section, &body);
            expand::block(&section, &body)
        }
        Some(first) => {
            let (arguments, body) = parse::last_block(input);
            expand::unresolved_block(arguments, &body, &first, &errors)
        }
    }
}
