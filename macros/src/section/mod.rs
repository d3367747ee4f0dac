//! `#[synchronized(...)]` and `with_lock!`.
//!
//! Both acquire locks and run statements while they are held. The arguments are
//! parsed into a [`model::Section`], and both expand to the same statements in
//! front of the user's.

mod advice;
mod expand;
mod expand_atomic;
mod expand_block;
mod expand_fn;
mod function;
mod lexical;
mod model;
mod outline;
mod parse;
mod validate;
mod walk;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

pub(crate) use self::function::{Function, Kind, collect_idents, function, is_fn};
pub(crate) use self::lexical::is_known;
use self::model::Scope;
pub(crate) use self::model::Section;
pub(crate) use self::outline::{OwnLock, in_block, of_method};
pub(crate) use self::parse::Mode;
pub(crate) use self::walk::{Look, walk};
use crate::diagnostics::Errors;

/// `#[synchronized(arguments)] item`: where there are errors, the item is
/// emitted next to them, as far as it is understood.
pub(crate) fn synchronized(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let errors = Errors::new();
    let mut output = TokenStream::new();
    let arguments = parse::attribute(arguments, &errors);
    match function::parse(item.clone(), &errors) {
        Some(function) => {
            let section = Section::new(arguments, &Scope::of_fn(&function), &errors);
            validate::function(&function, &section, &errors);
            output.extend(expand_fn::expand(function, &section));
        }
        None => item.to_tokens(&mut output),
    }
    output.extend(errors.finish());
    output
}

/// `with_lock!(arguments, { .. })`: where there are errors, they are the value,
/// so that nothing is said about a value of the wrong type.
pub(crate) fn with_lock(input: TokenStream) -> TokenStream {
    let errors = Errors::new();
    let (arguments, body) = parse::block(input, &errors);
    let section = Section::new(arguments, &Scope::of_block(), &errors);
    validate::block(&section, &body, &errors);
    let is_right = errors.is_empty();
    let errors = errors.finish();
    if is_right {
        expand_block::expand(&section, &body)
    } else {
        quote!({ #errors })
    }
}
