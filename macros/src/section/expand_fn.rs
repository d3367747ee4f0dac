//! `#[synchronized]`, expanded.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

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
/// braces of the macro: in a block of their own, the compiler would complain
/// about the braces, or about code after a `return`; in a fn or an `async` block
/// of their own, `return` and the size of the future would be different.
pub(super) fn expand(function: Function, section: &Section) -> TokenStream {
    let wait = match function.kind {
        Kind::Blocking => Wait::Block,
        Kind::Async | Kind::Boxed { .. } => Wait::Await,
    };
    let output = function.output();
    let site = Site::Fn {
        wait,
        output: output.as_ref(),
    };
    let body = if section.locks.is_empty() {
        function.body.clone()
    } else {
        function.body_with(&|statements| expand::section(section, site, statements))
    };
    let Function {
        attrs,
        vis,
        sig,
        braces,
        inner_attrs,
        ..
    } = function;
    let block = expand::braced(quote!(#inner_attrs #body), braces);
    let mut output = quote!(#(#attrs)* #vis #sig);
    block.to_tokens(&mut output);
    output
}
