//! The parts of a body that cannot suspend: while they run, the thread is inside of the section.
//!
//! This has to be certain. A section that was suspended on the list of a thread would count as
//! enclosing whatever that thread does next, and could be dropped while on the list. So any macro
//! counts as hiding an `.await`, whatever its name, and so does any attribute that is not built in.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::site::{Site, Wait};
use super::within::{is_keyword, is_punct};
use super::{atomic, lease};
use crate::gather::Gather;
use crate::names::has_ident;
use crate::section::control_flow;
use crate::section::model::Section;

/// The parts of the body in which the thread is inside of the section.
pub(super) enum Inside {
    /// All of it: nothing suspends.
    Throughout,
    /// In some statements.
    Partly(Vec<Statement>),
    Nowhere,
}

/// A statement of a body.
pub(super) struct Statement {
    pub(super) tokens: TokenStream,
    /// The step before the statement.
    pub(super) before: Option<Step>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    Resume,
    Pause,
}

/// The parts of a section's body in which the thread is inside of it.
pub(super) fn inside(section: &Section, site: Site<'_>, statements: &TokenStream) -> Inside {
    match site {
        Site::Fn {
            wait: Wait::Park, ..
        } => return Inside::Throughout,
        // The compiler ensures it: such a body is a closure. A block in it gets the section as
        // an argument, as that is not always on the list.
        Site::Fn { .. }
            if section.options.no_await.is_some()
                && control_flow::find_suspensions(statements).is_empty()
                && !has_ident(statements, "with_lock") =>
        {
            return Inside::Throughout;
        }
        Site::Fn { .. } | Site::Block { .. } => {}
    }
    let split = split(statements);
    if !split.iter().any(|statement| may_suspend(statement)) {
        // Such a body may become a future that is awaited.
        return match is_future(section, statements) || split.is_empty() {
            true => Inside::Nowhere,
            false => Inside::Throughout,
        };
    }
    let parts = partly(split);
    match parts.iter().any(|statement| statement.before.is_some()) {
        true => Inside::Partly(parts),
        false => Inside::Nowhere,
    }
}

fn is_future(section: &Section, statements: &TokenStream) -> bool {
    let may_be = atomic::rollback(section).is_some() || lease::can_be_lost(section);
    may_be && control_flow::may_suspend(statements, false)
}

/// The statements of a body, as far as they end with a semicolon.
fn split(statements: &TokenStream) -> Vec<Vec<TokenTree>> {
    let mut split = Vec::new();
    let mut statement = Vec::new();
    for token in statements.clone() {
        let is_end = is_punct(&token, ';');
        statement.push(token);
        if is_end {
            split.push(std::mem::take(&mut statement));
        }
    }
    if !statement.is_empty() {
        split.push(statement);
    }
    split
}

/// The statements, with a step between those that may suspend and those that cannot.
///
/// Lints see the step as a statement: so there is none in front of an item or of a
/// value that is returned as it is, and none that would be unreachable.
fn partly(split: Vec<Vec<TokenTree>>) -> Vec<Statement> {
    let (mut is_inside, mut is_reached) = (false, true);
    let last = split.len() - 1;
    let steps = split.into_iter().enumerate().map(|(at, statement)| {
        let leaves = at < last && leaves(&statement);
        let resumes = is_reached && !begins_with_item(&statement) && !is_plain(&statement);
        let before = match is_inside {
            true if leaves || may_suspend(&statement) => Some(Step::Pause),
            false if !leaves && resumes && !may_suspend(&statement) => Some(Step::Resume),
            _ => None,
        };
        is_inside = before.map_or(is_inside, |step| step == Step::Resume);
        is_reached &= !leaves;
        Statement {
            tokens: statement.into_iter().gather(),
            before,
        }
    });
    steps.gather()
}

/// Whether the code behind the statement is unreachable.
fn leaves(statement: &[TokenTree]) -> bool {
    const MACROS: [&str; 4] = ["panic", "todo", "unimplemented", "unreachable"];
    match statement {
        [TokenTree::Ident(name), bang, ..] if is_punct(bang, '!') => {
            MACROS.iter().any(|leaving| name == leaving)
        }
        [TokenTree::Ident(word), ..] => word == "return" || word == "break" || word == "continue",
        _ => false,
    }
}

