//! Syntactic checks on a body: await points, macros that may hide one, and exits.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::{Block, Expr, Label, Lifetime, Macro, Stmt, Token};

use super::function::Function;
use super::visit::{Visit, walk};
use crate::gather::Gather;
use crate::names::has_ident;

/// A place where a section may suspend.
pub(super) enum Suspension {
    Await(Token![await]),
    /// A `with_lock!` that does not park.
    Section(Ident),
}

/// Finds each `.await` and each `with_lock!` that awaits, in code that parses as Rust.
pub(super) fn find_suspensions(statements: &TokenStream) -> Vec<Suspension> {
    let mut found = SuspensionFinder(Vec::new());
    walk(statements, &mut found);
    found.0
}

/// With the option `blocking` for each `with_lock!` that awaits, once that has been reported: so that
/// nothing more is said of it.
pub(super) fn park(statements: TokenStream) -> TokenStream {
    let mut tokens: Vec<TokenTree> = statements.into_iter().gather();
    for index in 0..tokens.len() {
        let (before, rest) = tokens.split_at_mut(index);
        let Some(TokenTree::Group(group)) = rest.first_mut() else {
            continue;
        };
        let inside = park(group.stream());
        let is_section = matches!(
            before,
            [.., TokenTree::Ident(name), TokenTree::Punct(bang)]
                if name == "with_lock" && bang.as_char() == '!'
        );
        let inside = if is_section && !parks(&inside) {
            quote!(blocking, #inside)
        } else {
            inside
        };
        let mut parked = Group::new(group.delimiter(), inside);
        parked.set_span(group.span());
        *group = parked;
    }
    tokens.into_iter().gather()
}

/// The statements, if they are Rust.
pub(super) fn parse_statements(statements: &TokenStream) -> Vec<Stmt> {
    let parsed = Block::parse_within.parse2(statements.clone());
    parsed.unwrap_or_default()
}

/// The location of an `.await`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum AwaitedIn {
    Body,
    /// In a `with_lock!` block in the body.
    NestedSection,
}

/// Macros that await their arguments.
const AWAITING_MACROS: [&str; 4] = ["join", "select", "select_biased", "try_join"];

/// As [`find_suspensions`], but also counts `join!`, `select!` and the like, and searches macro
/// arguments that do not parse as Rust.
pub(super) fn find_all_awaits(statements: &TokenStream) -> Vec<(Span, AwaitedIn)> {
    let mut visible = AwaitFinder {
        found: Vec::new(),
        arguments: TokenStream::new(),
    };
    walk(statements, &mut visible);
    visible.found
}

/// The first `.await` in the body.
pub(crate) fn first_await(function: &Function) -> Option<Span> {
    let awaits = find_all_awaits(&function.body);
    awaits.first().map(|(at, _)| *at)
}

struct AwaitFinder {
    found: Vec<(Span, AwaitedIn)>,
    /// The arguments of the current macro call.
    arguments: TokenStream,
}

impl Visit for AwaitFinder {
    fn leave(&mut self, expr: &Expr) {
        if let Expr::Await(expr) = expr {
            self.found.push((expr.await_token.span, AwaitedIn::Body));
        }
    }

    fn mac(&mut self, mac: &Macro) -> bool {
        let Some(last) = mac.path.segments.last() else {
            return false;
        };
        let name = &last.ident;
        if name == "with_lock" {
            if !parks(&mac.tokens) {
                self.found.push((name.span(), AwaitedIn::NestedSection));
            }
            return false;
        }
        if AWAITING_MACROS.iter().any(|awaiting| name == awaiting) {
            self.found.push((name.span(), AwaitedIn::Body));
            return false;
        }
        self.arguments = mac.tokens.clone();
        true
    }

    fn unknown(&mut self) {
        find_awaits_in_tokens(std::mem::take(&mut self.arguments), &mut self.found);
    }
}

/// Whether the arguments of a `with_lock!` have the option `blocking`.
fn parks(arguments: &TokenStream) -> bool {
    let is_comma =
        |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    let mut is_first = true;
    let mut tokens = arguments.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_option = is_first && matches!(&token, TokenTree::Ident(name) if name == "blocking");
        if is_option && tokens.peek().is_none_or(is_comma) {
            return true;
        }
        is_first = is_comma(&token);
    }
    false
}

