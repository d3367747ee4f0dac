//! What lets the runtime watch a section, where it does: what the section is, and when it
//! runs. Where it does not, all of this is types without size and calls without code.

use proc_macro2::{Delimiter, Group, Ident, Literal, Spacing, Span, TokenStream, TokenTree};
use quote::quote_spanned;

use super::acquisition::Acquisition;
use super::site::{Site, Wait};
use crate::gather::Gather;
use crate::names::{own, spaced};
use crate::section::control_flow;
use crate::section::model::Section;

/// The local of the section, for messages of the compiler at `span`.
pub(super) fn section_local(span: Span) -> Ident {
    Ident::new("__section", own(span))
}

/// Expands to:
///
/// ```text
/// let __section = Section::new(
///     {
///         static __SITE: Site = Site::new("deposit", file!(), line!(), column!(), "");
///         &__SITE
///     },
///     None,
///     [SectionLock::new(__type0.__name("ledger"), __lock0, Enter::<0x1234>::id, ..)],
/// );
/// ```
///
/// in front of the acquisitions.
pub(super) fn declare(section: &Section, locks: &[Acquisition<'_>], site: Site<'_>) -> TokenStream {
    let span = own(Span::call_site());
    let private = section.options.krate.private_at(span);
    let local = section_local(span);
    let name = Literal::string(&site.name());
    let condition = section.options.when.as_ref();
    let condition = condition.map(|when| spaced(when.condition.clone()));
    let condition = Literal::string(&condition.unwrap_or_default());
    let around = match &section.around {
        Some(around) => quote_spanned!(span=> ::core::option::Option::Some(#around.__around())),
        None => quote_spanned!(span=> ::core::option::Option::None),
    };
    let described = locks.iter().map(Acquisition::described);
    quote_spanned! {span=>
        let #local = #private::Section::new(
            {
                static __SITE: #private::Site = #private::Site::new(
                    #name,
                    ::core::file!(),
                    ::core::line!(),
                    ::core::column!(),
                    #condition,
                );
                &__SITE
            },
            #around,
            [#(#described,)*],
        );
    }
}

/// The statements, and what comes in front of them: each `.await` of the body is one within
/// the section, and a body that cannot suspend runs inside of it.
pub(super) fn statements(
    section: &Section,
    site: Site<'_>,
    statements: TokenStream,
) -> (TokenStream, TokenStream) {
    let span = own(Span::call_site());
    let private = section.options.krate.private_at(span);
    let local = section_local(span);
    let mut awaits = false;
    let watched = within(statements.clone(), &local, &mut awaits);
    let runs_inside = match site.wait() {
        Wait::Park => true,
        Wait::Await => !control_flow::may_suspend(&statements, section.options.no_await.is_some()),
    };
    let mut before = TokenStream::new();
    if awaits {
        before.extend(quote_spanned!(span=> use #private::Awaited as _;));
    }
    if runs_inside {
        let inside = Ident::new("__inside", span);
        before.extend(quote_spanned!(span=> let #inside = #local.__inside();));
    }
    (before, watched)
}

/// Tokens in which `value.await` is `value.__within(&__section).await`, and a `with_lock!`
/// has `@__section,` in front of its arguments, by which it knows the section around. What is
/// in other macros, and in what is not run as a part of the section, stays as it is.
fn within(tokens: TokenStream, section: &Ident, found: &mut bool) -> TokenStream {
    let mut out = Vec::new();
    let mut rest = tokens.into_iter().peekable();
    // What the last tokens were.
    let (mut after_dot, mut macro_name) = (false, None::<Ident>);
    let mut last_ident = None::<Ident>;
    while let Some(token) = rest.next() {
        let was_dot = std::mem::take(&mut after_dot);
        let name = macro_name.take();
        let ident = last_ident.take();
        match token {
            TokenTree::Ident(word) if was_dot && word == "await" => {
                *found = true;
                // By the span of the user's token: tools see one expression, as it is written.
                out.extend(quote_spanned!(word.span()=> __within(&#section).));
                out.push(TokenTree::Ident(word));
            }
            TokenTree::Ident(word) => {
                let is_async = word == "async";
                last_ident = Some(word.clone());
                out.push(TokenTree::Ident(word));
                if is_async {
                    skip_async(&mut rest, &mut out);
                }
            }
            TokenTree::Punct(punct) => {
                after_dot = punct.as_char() == '.' && punct.spacing() == Spacing::Alone;
                if punct.as_char() == '!' && punct.spacing() == Spacing::Alone {
                    macro_name = ident.filter(|ident| !is_keyword(ident));
                }
                out.push(TokenTree::Punct(punct));
            }
            TokenTree::Group(group) => {
                let changed = match name {
                    Some(name) if name == "with_lock" => {
                        let arguments = group.stream();
                        quote_spanned!(own(name.span())=> @#section, #arguments)
                    }
                    Some(_) => group.stream(),
                    None => within(group.stream(), section, found),
                };
                let mut changed = Group::new(group.delimiter(), changed);
                changed.set_span(group.span());
                out.push(TokenTree::Group(changed));
            }
            TokenTree::Literal(literal) => out.push(TokenTree::Literal(literal)),
        }
    }
    out.into_iter().gather()
}

/// Keywords before a `!` that is an operator.
fn is_keyword(ident: &Ident) -> bool {
    const KEYWORDS: [&str; 10] = [
        "break", "else", "if", "in", "let", "match", "move", "return", "while", "yield",
    ];
    KEYWORDS.iter().any(|keyword| ident == keyword)
}

/// Takes over what an `async` begins: a block, a closure or a fn, with all in it.
fn skip_async(
    rest: &mut std::iter::Peekable<proc_macro2::token_stream::IntoIter>,
    out: &mut Vec<TokenTree>,
) {
    // A closure whose body is an expression ends with what it is an argument or a statement of.
    while let Some(token) = rest.peek() {
        if let TokenTree::Punct(punct) = token {
            if matches!(punct.as_char(), ',' | ';') {
                return;
            }
        }
        let is_body =
            matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        out.extend(rest.next());
        if is_body {
            return;
        }
    }
}