/// Whether an item comes first.
fn begins_with_item(statement: &[TokenTree]) -> bool {
    const WORDS: [&str; 12] = [
        "const", "enum", "extern", "fn", "impl", "mod", "pub", "static", "struct", "trait", "type",
        "use",
    ];
    match statement {
        [hash, TokenTree::Group(_), rest @ ..] if is_punct(hash, '#') => begins_with_item(rest),
        [TokenTree::Ident(word), TokenTree::Ident(next), ..] => {
            let of_fn = word == "async" || word == "unsafe";
            WORDS
                .iter()
                .any(|item| word == item || of_fn && next == item)
        }
        [TokenTree::Ident(word), ..] => word == "use" || word == "pub",
        _ => false,
    }
}

/// Whether it is a name, a literal, or a `Result` or an `Option` of such, as the last value.
fn is_plain(statement: &[TokenTree]) -> bool {
    let mut tokens = statement.iter().enumerate();
    tokens.all(|(at, token)| match token {
        TokenTree::Ident(word) => !is_keyword(word),
        TokenTree::Literal(_) => true,
        TokenTree::Punct(punct) => matches!(punct.as_char(), ':' | '&' | '*'),
        TokenTree::Group(group) => {
            let wraps = match at.checked_sub(1).and_then(|before| statement.get(before)) {
                Some(TokenTree::Ident(name)) => name == "Ok" || name == "Err" || name == "Some",
                _ => at == 0,
            };
            let inner: Vec<TokenTree> = group.stream().into_iter().gather();
            wraps && group.delimiter() == Delimiter::Parenthesis && is_plain(&inner)
        }
    })
}

/// Whether the tokens may suspend the body. An `.await` in a closure or an `async` block counts,
/// too, as their ends are not searched for.
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

/// Whether a `#` begins an attribute that does not change its item.
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

    use super::{Step, may_suspend, partly, split};

    #[test]
    fn what_has_neither_an_await_nor_a_macro_cannot_suspend() {
        for body in [
            "",
            "if !(a) && !b { return !(c) } d != e",
            "#[allow(x)] let a = b; #[inline] fn c() {}",
            "#[doc = \"a\"] struct A;",
            "a()?.b(|c| c)",
        ] {
            assert!(!suspends(body), "{body}");
        }
        for body in [
            "a.await",
            "a[b.await]",
            "let f = async { a.await }; b",
            "yield a",
            "println!()",
            "std::println! {}",
            "f(|| vec![])",
            "r#match!(a)",
            "macro_rules! m { () => {} }",
            "#[mine] fn a() {}",
            "#[allow::mine] fn a() {}",
            "#[cfg_attr(all(), mine)] fn a() {}",
        ] {
            assert!(suspends(body), "{body}");
        }
    }

    fn suspends(body: &str) -> bool {
        let tokens: TokenStream = body.parse().expect("tokens");
        split(&tokens)
            .iter()
            .any(|statement| may_suspend(statement))
    }

    #[test]
    fn what_cannot_suspend_is_run_inside() {
        for (body, expected) in [
            (
                "a(); b(); c().await; d(); e()",
                "+a(); b(); -c().await; +d(); e()",
            ),
            (
                "a().await; if b { c() } d(); e",
                "a().await; +if b {c()} d(); e",
            ),
            ("if a {b.await} c(); d()", "if a {b.await} c(); +d()"),
            (
                "m!(); use a; const B: u8 = 1; c(); d!()",
                "m!(); use a; const B:u8=1; +c(); -d!()",
            ),
            ("a(); use b; m!(); c()", "+a(); use b; -m!(); +c()"),
            ("let a = m!(); a", "let a = m!(); a"),
            ("m!(); Ok(a)", "m!(); Ok(a)"),
            ("m!(); Ok(a())", "m!(); +Ok(a())"),
            ("a(); return b; c.await", "+a(); -return b; c.await"),
            ("a.await; return b();", "a.await; +return b();"),
            ("todo!(); a()", "todo!(); a()"),
            ("a.await; unsafe { b() }; c", "a.await; +unsafe {b()}; c"),
            (
                "a.await; unsafe fn b() {} c()",
                "a.await; unsafe fn b() {} c()",
            ),
        ] {
            let tokens: TokenStream = body.parse().expect("tokens");
            let shown = partly(split(&tokens)).into_iter().map(|statement| {
                let before = match statement.before {
                    Some(Step::Resume) => "+",
                    Some(Step::Pause) => "-",
                    None => "",
                };
                format!("{before}{}", statement.tokens)
            });
            let without_spaces = |text: &str| text.replace(' ', "");
            let shown: String = shown.collect();
            assert_eq!(without_spaces(&shown), without_spaces(expected));
        }
    }
}