/// Looks for `.await` outside of `async` blocks.
fn find_awaits_in_tokens(tokens: TokenStream, found: &mut Vec<(Span, AwaitedIn)>) {
    let (mut after_dot, mut in_async) = (false, false);
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                if !(in_async && group.delimiter() == Delimiter::Brace) {
                    find_awaits_in_tokens(group.stream(), found);
                }
                (after_dot, in_async) = (false, false);
            }
            TokenTree::Ident(ident) => {
                if after_dot && ident == "await" {
                    found.push((ident.span(), AwaitedIn::Body));
                }
                in_async = ident == "async" || (in_async && ident == "move");
                after_dot = false;
            }
            TokenTree::Punct(punct) => (after_dot, in_async) = (punct.as_char() == '.', false),
            TokenTree::Literal(_) => (after_dot, in_async) = (false, false),
        }
    }
}

/// Common macros of the standard library, of `log` and of `tracing`: they suspend only if an
/// argument does.
const KNOWN_MACROS: [&str; 33] = [
    "assert",
    "assert_eq",
    "assert_matches",
    "assert_ne",
    "concat",
    "dbg",
    "debug",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_matches",
    "debug_assert_ne",
    "env",
    "eprint",
    "eprintln",
    "error",
    "format",
    "format_args",
    "include_str",
    "info",
    "line",
    "matches",
    "panic",
    "print",
    "println",
    "stringify",
    "todo",
    "trace",
    "unimplemented",
    "unreachable",
    "vec",
    "warn",
    "write",
    "writeln",
];

/// Whether the macro is one of [`KNOWN_MACROS`], by its name.
pub(crate) fn is_known_macro(mac: &Macro) -> bool {
    let last = mac.path.segments.last();
    last.is_some_and(|last| is_known_name(&last.ident))
}

/// Whether the name is one of [`KNOWN_MACROS`].
pub(super) fn is_known_name(name: &Ident) -> bool {
    KNOWN_MACROS.iter().any(|known| name == known)
}

/// Whether the statements may suspend. If `is_forbidden`, unknown macros are
/// ignored, because the compiler rejects an `.await` hidden in one.
pub(super) fn may_suspend(statements: &TokenStream, is_forbidden: bool) -> bool {
    if !find_suspensions(statements).is_empty() {
        return true;
    }
    if is_forbidden {
        return false;
    }
    let mut unknown = UnknownMacros(false);
    !walk(statements, &mut unknown) || unknown.0
}

struct UnknownMacros(bool);

impl Visit for UnknownMacros {
    fn mac(&mut self, mac: &Macro) -> bool {
        self.0 |= !is_known_macro(mac);
        is_known_macro(mac)
    }

    fn unknown(&mut self) {
        self.0 = true;
    }
}

struct SuspensionFinder(Vec<Suspension>);

impl Visit for SuspensionFinder {
    fn leave(&mut self, expr: &Expr) {
        if let Expr::Await(expr) = expr {
            self.0.push(Suspension::Await(expr.await_token));
        }
    }

    fn mac(&mut self, mac: &Macro) -> bool {
        match mac.path.segments.last() {
            Some(last) if last.ident == "with_lock" => {
                if !parks(&mac.tokens) {
                    self.0.push(Suspension::Section(last.ident.clone()));
                }
                false
            }
            _ => true,
        }
    }
}

/// A statement that leaves the block of a section.
pub(super) enum Exit {
    Return(Token![return]),
    Break(Token![break]),
    Continue(Token![continue]),
}

/// The places at which the statements leave the block they stand in, other than
/// by `?`.
pub(super) fn find_exits(statements: &TokenStream) -> Vec<Exit> {
    let mut exits = ExitFinder::default();
    walk(statements, &mut exits);
    exits.found
}

/// As [`find_exits`], with each `?`, as spans: nothing if the statements are not Rust.
pub(super) fn find_all_exits(statements: &TokenStream) -> Vec<Span> {
    let mut exits = ExitFinder::default();
    walk(statements, &mut exits);
    let exits_by_keyword = exits.found.iter().map(|exit| match exit {
        Exit::Return(keyword) => keyword.span,
        Exit::Break(keyword) => keyword.span,
        Exit::Continue(keyword) => keyword.span,
    });
    exits_by_keyword.chain(exits.questions).gather()
}

#[derive(Default)]
struct ExitFinder {
    found: Vec<Exit>,
    /// Each `?`.
    questions: Vec<Span>,
    /// The number of loops to which a `break` without a label could apply.
    loops: usize,
    /// The labels of the enclosing blocks and loops.
    labels: Vec<Ident>,
}

impl ExitFinder {
    fn targets_inner_loop(&self, label: Option<&Lifetime>) -> bool {
        match label {
            Some(label) => self.labels.contains(&label.ident),
            None => self.loops > 0,
        }
    }
}

