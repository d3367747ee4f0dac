//! `#[synchronized]`, expanded.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::expand::{Wait, prologue};
use super::function::{Function, Kind};
use super::lexical;
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
    let body = if section.locks.is_empty() || !section.is_complete {
        function.body.clone()
    } else {
        let prologue = prologue(section, wait);
        function.body_with(&|statements| {
            let statements = uninterrupted(statements, function.braces, section);
            quote!(#prologue #statements)
        })
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
    let mut output = quote!(#(#attrs)*);
    if !section.is_complete {
        output.extend(quote!(#[allow(unused)]));
    }
    output.extend(quote!(#vis #sig));
    block.to_tokens(&mut output);
    output
}

/// Expands to, under `no_await`:
///
/// ```text
/// ::async_monitor::__private::without_await(|| {
///     *ledger.balance += amount;
///     *ledger.balance
/// })
/// ```
///
/// so that the compiler finds an `.await` that a macro hides. Those that can be
/// seen have been reported: the compiler need not say it again.
fn uninterrupted(statements: TokenStream, braces: Span, section: &Section) -> TokenStream {
    let Some(option) = &section.options.no_await else {
        return statements;
    };
    if !lexical::suspensions(&statements).is_empty() {
        return statements;
    }
    let span = own(option.span());
    let private = section.options.krate.private_at(span);
    let mut body = Group::new(Delimiter::Brace, statements);
    body.set_span(own(braces));
    quote_spanned!(span=> #private::without_await(|| #body))
}
