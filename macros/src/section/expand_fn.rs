//! `#[synchronized]`, expanded.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{ToTokens, quote};

use super::expand::{Wait, prologue};
use super::function::{Function, Kind};
use super::model::Section;
use crate::names::own;

/// Expands to:
///
/// ```text
/// pub async fn deposit(&self, amount: i64) -> i64 {
///     // what `prologue` expands to
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
    let body = if section.locks.is_empty() {
        function.body.clone()
    } else {
        function.body_after(&prologue(section, wait))
    };
    let Function {
        attrs,
        vis,
        sig,
        braces,
        inner_attrs,
        ..
    } = function;
    let mut block = Group::new(Delimiter::Brace, quote!(#inner_attrs #body));
    block.set_span(own(braces));
    let mut output = quote!(#(#attrs)* #vis #sig);
    block.to_tokens(&mut output);
    output
}
