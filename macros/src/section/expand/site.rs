//! The site of a section, a fn or a block, and the differences between them.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use crate::names::{hygienic, plain};
use crate::section::control_flow::Outcome;

/// The site of a section.
#[derive(Clone, Copy)]
pub(super) enum Site<'f> {
    /// It is the body of a fn, which is left by `return`.
    Fn {
        wait: Wait,
        name: &'f Ident,
        /// The return type of the fn, if it can be written in its body.
        output: Option<&'f TokenStream>,
        /// The braces around the user's statements.
        braces: Span,
    },
    /// It is a block, in an unknown fn.
    Block { wait: Wait },
}

/// How to wait for a lock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Await,
    /// By parking the thread, in plain code.
    Park,
}

impl Site<'_> {
    pub(super) fn wait(self) -> Wait {
        match self {
            Site::Fn { wait, .. } | Site::Block { wait } => wait,
        }
    }

    /// The name of the section in reports.
    pub(super) fn name(self) -> String {
        match self {
            Site::Fn { name, .. } => plain(name),
            Site::Block { .. } => "with_lock!".to_owned(),
        }
    }

    /// The value of a future, here.
    pub(super) fn awaited(
        self,
        future: &TokenStream,
        span: Span,
        private: &TokenStream,
    ) -> TokenStream {
        match self.wait() {
            Wait::Park => quote_spanned!(span=> #private::block_on(#future)),
            Wait::Await => quote_spanned!(span=> #future.await),
        }
    }
}

/// The `allow` in front of a call whose argument may never end, as the call is then
/// unreachable. Only there, as a crate may forbid the lint.
pub(super) fn allow_unreachable(outcome: Outcome, span: Span) -> Option<TokenStream> {
    (outcome != Outcome::Value).then(|| quote_spanned!(span=> #[allow(unreachable_code)]))
}

/// Expands to:
///
/// ```text
/// let __never: ::core::convert::Infallible = /* the block */;
/// ```
///
/// as the last statement of a block: its type is that of an expression that never ends, and
/// no unreachable code follows. The compiler detects itself that the block never ends.
pub(super) fn never_ends(block: &Group, span: Span) -> TokenStream {
    quote_spanned!(span=> let __never: ::core::convert::Infallible = #block;)
}

/// In braces that belong to the macro: the compiler would lint the user's braces
/// here.
pub(super) fn braced(tokens: TokenStream, span: Span) -> Group {
    in_braces(tokens, hygienic(span))
}

/// In the user's braces, by which tools find the code.
pub(super) fn braced_as_written(tokens: TokenStream, braces: Span) -> Group {
    in_braces(tokens, braces)
}

fn in_braces(tokens: TokenStream, span: Span) -> Group {
    let mut group = Group::new(Delimiter::Brace, tokens);
    group.set_span(span);
    group
}

/// Expands to, after our own statements `before`:
///
/// ```text
/// {
///     // `before`
///     { ; /* the user's statements */ }
/// }
/// ```
///
/// The outer braces are the macro's. By the macro's edition, temporaries of the last
/// expression are dropped at their end; with the braces of a user in edition 2021, they
/// would outlive the locals of the section, from which they may borrow. The inner
/// braces are the user's, so that lints find the statements. The semicolon is there because
/// braces around a single expression would be reported as superfluous.
pub(super) fn in_scope(before: TokenStream, statements: TokenStream, braces: Span) -> TokenStream {
    let semicolon = quote_spanned!(hygienic(braces)=> ;);
    let statements = braced_as_written(quote!(#semicolon #statements), braces);
    braced(quote!(#before #statements), braces).into_token_stream()
}
