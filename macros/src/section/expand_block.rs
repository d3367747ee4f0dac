//! `with_lock!`, expanded.

use proc_macro2::TokenStream;
use quote::quote;

use super::expand::{self, Site};
use super::model::Section;

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
/// A block and no more, so that `?`, `return`, `break` and `.await` mean what
/// they mean outside.
pub(super) fn expand(section: &Section, body: &TokenStream) -> TokenStream {
    let section = expand::section(section, Site::Block, body.clone());
    quote!({ #section })
}