/// Whether the expression is a loop, and the label of a loop or block.
fn scope(expr: &Expr) -> (bool, Option<&Label>) {
    match expr {
        Expr::Loop(expr) => (true, expr.label.as_ref()),
        Expr::While(expr) => (true, expr.label.as_ref()),
        Expr::ForLoop(expr) => (true, expr.label.as_ref()),
        Expr::Block(expr) => (false, expr.label.as_ref()),
        _ => (false, None),
    }
}

impl Visit for ExitFinder {
    fn enter(&mut self, expr: &Expr) {
        let (is_loop, label) = scope(expr);
        self.loops += usize::from(is_loop);
        if let Some(label) = label {
            self.labels.push(label.name.ident.clone());
        }
    }

    fn leave(&mut self, expr: &Expr) {
        let (is_loop, label) = scope(expr);
        self.loops -= usize::from(is_loop);
        if label.is_some() {
            self.labels.pop();
        }
        match expr {
            Expr::Try(expr) => self.questions.push(expr.question_token.span),
            Expr::Return(expr) => self.found.push(Exit::Return(expr.return_token)),
            Expr::Break(expr) if !self.targets_inner_loop(expr.label.as_ref()) => {
                self.found.push(Exit::Break(expr.break_token));
            }
            Expr::Continue(expr) if !self.targets_inner_loop(expr.label.as_ref()) => {
                self.found.push(Exit::Continue(expr.continue_token));
            }
            _ => {}
        }
    }

    fn mac(&mut self, _: &Macro) -> bool {
        true
    }
}

/// How a block ends, as far as the syntax shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It may produce a value, or `return` one.
    Value,
    /// It always panics, or loops for ever.
    Never,
    /// One or the other.
    Unknown,
}

impl Outcome {
    /// The outcome of several branches.
    fn of_branches(mut branches: impl Iterator<Item = Outcome>) -> Outcome {
        let Some(first) = branches.next() else {
            return Outcome::Unknown;
        };
        branches.fold(first, |one, other| match (one, other) {
            (Outcome::Value, _) | (_, Outcome::Value) => Outcome::Value,
            (Outcome::Never, Outcome::Never) => Outcome::Never,
            _ => Outcome::Unknown,
        })
    }
}

/// Whether the last statement is a `return`, `break` or `continue`.
pub(super) fn ends_by_leaving(statements: &TokenStream) -> bool {
    let statements = parse_statements(statements);
    let last = statements.last();
    last.is_some_and(|last| {
        matches!(
            last,
            Stmt::Expr(Expr::Return(_) | Expr::Break(_) | Expr::Continue(_), _)
        )
    })
}

/// How the statements end.
pub(super) fn outcome(statements: &TokenStream) -> Outcome {
    outcome_of_statements(&parse_statements(statements))
}

fn outcome_of_statements(statements: &[Stmt]) -> Outcome {
    match statements.last() {
        Some(Stmt::Expr(expr, _)) => outcome_of(expr),
        Some(Stmt::Macro(statement)) => outcome_of_macro(&statement.mac),
        _ => Outcome::Value,
    }
}

fn outcome_of(expr: &Expr) -> Outcome {
    match expr {
        Expr::Block(expr) if expr.label.is_none() => outcome_of_statements(&expr.block.stmts),
        Expr::Block(_) => Outcome::Unknown,
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => {
                let last = path.path.segments.last();
                match last.is_some_and(|last| last.ident == "exit" || last.ident == "abort") {
                    true => Outcome::Unknown,
                    false => Outcome::Value,
                }
            }
            _ => Outcome::Value,
        },
        Expr::If(expr) => match &expr.else_branch {
            Some((_, other)) => {
                let branches = [
                    outcome_of_statements(&expr.then_branch.stmts),
                    outcome_of(other),
                ];
                Outcome::of_branches(branches.into_iter())
            }
            None => Outcome::Value,
        },
        Expr::Loop(expr) if has_ident(&expr.body.to_token_stream(), "break") => Outcome::Unknown,
        Expr::Loop(_) => Outcome::Never,
        Expr::Macro(expr) => outcome_of_macro(&expr.mac),
        Expr::Match(expr) => {
            Outcome::of_branches(expr.arms.iter().map(|arm| outcome_of(&arm.body)))
        }
        Expr::Unsafe(expr) => outcome_of_statements(&expr.block.stmts),
        _ => Outcome::Value,
    }
}

