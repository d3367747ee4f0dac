//! What can be seen in the statements of a section, without knowing what they
//! mean.
//!
//! Statements inside of closures, `async` blocks and items belong to those.
//! Arguments of other macros are looked at where they are expressions or
//! statements. What is no Rust is left to the compiler.

use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprAsync, ExprAwait, ExprClosure, Ident, Item, Macro, Token};

/// A place where a section may suspend.
pub(super) enum Suspension {
    Await(Token![await]),
    /// A `with_lock!`.
    Section(Ident),
}

/// The places at which the statements may suspend.
pub(super) fn suspensions(statements: &TokenStream) -> Vec<Suspension> {
    let mut found = Suspensions(Vec::new());
    if let Ok(statements) = Block::parse_within.parse2(statements.clone()) {
        for statement in &statements {
            found.visit_stmt(statement);
        }
    }
    found.0
}

/// Macros of the standard library that suspend only where an argument does.
const KNOWN_MACROS: [&str; 26] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "concat",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "env",
    "eprint",
    "eprintln",
    "format",
    "format_args",
    "include_str",
    "line",
    "matches",
    "panic",
    "print",
    "println",
    "stringify",
    "todo",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
];

/// Whether the macro is one of the standard library, by its name.
pub(crate) fn is_known(mac: &Macro) -> bool {
    let last = mac.path.segments.last();
    last.is_some_and(|last| KNOWN_MACROS.iter().any(|name| last.ident == name))
}

/// Whether the statements may suspend. `is_forbidden` says that the compiler
/// will refuse what a macro hides.
pub(super) fn may_suspend(statements: &TokenStream, is_forbidden: bool) -> bool {
    if !suspensions(statements).is_empty() {
        return true;
    }
    if is_forbidden {
        return false;
    }
    let Ok(parsed) = Block::parse_within.parse2(statements.clone()) else {
        return true;
    };
    let mut unknown = UnknownMacros(false);
    for statement in &parsed {
        unknown.visit_stmt(statement);
    }
    unknown.0
}

struct UnknownMacros(bool);

impl<'ast> Visit<'ast> for UnknownMacros {
    fn visit_macro(&mut self, mac: &'ast Macro) {
        if is_known(mac) {
            visit_arguments(mac, self);
        } else {
            self.0 = true;
        }
    }

    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
    fn visit_item(&mut self, _: &'ast Item) {}
}

struct Suspensions(Vec<Suspension>);

impl<'ast> Visit<'ast> for Suspensions {
    fn visit_expr_await(&mut self, expr: &'ast ExprAwait) {
        visit::visit_expr_await(self, expr);
        self.0.push(Suspension::Await(expr.await_token));
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        match mac.path.segments.last() {
            Some(last) if last.ident == "with_lock" => {
                self.0.push(Suspension::Section(last.ident.clone()));
            }
            _ => visit_arguments(mac, self),
        }
    }

    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
    fn visit_item(&mut self, _: &'ast Item) {}
}

/// Visits what is between the braces of a macro, if that is Rust.
pub(crate) fn visit_arguments(mac: &Macro, visitor: &mut impl for<'a> Visit<'a>) {
    let tokens = || mac.tokens.clone();
    if let Ok(arguments) = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(tokens()) {
        for argument in &arguments {
            visitor.visit_expr(argument);
        }
    } else if let Ok(statements) = Block::parse_within.parse2(tokens()) {
        for statement in &statements {
            visitor.visit_stmt(statement);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn count(statements: TokenStream) -> usize {
        suspensions(&statements).len()
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
    }

    #[test]
    fn what_is_inside_belongs_there() {
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
    fn what_is_no_rust_is_left_to_the_compiler() {
        assert_eq!(count(quote!(let = a.await;)), 0);
    }
}
