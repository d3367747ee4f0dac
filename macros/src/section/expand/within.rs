//! The parts of a body that are polled within its section.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote_spanned;

use super::operand;
use crate::gather::Gather;
use crate::names::{hygienic, unsafe_};
use crate::section::parse;

/// How a body refers to the section.
#[derive(Clone, Copy, Default)]
pub(super) struct Uses {
    /// By the trait of this name.
    pub(super) await_within: bool,
    pub(super) awaited: bool,
    /// As the enclosing section of another one.
    pub(super) nests: bool,
    /// By what is lent to macros.
    pub(super) exclusively: bool,
}

/// The local of a section, in its body.
pub(super) struct Local {
    pub(super) name: Ident,
    /// It is what is lent to macros.
    pub(super) is_lent: bool,
}

impl Local {
    /// A reference to the section, which no macro gets.
    fn shared(&self, at: Span) -> TokenStream {
        let name = &self.name;
        if self.is_lent {
            let unsafe_ = unsafe_();
            quote_spanned!(hygienic(at)=> #unsafe_ { (&#name).__shared() })
        } else {
            quote_spanned!(at=> &#name)
        }
    }
}

/// How a section in the body knows of this one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nesting {
    /// The mark in it names this section.
    ByArgument,
    /// By the section list of the thread.
    ByList,
}

/// The location of tokens in a body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Body,
    /// Among the arguments of a macro.
    Arguments,
}

