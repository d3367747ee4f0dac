//! What lets the runtime watch a section, where it does: what the section is, and when it
//! runs. Where it does not, all of this is types without size and calls without code.

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::quote_spanned;

use super::acquisition::Acquisition;
use super::site::{Site, Wait};
use crate::gather::Gather;
use crate::names::{own, spaced, unsafe_};
use crate::section::model::Section;

/// The local of the section, for messages of the compiler at `span`.
pub(super) fn section_local(span: Span) -> Ident {
    Ident::new("__section", own(span))
}

/// Expands to:
///
/// ```text
/// let __section = unsafe { Section::new(
///     {
///         static __SITE: Site = Site::new("deposit", file!(), line!(), column!(), "");
///         &__SITE
///     },
///     None,
///     [SectionLock::new(__type0.__name("ledger"), __lock0, Watched::<0x1234>::watched_id, ..)],
/// ) };
/// ```
///
/// in front of the acquisitions.
///
/// SAFETY, of what is generated: the local cannot be named by the user, so it is not moved, and
/// what borrows it is awaited or dropped where it stands.
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
    let unsafe_ = unsafe_();
    quote_spanned! {span=>
        let #local = #unsafe_ {
            #private::Section::new(
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
            )
        };
    }
}

/// The statements, and what comes in front of them: each `.await` of the body is one within
/// the section, and that of a plain fn runs inside of it.
///
/// SAFETY, of what is generated: the body of a plain fn does not suspend, and the local is
/// dropped at its end.
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
    // In a plain fn, nothing suspends. Elsewhere a macro may hide an `.await`.
    let runs_inside = matches!(
        site,
        Site::Fn {
            wait: Wait::Park,
            ..
        }
    );
    let mut before = TokenStream::new();
    if awaits {
        before.extend(quote_spanned!(span=> use #private::Awaited as _;));
    }
    if runs_inside {
        let inside = Ident::new("__inside", span);
        let unsafe_ = unsafe_();
        before.extend(quote_spanned!(span=> let #inside = #unsafe_ { #local.__inside() };));
    }
    (before, watched)
}

/// Tokens in which `value.await` is `value.__within(&__section).await`, and a `with_lock!`
/// has `@__section,` in front of its arguments, by which it knows the section around.
///
/// Everything else stays as it is, and is not seen to run within the section: what is run by
/// itself (closures, `async` blocks, items), the arguments of other macros, and a variable
/// that is awaited, whose type the compiler may not know yet, which a method would ask for.
fn within(tokens: TokenStream, section: &Ident, found: &mut bool) -> TokenStream {
    let tokens: Vec<TokenTree> = tokens.into_iter().gather();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        let skipped = skipped(&tokens[at..], before);
        if skipped > 0 {
            out.extend(tokens[at..at + skipped].iter().cloned());
            at += skipped;
            continue;
        }
        match token {
            TokenTree::Ident(word) if word == "await" && is_awaited_call(&tokens[..at]) => {
                *found = true;
                // By the span of the user's token: tools see one expression, as it is written.
                out.extend(quote_spanned!(word.span()=> __within(&#section).));
                out.push(token.clone());
            }
            TokenTree::Group(group) => {
                let mut changed = Group::new(
                    group.delimiter(),
                    match name_of_macro(&tokens[..at]) {
                        Some(name) if name == "with_lock" && has_block(&group.stream()) => {
                            let arguments = group.stream();
                            quote_spanned!(own(name.span())=> @#section, #arguments)
                        }
                        Some(_) => group.stream(),
                        None => within(group.stream(), section, found),
                    },
                );
                changed.set_span(group.span());
                out.push(TokenTree::Group(changed));
            }
            _ => out.push(token.clone()),
        }
        at += 1;
    }
    out.into_iter().gather()
}

/// Whether what stands before an `await` is a dot, and before that something else than a
/// variable.
fn is_awaited_call(before: &[TokenTree]) -> bool {
    let [.., value, dot] = before else {
        return false;
    };
    if !is_punct(dot, '.') {
        return false;
    }
    match value {
        TokenTree::Group(_) | TokenTree::Punct(_) => true,
        TokenTree::Ident(_) => {
            let field_of = before.len().checked_sub(3).and_then(|at| before.get(at));
            field_of.is_some_and(|token| is_punct(token, '.'))
        }
        TokenTree::Literal(_) => false,
    }
}

/// The last name of the path of a macro, if what follows is its arguments.
fn name_of_macro(before: &[TokenTree]) -> Option<&Ident> {
    match before {
        [.., TokenTree::Ident(name), bang] if is_punct(bang, '!') && !is_keyword(name) => {
            Some(name)
        }
        _ => None,
    }
}

/// Whether the arguments are those of `with_lock!`, as far as that is its shape: something, a
/// comma, and a block.
fn has_block(arguments: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = arguments.clone().into_iter().gather();
    let is_comma = |token: &TokenTree| is_punct(token, ',');
    let without_comma = match tokens.split_last() {
        Some((last, rest)) if is_comma(last) => rest,
        _ => &tokens[..],
    };
    match without_comma {
        [.., comma, block] => is_comma(comma) && is_group(block, Delimiter::Brace),
        _ => false,
    }
}

/// How many tokens at the beginning are of something that is run by itself. More than that is
/// skipped where its end cannot be told: to the next comma, semicolon, or the end.
fn skipped(tokens: &[TokenTree], before: Option<&TokenTree>) -> usize {
    let first = match tokens.first() {
        Some(TokenTree::Ident(first)) => first.to_string(),
        Some(token) if is_punct(token, '|') && begins_operand(before) => {
            return closure(tokens);
        }
        _ => return 0,
    };
    match (first.as_str(), tokens.get(1)) {
        ("async", Some(next)) => {
            let is_move = matches!(next, TokenTree::Ident(word) if word == "move");
            let at = 1 + usize::from(is_move);
            match tokens.get(at) {
                Some(block) if is_group(block, Delimiter::Brace) => at + 1,
                Some(bar) if is_punct(bar, '|') => at + closure(&tokens[at..]),
                _ => item(tokens),
            }
        }
        ("move", Some(next)) if is_punct(next, '|') => 1 + closure(&tokens[1..]),
        ("static", Some(next)) if is_punct(next, '|') => 1 + closure(&tokens[1..]),
        ("static", Some(_)) => statement(tokens),
        ("const", Some(next)) if is_group(next, Delimiter::Brace) => 2,
        ("const", Some(TokenTree::Ident(_))) => statement(tokens),
        ("fn" | "impl" | "trait" | "mod" | "struct" | "enum" | "extern", Some(_)) => item(tokens),
        ("macro_rules", Some(bang)) if is_punct(bang, '!') => item(tokens),
        _ => 0,
    }
}

/// Whether what follows a token is an operand: a `|` is then the beginning of a closure.
fn begins_operand(before: Option<&TokenTree>) -> bool {
    match before {
        None => true,
        Some(TokenTree::Ident(word)) => is_keyword(word),
        Some(TokenTree::Punct(punct)) => punct.as_char() != '?',
        // Behind a block, as a statement; behind other groups, it is an operator.
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
        Some(TokenTree::Literal(_)) => false,
    }
}

/// The parameters, and the body up to what ends an expression.
fn closure(tokens: &[TokenTree]) -> usize {
    let params = tokens.iter().skip(1).position(|token| is_punct(token, '|'));
    let body = params.map_or(tokens.len(), |end| end + 2);
    body + statement_length(&tokens[body..])
}

/// Up to a block or a semicolon, with it.
fn item(tokens: &[TokenTree]) -> usize {
    let end = tokens
        .iter()
        .position(|token| is_group(token, Delimiter::Brace) || is_punct(token, ';'));
    end.map_or(tokens.len(), |end| end + 1)
}

/// Up to a semicolon, with it.
fn statement(tokens: &[TokenTree]) -> usize {
    let end = tokens.iter().position(|token| is_punct(token, ';'));
    end.map_or(tokens.len(), |end| end + 1)
}

/// Up to a comma or a semicolon.
fn statement_length(tokens: &[TokenTree]) -> usize {
    let end = tokens
        .iter()
        .position(|token| is_punct(token, ',') || is_punct(token, ';'));
    end.unwrap_or(tokens.len())
}

fn is_punct(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}

fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}

/// Keywords in front of an operand.
fn is_keyword(ident: &Ident) -> bool {
    const KEYWORDS: [&str; 10] = [
        "break", "else", "if", "in", "let", "match", "move", "return", "while", "yield",
    ];
    KEYWORDS.iter().any(|keyword| ident == keyword)
}

#[cfg(test)]
mod tests {
    use proc_macro2::{Ident, Span};

    use super::within;

    #[test]
    fn what_is_run_as_a_part_of_the_section_is_watched() {
        for (body, expected) in [
            ("self.a().await", "self.a() W.await"),
            (
                "self.a().await?.b(1).await",
                "self.a() W.await?.b(1) W.await",
            ),
            ("self.inner.await", "self.inner W.await"),
            ("(x).await", "(x) W.await"),
            ("x.await", "x.await"),
            (
                "if !(a().await) { return !(b().await) }",
                "if !(a() W.await) { return !(b() W.await) }",
            ),
            (
                "let f = async { a().await }; f.await; b().await",
                "let f = async { a().await }; f.await; b() W.await",
            ),
            (
                "async move |a, b| c(a, b).await; d().await",
                "async move |a, b| c(a, b).await; d() W.await",
            ),
            (
                "g(async |x| if x { 0 } else { y().await }, z().await)",
                "g(async |x| if x { 0 } else { y().await }, z() W.await)",
            ),
            (
                "each(|| with_lock!(x, {})).await",
                "each(|| with_lock!(x, {})) W.await",
            ),
            ("a | b().await", "a | b() W.await"),
            (
                "match x { A | B => c().await, _ => 1 }",
                "match x { A | B => c() W.await, _ => 1 }",
            ),
            (
                "async fn f() -> Result<u8, ()> { a().await } f().await",
                "async fn f() -> Result<u8, ()> { a().await } f() W.await",
            ),
            (
                "fn f() { with_lock!(x, blocking, {}) } b().await",
                "fn f() { with_lock!(x, blocking, {}) } b() W.await",
            ),
            (
                "static X: u8 = with_lock!(x, {}); b().await",
                "static X: u8 = with_lock!(x, {}); b() W.await",
            ),
            (
                "macro_rules! m { ($f:expr) => { $f().await } } b().await",
                "macro_rules! m { ($f:expr) => { $f().await } } b() W.await",
            ),
            (
                "with_lock!(a.b, { c().await })",
                "with_lock!(@s, a.b, { c().await })",
            ),
            (
                "async_monitor::with_lock!(a, {},)",
                "async_monitor::with_lock!(@s, a, {},)",
            ),
            ("with_lock!(mine)", "with_lock!(mine)"),
            (
                "select! { x = a().await => {} }",
                "select! { x = a().await => {} }",
            ),
        ] {
            let section = Ident::new("s", Span::call_site());
            let tokens = body.parse().expect("tokens");
            let watched = within(tokens, &section, &mut false);
            let expected = expected.replace(" W", ".__within(&s)");
            let expected: proc_macro2::TokenStream = expected.parse().expect("tokens");
            assert_eq!(watched.to_string(), expected.to_string());
        }
    }
}
