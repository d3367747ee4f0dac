//! `#[derive(Guarded)]`.

mod expand;
mod generics;
mod model;
mod options;
mod parse;
mod types;
mod validate;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

use crate::diagnostics::Errors;

/// The errors, and the expansion of the valid parts: if one field is wrong, the
/// methods of the others are not reported missing as well.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let errors = Errors::new();
    let mut output = TokenStream::new();
    if let Some(input) = parse::parse(input, &errors) {
        validate::validate(&input, &errors);
        output = expand::expand(&model::Monitor::new(input));
    }
    output.extend(errors.finish());
    output
}
