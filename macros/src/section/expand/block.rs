//! `with_lock!`, expanded.

use proc_macro2::TokenStream;
use quote::quote;

use super::site::{Site, Wait};
use super::unresolved;
use crate::section::model::Section;

/// Expands to:
///
/// ```text
/// {
///     // what acquires the lock
///     *ledger.balance += amount;
///     *ledger.balance
/// }
/// ```
///
/// A plain block, so that `?`, `return`, `break` and `.await` mean what
/// they mean outside.
pub(in crate::section) fn expand(section: &Section, body: &TokenStream) -> TokenStream {
    let wait = match section.options.blocking {
        Some(_) => Wait::Park,
        None => Wait::Await,
    };
    let section = super::section(section, Site::Block { wait }, body.clone());
    quote!({ #section })
}

/// Expands to:
///
/// ```text
/// {
///     if false {
///         // what `unresolved::bind` expands to
///         let _ = { /* the statements */ };
///     }
///     // the errors
/// }
/// ```
///
/// The errors are its value, so that no wrong type of the value is reported.
pub(in crate::section) fn expand_unresolved(
    arguments: TokenStream,
    body: &TokenStream,
    error: &TokenStream,
    errors: &TokenStream,
) -> TokenStream {
    let bound = unresolved::bind(arguments, body, error);
    quote! {
        {
            if false {
                #bound
                let _ = { #body };
            }
            #errors
        }
    }
}
