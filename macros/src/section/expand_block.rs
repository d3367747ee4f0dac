//! `with_lock!`, expanded.

use proc_macro2::TokenStream;
use quote::quote;

use super::expand::{Wait, prologue};
use super::model::Section;

/// Expands to:
///
/// ```text
/// {
///     // what `prologue` expands to
///     *ledger.balance += amount;
///     *ledger.balance
/// }
/// ```
///
/// A block and no more, so that `?`, `return`, `break` and `.await` mean what
/// they mean outside.
pub(super) fn expand(section: &Section, body: &TokenStream) -> TokenStream {
    let prologue = prologue(section, Wait::Await);
    quote!({ #prologue #body })
}
