//! What is half typed in the arguments of a section, made whole.
//!
//! An editor asks for the expansion twice: as the code is, and with a name at the cursor. It
//! completes what it finds in both at the same place. So what is half typed expands to the same,
//! up to the name that is missing.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Expr, Member};

use super::options::SectionOption;
use crate::diagnostics::Errors;
use crate::gather::Gather;
use crate::names::{binding, is_in_capitals};

/// Replaces a `.` with nothing behind it, and a value that is missing:
///
/// ```text
/// ledger, when = ledger.history.
/// ledger, when = ledger.history[::core::compile_error! { "the message" }]
///
/// ledger, when =
/// ledger, when = ::core::compile_error! { "the message" }
/// ```
///
/// Neither has a type that the compiler knows, so that it says nothing more.
pub(super) fn mended(arguments: TokenStream, errors: &Errors) -> TokenStream {
    let tokens: Vec<TokenTree> = mend_dots(arguments, errors).into_iter().gather();
    let mut mended = TokenStream::new();
    for (index, token) in tokens.iter().enumerate() {
        mended.extend([token.clone()]);
        let is_missing = match tokens.get(index + 1) {
            None => true,
            Some(TokenTree::Punct(next)) => next.as_char() == ',',
            Some(_) => false,
        };
        let before = index.checked_sub(1).and_then(|before| tokens.get(before));
        if let (true, TokenTree::Punct(equals), Some(TokenTree::Ident(name))) =
            (is_missing, token, before)
        {
            let option = SectionOption::named(name).filter(|option| {
                equals.as_char() == '='
                    && matches!(option, SectionOption::When | SectionOption::Timeout)
            });
            if let Some(option) = option {
                let message = format!("nothing behind `=`: write `{}`", option.example());
                mended.extend(errors.mended(equals.span(), message));
            }
        }
    }
    mended
}

/// Not in the block of a `with_lock!`, which is the user's, nor in what is given to a macro, where
/// a `.` may mean anything.
fn mend_dots(tokens: TokenStream, errors: &Errors) -> TokenStream {
    let mut mended = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    let (mut is_range, mut is_name, mut is_macro) = (false, false, false);
    while let Some(token) = tokens.next() {
        match &token {
            TokenTree::Punct(dot) if dot.as_char() == '.' => {
                let is_followed = match tokens.peek() {
                    Some(TokenTree::Ident(_) | TokenTree::Literal(_)) => true,
                    Some(TokenTree::Punct(next)) => next.as_char() == '.',
                    Some(TokenTree::Group(_)) | None => false,
                };
                if !is_followed && !is_range {
                    let message = "nothing behind this `.`: write the name of a field or method";
                    let error = errors.mended(dot.span(), message.to_owned());
                    let mut index = Group::new(Delimiter::Bracket, error);
                    index.set_span(dot.span());
                    mended.extend([TokenTree::Group(index)]);
                } else {
                    mended.extend([token.clone()]);
                }
            }
            TokenTree::Group(group) if !is_macro && group.delimiter() != Delimiter::Brace => {
                let mut whole = Group::new(group.delimiter(), mend_dots(group.stream(), errors));
                whole.set_span(group.span());
                mended.extend([TokenTree::Group(whole)]);
            }
            _ => mended.extend([token.clone()]),
        }
        let is = |char| matches!(&token, TokenTree::Punct(punct) if punct.as_char() == char);
        (is_range, is_macro) = (is('.'), is_name && is('!'));
        is_name = matches!(&token, TokenTree::Ident(_));
    }
    mended
}

/// Where a name is missing.
pub(super) struct Unnamed {
    pub(super) base: Expr,
    /// What stands where `.name` will.
    pub(super) access: TokenStream,
    /// What the lock is bound as as long as it has no name.
    pub(super) binding: Ident,
}

/// What [`mended`] has made of `base.`.
pub(super) fn unnamed(expr: &Expr) -> Option<Unnamed> {
    let Expr::Index(expr) = expr else {
        return None;
    };
    let Expr::Macro(index) = &*expr.index else {
        return None;
    };
    let macro_ = index.mac.path.segments.last()?;
    if macro_.ident != "compile_error" {
        return None;
    }
    let mut access = Group::new(Delimiter::Bracket, index.to_token_stream());
    access.set_span(expr.bracket_token.span.join());
    let named = match &*expr.expr {
        Expr::Field(base) => match &base.member {
            Member::Named(field) => binding(field),
            Member::Unnamed(_) => None,
        },
        Expr::Path(base) => {
            let name = base.path.get_ident().filter(|name| is_in_capitals(name));
            name.and_then(binding)
        }
        _ => None,
    };
    Some(Unnamed {
        base: (*expr.expr).clone(),
        access: access.to_token_stream(),
        binding: named.unwrap_or_else(|| Ident::new("__unnamed", Span::call_site())),
    })
}
