//! What of a body cannot suspend: while that runs, its thread is inside of the section.
//!
//! This has to be certain. A section that is suspended while it is on the list of a thread would
//! be around what that thread does next, and be gone while it is on the list. So a macro may hide
//! an `.await`, whatever its name, and so may an attribute that is not the language's own.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::site::{Site, Wait};
use super::watching::{is_keyword, is_punct};
use super::{atomic, lease};
use crate::gather::Gather;
use crate::section::control_flow;
use crate::section::model::Section;

/// Where in the body the thread is inside of the section.
pub(super) enum Inside {
    /// All of it: nothing suspends.
    Throughout,
    /// In some parts.
    Partly(Vec<Part>),
    Nowhere,
}

/// Some statements of a body.
pub(super) struct Part {
    pub(super) tokens: TokenStream,
    pub(super) may_suspend: bool,
}

/// Where in the body of a section the thread is inside of it.
pub(super) fn inside(section: &Section, site: Site<'_>, statements: &TokenStream) -> Inside {
    match site {
        Site::Fn {
            wait: Wait::Park, ..
        } => return Inside::Throughout,
        // The compiler sees to it: such a body is a closure.
        Site::Fn { .. }
            if section.options.no_await.is_some()
                && control_flow::find_suspensions(statements).is_empty() =>
        {
            return Inside::Throughout;
        }
        Site::Fn { .. } | Site::Block { .. } => {}
    }
    let parts = parts(statements);
    let suspends = parts.iter().any(|part| part.may_suspend);
    let runs = parts.iter().any(|part| !part.may_suspend);
    match (suspends, runs) {
        // Such a body may be made a future, which is awaited.
        (false, true) if is_future(section, statements) => Inside::Nowhere,
        (false, true) => Inside::Throughout,
        (true, true) => Inside::Partly(parts),
        (_, false) => Inside::Nowhere,
    }
}

fn is_future(section: &Section, statements: &TokenStream) -> bool {
    let may_be = atomic::rollback(section).is_some() || lease::can_be_lost(section);
    may_be && control_flow::may_suspend(statements, false)
}

/// The statements of a body, by whether they may suspend.
fn parts(statements: &TokenStream) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut statement = Vec::new();
    let mut add = |statement: Vec<TokenTree>| {
        let may_suspend = may_suspend(&statement);
        match parts.last_mut() {
            Some(last) if last.may_suspend == may_suspend => last.tokens.extend(statement),
            _ => parts.push(Part {
                tokens: statement.into_iter().gather(),
                may_suspend,
            }),
        }
    };
    for token in statements.clone() {
        let is_end = is_punct(&token, ';');
        statement.push(token);
        if is_end {
            add(std::mem::take(&mut statement));
        }
    }
    if !statement.is_empty() {
        add(statement);
    }
    parts
}

/// Whether the tokens may suspend what they are run in: also by what is run by itself, as where
/// that ends is not looked for.
fn may_suspend(tokens: &[TokenTree]) -> bool {
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Ident(word) => word == "await" || word == "yield",
        TokenTree::Group(group) => {
            let inner: Vec<TokenTree> = group.stream().into_iter().gather();
            may_suspend(&inner)
        }
        TokenTree::Punct(punct) if punct.as_char() == '!' => {
            is_macro(&tokens[..at], tokens.get(at + 1))
        }
        TokenTree::Punct(punct) if punct.as_char() == '#' => !is_known_attribute(&tokens[at + 1..]),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Whether a `!` is that of a macro, not an operator.
fn is_macro(before: &[TokenTree], next: Option<&TokenTree>) -> bool {
    let is_named = match before.last() {
        Some(TokenTree::Ident(name)) => !is_keyword(name),
        // Its name may have come from a macro.
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::None,
        Some(TokenTree::Punct(_) | TokenTree::Literal(_)) | None => false,
    };
    is_named && matches!(next, Some(TokenTree::Group(_) | TokenTree::Ident(_)))
}

/// Whether a `#` begins an attribute that changes nothing of what it is written at.
fn is_known_attribute(after: &[TokenTree]) -> bool {
    const KNOWN: [&str; 6] = ["allow", "cfg", "doc", "expect", "inline", "warn"];
    let group = match after {
        [TokenTree::Group(group), ..] => group,
        [bang, TokenTree::Group(group), ..] if is_punct(bang, '!') => group,
        _ => return false,
    };
    let mut inner = group.stream().into_iter();
    let Some(TokenTree::Ident(name)) = inner.next() else {
        return false;
    };
    let is_path = inner.next().is_some_and(|next| is_punct(&next, ':'));
    group.delimiter() == Delimiter::Bracket && !is_path && KNOWN.iter().any(|known| name == known)
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;

    use super::parts;

    #[test]
    fn parts_that_may_suspend_end_with_their_statements() {
        for (body, expected) in [
            ("", ""),
            ("a(); b()", "a();b() ="),
            (
                "a(); b().await; c(); d.e()",
                "a(); = | b().await; ~ | c();d.e() =",
            ),
            (
                "if x { a.await } else { b } c(); d",
                "if x{a.await}else{b}c(); ~ | d =",
            ),
            (
                "let f = async { a.await }; b",
                "let f=async{a.await}; ~ | b =",
            ),
            ("println!(); b", "println!(); ~ | b ="),
            ("std::println!{} b; c", "std::println!{}b; ~ | c ="),
            (
                "if !(a) && !b { return !(c) } d != e",
                "if!(a)&&!b{return!(c)}d!=e =",
            ),
            ("r#match!(a); b", "r#match!(a); ~ | b ="),
            ("macro_rules! m { () => {} } b", "macro_rules!m{()=>{}}b ~"),
            (
                "#[allow(x)] let a = b; #[inline] fn c() {}",
                "#[allow(x)]let a=b;#[inline]fn c(){} =",
            ),
            ("#[mine] fn a() {} b; c", "#[mine]fn a(){}b; ~ | c ="),
            ("#[allow::mine] fn a() {}", "#[allow::mine]fn a(){} ~"),
            ("a[b.await]; c", "a[b.await]; ~ | c ="),
            ("yield a; b", "yield a; ~ | b ="),
        ] {
            let tokens: TokenStream = body.parse().expect("tokens");
            let shown: Vec<String> = parts(&tokens)
                .iter()
                .map(|part| {
                    let may_suspend = if part.may_suspend { "~" } else { "=" };
                    format!("{} {may_suspend}", part.tokens)
                })
                .collect();
            let without_spaces = |text: &str| text.replace(' ', "");
            assert_eq!(without_spaces(&shown.join(" | ")), without_spaces(expected));
        }
    }
}