/// Tokens in which `value.await` is `(&__section).__await_within(value).await`, or, where it
/// cannot be told at which token `value` begins, `value.__within(&mut __section).await`: a method
/// of the value, for which the compiler has to know its type. It may be one of the user's, and so
/// gets what a macro gets. And the block of a `with_lock!` has
/// a mark in it, by which that knows the enclosing section (see [`parse::take_enclosing_mark`]).
///
/// What a macro gets may come to run on several threads at a time, as it may be one of the
/// user's, whatever its name. So what is within the section there borrows it mutably, which the
/// compiler lets one do at a time (W2 of the runtime): `value.__within(&mut __section).await`,
/// and the section in its body. Then, elsewhere, `unsafe { __section.__shared() }` takes the place
/// of `&__section`.
///
/// All other tokens stay as they are, and do not run within the section: code that is run
/// separately (closures, `async` blocks, items), and the arguments of macros that may not be
/// expressions, or that show them as text.
pub(super) fn within(
    tokens: TokenStream,
    section: &Local,
    nesting: Nesting,
    place: Place,
    found: &mut Uses,
) -> TokenStream {
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
            TokenTree::Ident(word) if word == "await" && is_dot(before) => {
                out.pop();
                awaited(&mut out, word.span(), section, place, found);
                out.extend(tokens[at - 1..=at].iter().cloned());
            }
            TokenTree::Group(group) => {
                let arguments = group.stream();
                let name = name_of_macro(&tokens[..at]);
                let place = if name.is_some() {
                    Place::Arguments
                } else {
                    place
                };
                let mut changed = Group::new(
                    group.delimiter(),
                    match name {
                        Some(name)
                            if name == "with_lock"
                                && nesting == Nesting::ByArgument
                                && has_block(&arguments) =>
                        {
                            found.nests = true;
                            found.exclusively = true;
                            parse::mark_enclosing(arguments, hygienic(name.span()))
                        }
                        Some(name) if !takes_expressions(name, &arguments) => arguments,
                        None if is_named_by_a_fragment(&tokens[..at]) => arguments,
                        _ => within(arguments, section, nesting, place, found),
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

/// Puts the operand that ends the tokens within the section.
///
/// By the spans of the user's tokens: tools see one expression, as it is written, and what is
/// no future is reported once, at the `await`.
fn awaited(tokens: &mut Vec<TokenTree>, at: Span, section: &Local, place: Place, found: &mut Uses) {
    let start = match place {
        // What is lent within the operand could not be while the section is borrowed for it.
        Place::Body => operand::begins_at(tokens).filter(|start| !lends(&tokens[*start..])),
        Place::Arguments => None,
    };
    let Some(start) = start else {
        found.awaited = true;
        found.exclusively = true;
        let local = &section.name;
        tokens.extend(quote_spanned!(at=> .__within(&mut #local)));
        return;
    };
    found.await_within = true;
    let operand: Vec<TokenTree> = tokens.drain(start..).gather();
    let begin = operand.first().map_or(at, TokenTree::span);
    let mut borrowed = Group::new(Delimiter::Parenthesis, section.shared(begin));
    borrowed.set_span(begin);
    let operand: TokenStream = operand.into_iter().gather();
    tokens.extend(quote_spanned!(at=> #borrowed.__await_within(#operand)));
}

/// Whether the section is lent to something in these tokens, which have it already: by a method,
/// or by a mark.
fn lends(tokens: &[TokenTree]) -> bool {
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Ident(word) if word == "use" => {
            matches!(tokens.get(at + 1), Some(TokenTree::Group(_)))
        }
        TokenTree::Ident(word) => word == "__within",
        TokenTree::Group(group) => {
            let inner: Vec<TokenTree> = group.stream().into_iter().gather();
            lends(&inner)
        }
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Whether a dot comes first: what follows is a field, a method or `await`.
fn is_dot(before: Option<&TokenTree>) -> bool {
    before.is_some_and(|before| is_punct(before, '.'))
}

/// Whether the arguments of a macro are expressions (and patterns for `matches!`), and it shows
/// none of them as text. `dbg!` does, and `assert!` without a message.
fn takes_expressions(name: &Ident, arguments: &TokenStream) -> bool {
    const MACROS: [&str; 18] = [
        "assert_eq",
        "assert_ne",
        "debug_assert_eq",
        "debug_assert_ne",
        "eprint",
        "eprintln",
        "format",
        "format_args",
        "matches",
        "panic",
        "print",
        "println",
        "todo",
        "unimplemented",
        "unreachable",
        "vec",
        "write",
        "writeln",
    ];
    if name == "assert" || name == "debug_assert" {
        let mut rest = arguments.clone().into_iter();
        return rest.any(|token| is_punct(&token, ',')) && rest.next().is_some();
    }
    MACROS.iter().any(|known| name == known)
}

/// The last segment of a macro's path, if its arguments follow.
fn name_of_macro(before: &[TokenTree]) -> Option<&Ident> {
    match before {
        [.., TokenTree::Ident(name), bang] if is_punct(bang, '!') && !is_keyword(name) => {
            Some(name)
        }
        _ => None,
    }
}

/// Whether what follows is the arguments of a macro whose name has come from another macro, as a
/// `$name:path` has: it may be any.
fn is_named_by_a_fragment(before: &[TokenTree]) -> bool {
    match before {
        [.., name, bang] => is_punct(bang, '!') && is_group(name, Delimiter::None),
        _ => false,
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

/// The number of tokens, from the first on, of code that is run separately. If its end is not
/// known, more is skipped: to the next comma or semicolon, or to the end.
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

/// Whether an operand follows a token: then a `|` begins a closure.
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

/// The parameters, and the body up to the end of the expression.
fn closure(tokens: &[TokenTree]) -> usize {
    let params = tokens.iter().skip(1).position(|token| is_punct(token, '|'));
    let body = params.map_or(tokens.len(), |end| end + 2);
    body + statement_length(&tokens[body..])
}

/// Up to and with a block or a semicolon. Braces in a type, as in `Bytes<{ N }>`, are not a block.
fn item(tokens: &[TokenTree]) -> usize {
    let in_a_type = |at: usize| {
        let next = tokens.get(at + 1);
        next.is_some_and(|next| is_punct(next, '>') || is_punct(next, ','))
    };
    let mut numbered = tokens.iter().enumerate();
    let end = numbered.position(|(at, token)| {
        is_punct(token, ';') || is_group(token, Delimiter::Brace) && !in_a_type(at)
    });
    end.map_or(tokens.len(), |end| end + 1)
}

/// Up to and with a semicolon.
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

pub(super) fn is_punct(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}

fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}

/// Keywords in front of an operand.
pub(super) fn is_keyword(ident: &Ident) -> bool {
    const KEYWORDS: [&str; 10] = [
        "break", "else", "if", "in", "let", "match", "move", "return", "while", "yield",
    ];
    KEYWORDS.iter().any(|keyword| ident == keyword)
}

#[cfg(test)]
mod tests {
    use proc_macro2::{Ident, Span, TokenStream};

    use super::{Local, Nesting, Place, Uses, within};

    #[test]
    fn what_is_run_as_a_part_of_the_section_is_watched() {
        for (body, expected) in [
            ("self.a().await", "W(self.a()).await"),
            (
                "self.a().await?.b(1).await",
                "W(W(self.a()).await?.b(1)).await",
            ),
            ("f(a().await).await", "W(f(W(a()).await)).await"),
            ("self.inner.await", "W(self.inner).await"),
            ("(x).await", "(x) M.await"),
            ("(x).y.await", "W((x).y).await"),
            ("let y = x.await;", "let y = W(x).await;"),
            ("..x.await", "..W(x).await"),
            ("unsafe { f() }.await", "unsafe { f() } M.await"),
            ("f::<u8>().await", "f::<u8>() M.await"),
            (
                "if !(a().await) { return !(b().await) }",
                "if !(W(a()).await) { return !(W(b()).await) }",
            ),
            (
                "let f = async { a().await }; f.await; b().await",
                "let f = async { a().await }; W(f).await; W(b()).await",
            ),
            (
                "async move |a, b| c(a, b).await; d().await",
                "async move |a, b| c(a, b).await; W(d()).await",
            ),
            (
                "g(async |x| if x { 0 } else { y().await }, z().await)",
                "g(async |x| if x { 0 } else { y().await }, W(z()).await)",
            ),
            (
                "each(|| with_lock!(x, {})).await",
                "W(each(|| with_lock!(x, {}))).await",
            ),
            ("a | b().await", "a | W(b()).await"),
            (
                "match x { A | B => c().await, _ => 1 }",
                "match x { A | B => W(c()).await, _ => 1 }",
            ),
            (
                "async fn f() -> Result<u8, ()> { a().await } f().await",
                "async fn f() -> Result<u8, ()> { a().await } W(f()).await",
            ),
            (
                "async fn f() -> Bytes<{ N }, { K }> { a().await } f().await",
                "async fn f() -> Bytes<{ N }, { K }> { a().await } W(f()).await",
            ),
            (
                "fn f() { with_lock!(x, blocking, {}) } b().await",
                "fn f() { with_lock!(x, blocking, {}) } W(b()).await",
            ),
            (
                "static X: u8 = with_lock!(x, {}); b().await",
                "static X: u8 = with_lock!(x, {}); W(b()).await",
            ),
            (
                "macro_rules! m { ($f:expr) => { $f().await } } b().await",
                "macro_rules! m { ($f:expr) => { $f().await } } W(b()).await",
            ),
            (
                "with_lock!(a.b, { c().await })",
                "with_lock!(a.b, { use {{}, {}}; c().await })",
            ),
            (
                "with_lock!(a.b, {}).await",
                "with_lock!(a.b, { use {{}, {}}; }) M.await",
            ),
            (
                "async_monitor::with_lock!(a, {},)",
                "async_monitor::with_lock!(a, { use {{}, {}}; },)",
            ),
            ("with_lock!(mine)", "with_lock!(mine)"),
            (
                "select! { x = a().await => {} }",
                "select! { x = a().await => {} }",
            ),
        ] {
            assert_within(body, expected);
        }
    }

    #[test]
    fn arguments_of_macros_that_show_no_text_of_them_are_watched() {
        for (body, expected) in [
            (
                "assert_eq!(a().await, 3, \"{}\", b.await)",
                "assert_eq!(a() M.await, 3, \"{}\", b M.await)",
            ),
            (
                "std::format!(\"{x} {y}\", y = a.await)",
                "std::format!(\"{x} {y}\", y = a M.await)",
            ),
            ("vec![a.await; 3]", "vec![a M.await; 3]"),
            ("f(vec![a.await]).await", "f(vec![a M.await]) M.await"),
            (
                "matches!(a.await, B | C if d.await)",
                "matches!(a M.await, B | C if d M.await)",
            ),
            (
                "assert!(a.await, \"{}\", with_lock!(b, {}))",
                "assert!(a M.await, \"{}\", with_lock!(b, { use {{}, {}}; }))",
            ),
            ("assert!(a.await)", "assert!(a.await)"),
            (
                "debug_assert!(f(a.await, b),)",
                "debug_assert!(f(a.await, b),)",
            ),
            ("dbg!(a.await)", "dbg!(a.await)"),
            ("info!(?a.await)", "info!(?a.await)"),
        ] {
            assert_within(body, expected);
        }
    }

    /// In what is expected, `W` stands for what puts an operand within the section, and `M`
    /// for the method that does.
    #[track_caller]
    fn assert_within(body: &str, expected: &str) {
        let section = Local {
            name: Ident::new("s", Span::call_site()),
            is_lent: false,
        };
        let tokens = body.parse().expect("tokens");
        let mut uses = Uses::default();
        let watched = within(
            tokens,
            &section,
            Nesting::ByArgument,
            Place::Body,
            &mut uses,
        );
        let expected = expected.replace("W(", "(&s).__await_within(");
        let expected = expected.replace(" M", ".__within(&mut s)");
        let expected: TokenStream = expected.parse().expect("tokens");
        assert_eq!(watched.to_string(), expected.to_string());
    }
}
