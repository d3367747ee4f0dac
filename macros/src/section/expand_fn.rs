//! `#[synchronized]`, expanded.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse_quote;

use super::expand::{self, Site, Wait};
use super::function::{Function, Kind};
use super::model::Section;

/// Expands to:
///
/// ```text
/// pub async fn deposit(&self, amount: i64) -> i64 {
///     // what acquires the lock
///     *ledger.balance += amount;
///     *ledger.balance
/// }
/// ```
///
/// in which nothing of the signature is changed. The statements are spliced into
/// the braces of the body: in a block of their own, the compiler would complain
/// about the braces, or about code after a `return`; in a fn or an `async` block
/// of their own, `return` and the size of the future would be different.
///
/// Where the arguments are wrong, the body would be reported for not finding what
/// they should have bound: it is left out.
pub(super) fn expand(mut function: Function, section: &Section) -> TokenStream {
    if !section.is_complete {
        function.body = quote!(::core::unreachable!());
    }
    let wait = match function.kind {
        Kind::Blocking => Wait::Block,
        Kind::Async | Kind::Boxed { .. } => Wait::Await,
    };
    let output = function.output();
    let site = Site::Fn {
        wait,
        output: output.as_ref(),
    };
    if !section.locks.is_empty() && section.is_complete {
        function.body =
            function.body_with(&|statements| expand::section(section, site, statements));
    }
    if !section.is_complete {
        function.attrs.push(parse_quote!(#[allow(unused)]));
    }

    function.into_tokens()
}