/// A macro that is not known may hide a `return`.
fn outcome_of_macro(mac: &Macro) -> Outcome {
    let is_panic = mac.path.segments.last().is_some_and(|last| {
        ["panic", "todo", "unimplemented", "unreachable"]
            .iter()
            .any(|name| last.ident == name)
    });
    match (is_panic, is_known_macro(mac)) {
        (true, _) => Outcome::Never,
        (false, true) => Outcome::Value,
        (false, false) => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn count(statements: TokenStream) -> usize {
        find_suspensions(&statements).len()
    }

    #[test]
    fn every_visible_await_is_found() {
        assert_eq!(count(quote!(a.await; if b.await { c().await?; })), 3);
        assert_eq!(count(quote!(a.await.b().await)), 2);
        assert_eq!(count(quote!(assert_eq!(a.await, 1); m! { a.await; 2 })), 2);
        assert_eq!(
            count(quote!(with_lock!(a.b, {}); monitor::with_lock! { a, {} })),
            2
        );
        assert_eq!(count(quote!(with_lock!(a.b, blocking, {}))), 0);
    }

    #[test]
    fn macros_may_hide_an_await() {
        let may = |statements, is_forbidden| may_suspend(&statements, is_forbidden);
        assert!(!may(quote!(assert_eq!(a, vec![format!("{b}")]); c), false));
        assert!(!may(quote!(async { m!() }; || m!();), false));
        assert!(may(quote!(m!(a)), false));
        assert!(!may(quote!(m!(a)), true));
        assert!(may(quote!(dbg!(m!(a))), false));
        assert!(may(quote!(dbg!(a.await)), true));
        assert!(may(quote!(let = 3;), false));
        assert!(may(quote!(matches!(a.await, Some(b) if b > 3)), false));
        assert!(!may(quote!(matches!(a, Some(b) if b > 3)), false));
        assert!(may(quote!(matches!(a => b)), false));
    }

    #[test]
    fn awaits_in_the_arguments_of_any_macro_are_visible() {
        let visible = |statements: TokenStream| {
            let found = find_all_awaits(&statements).into_iter();
            found.map(|(_, awaited_in)| awaited_in).collect::<Vec<_>>()
        };
        let count = |statements| visible(statements).len();
        assert_eq!(count(quote!(a.await?; f(b.await); return c().await)), 3);
        assert_eq!(count(quote!(m!(x => y.await); m! { a.await; 2 })), 2);
        assert_eq!(count(quote!(tokio::select! { x = y => 3 } join!(a, b))), 2);
        assert_eq!(
            count(quote!(try_join!(a.await, b.await)?; select_biased! {})),
            2
        );
        assert_eq!(
            count(quote!(m!(x => async { y.await }, async move { z.await });)),
            0
        );
        assert_eq!(count(quote!(m!(x => async y { z.await });)), 1);
        assert_eq!(count(quote!(async { y.await }; || m!(x => y.await);)), 0);
        assert_eq!(
            visible(quote!(with_lock!(a.b, { c.await }); d.await)),
            [AwaitedIn::NestedSection, AwaitedIn::Body]
        );
        assert_eq!(
            count(quote!(with_lock!(a.b, blocking, {}); with_lock!(blocking, {});)),
            0
        );
        assert_eq!(
            count(quote!(with_lock!(a.blocking, {}); with_lock!(b = blocking, {});)),
            2
        );
    }

    #[test]
    fn awaits_in_nested_closures_and_blocks_are_not_counted() {
        assert_eq!(
            count(quote!(spawn(async move { a.await }); async || b.await;)),
            0
        );
        assert_eq!(
            count(quote!(spawn!(async { a.await }); async fn f() { b.await })),
            0
        );
        assert_eq!(count(quote!(let x = 3; m!(a => b.await);)), 0);
    }

    #[test]
    fn return_break_and_continue_out_of_the_block_are_found() {
        let count = |statements: TokenStream| find_exits(&statements).len();
        assert_eq!(count(quote!(if a { return; } b?; return c)), 2);
        assert_eq!(count(quote!(if a { break } if b { continue 'x })), 2);
        assert_eq!(
            count(quote!(loop { if a { break 'x } }; assert!(return))),
            2
        );
        assert_eq!(
            count(quote!(for x in { break } { continue } while y { break; })),
            1
        );
        assert_eq!(count(quote!('x: { break 'x 3 }; 'y: loop { break 'y })), 0);
        assert_eq!(count(quote!('x: { break }; 'y: loop { break 'x })), 2);
        assert_eq!(
            count(quote!(|| return 3; async { return 3 }; fn f() { return })),
            0
        );
    }

    #[test]
    fn statements_that_do_not_parse_are_left_to_the_compiler() {
        assert_eq!(count(quote!(let = a.await;)), 0);
    }
}
