//! Where a section stands, and what differs there.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use crate::names::{own, plain};
use crate::section::control_flow::Outcome;

/// Where a section stands.
#[derive(Clone, Copy)]
pub(super) enum Site<'f> {
    /// It is the body of a fn, which is left by `return`.
    Fn {
        wait: Wait,
        name: &'f Ident,
        /// What the fn returns, where that can be written in its body.
        output: Option<&'f TokenStream>,
        /// The braces around the user's statements.
        braces: Span,
    },
    /// It is a block, in a fn that is not known.
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

    /// What reports call the section.
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

/// What goes in front of a call whose argument may never end, as the call is then
/// unreachable. Nowhere else: a crate may forbid the lint.
pub(super) fn allow_unreachable(outcome: Outcome, span: Span) -> Option<TokenStream> {
    (outcome != Outcome::Value).then(|| quote_spanned!(span=> #[allow(unreachable_code)]))
}

/// Expands to:
///
/// ```text
/// let __never: ::core::convert::Infallible = /* the block */;
/// ```
///
/// which has the type of what never ends, as the last statement of a block, and with
/// nothing behind it that would be unreachable. That the block never ends, the compiler
/// finds out.
pub(super) fn never_ends(block: &Group, span: Span) -> TokenStream {
    quote_spanned!(span=> let __never: ::core::convert::Infallible = #block;)
}

/// In braces that belong to the macro: the compiler would have something to say
/// about the user's.
pub(super) fn braced(tokens: TokenStream, span: Span) -> Group {
    in_braces(tokens, own(span))
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

/// Expands to, behind the statements of ours that come before:
///
/// ```text
/// {
///     // `before`
///     { ; /* the user's statements */ }
/// }
/// ```
///
/// The outer braces are the macro's, and by its edition, temporaries of the last
/// expression are dropped at their end: in those of a user in edition 2021, they
/// would outlive the locals of the section, from which they may borrow. The inner
/// ones are the user's, so that lints find the statements; the semicolon, because
/// around nothing but an expression, they would be found superfluous.
pub(super) fn in_scope(before: TokenStream, statements: TokenStream, braces: Span) -> TokenStream {
    let semicolon = quote_spanned!(own(braces)=> ;);
    let statements = braced_as_written(quote!(#semicolon #statements), braces);
    braced(quote!(#before #statements), braces).into_token_stream()
}
