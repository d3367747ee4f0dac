//! `#[monitor]`.
//!
//! An attribute on an impl sees its methods together. It gives the methods that are
//! `#[synchronized]` by one lock a held form, which runs under the lock already
//! held, and looks for deadlocks. `#[synchronized]` alone decides how a lock is
//! acquired.

mod analysis;
mod elided;
mod expand;
mod forms;
mod held_forms;
mod holding;
mod model;
mod parse;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::ToTokens;

pub(crate) use self::holding::outside as holding;
use self::model::Monitor;
use crate::diagnostics::Errors;

/// `#[monitor(arguments)] item`: on errors, the item is emitted
/// next to them, as far as it is understood.
pub(crate) fn monitor(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let errors = Errors::new();
    let mut output = TokenStream::new();
    let arguments = parse::arguments(arguments, &errors);
    match parse::block(item.clone(), &errors) {
        Some(block) => {
            let monitor = Monitor::new(block, &arguments, &errors);
            let findings = analysis::findings(&monitor, &arguments);
            output.extend(expand::expand(monitor, &findings));
        }
        None => item.to_tokens(&mut output),
    }
    output.extend(errors.finish());
    output
}
