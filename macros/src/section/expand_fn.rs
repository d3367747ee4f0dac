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
    let body = if section.locks.is_empty() || !section.is_complete {
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
    let mut output = quote!(#(#attrs)*);
    if !section.is_complete {
        output.extend(quote!(#[allow(unused)]));
    }
    output.extend(quote!(#vis #sig));
    block.to_tokens(&mut output);
    output
}
