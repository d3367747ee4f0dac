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
use syn::{
    Block, Expr, ExprAsync, ExprAwait, ExprBlock, ExprBreak, ExprClosure, ExprContinue,
    ExprForLoop, ExprLoop, ExprReturn, ExprWhile, Ident, Item, Label, Lifetime, Macro, Token,
};

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

/// A statement that leaves the block of a section.
pub(super) enum Exit {
    Return(Token![return]),
    Break(Token![break]),
    Continue(Token![continue]),
}

/// The places at which the statements leave the block they stand in, other than
/// by `?`.
pub(super) fn exits(statements: &TokenStream) -> Vec<Exit> {
    let mut exits = Exits::default();
    if let Ok(statements) = Block::parse_within.parse2(statements.clone()) {
        for statement in &statements {
            exits.visit_stmt(statement);
        }
    }
    exits.found
}

#[derive(Default)]
struct Exits {
    found: Vec<Exit>,
    /// How many loops a `break` without a label could be about.
    loops: usize,
    /// The labels of the blocks and loops around.
    labels: Vec<Ident>,
}

impl Exits {
    fn stays(&self, label: Option<&Lifetime>) -> bool {
        match label {
            Some(label) => self.labels.contains(&label.ident),
            None => self.loops > 0,
        }
    }

    /// Visits what is inside of a loop or of a block with a label.
    fn inside(&mut self, label: Option<&Label>, is_loop: bool, visit: impl FnOnce(&mut Self)) {
        self.loops += usize::from(is_loop);
        self.labels
            .extend(label.map(|label| label.name.ident.clone()));
        visit(self);
        if label.is_some() {
            self.labels.pop();
        }
        self.loops -= usize::from(is_loop);
    }
}

impl<'ast> Visit<'ast> for Exits {
    fn visit_expr_return(&mut self, expr: &'ast ExprReturn) {
        visit::visit_expr_return(self, expr);
        self.found.push(Exit::Return(expr.return_token));
    }

    fn visit_expr_break(&mut self, expr: &'ast ExprBreak) {
        visit::visit_expr_break(self, expr);
        if !self.stays(expr.label.as_ref()) {
            self.found.push(Exit::Break(expr.break_token));
        }
    }

    fn visit_expr_continue(&mut self, expr: &'ast ExprContinue) {
        if !self.stays(expr.label.as_ref()) {
            self.found.push(Exit::Continue(expr.continue_token));
        }
    }

    fn visit_expr_loop(&mut self, expr: &'ast ExprLoop) {
        self.inside(expr.label.as_ref(), true, |this| {
            visit::visit_expr_loop(this, expr);
        });
    }

    fn visit_expr_while(&mut self, expr: &'ast ExprWhile) {
        self.inside(expr.label.as_ref(), true, |this| {
            visit::visit_expr_while(this, expr);
        });
    }

    fn visit_expr_for_loop(&mut self, expr: &'ast ExprForLoop) {
        // What is looped over is evaluated outside.
        self.visit_expr(&expr.expr);
        self.inside(expr.label.as_ref(), true, |this| {
            this.visit_block(&expr.body);
        });
    }

    fn visit_expr_block(&mut self, expr: &'ast ExprBlock) {
        self.inside(expr.label.as_ref(), false, |this| {
            visit::visit_expr_block(this, expr);
        });
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        visit_arguments(mac, self);
    }

    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}

    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}

    fn visit_item(&mut self, _: &'ast Item) {}
}

/// Visits what is between the braces of a macro, if that is Rust.
fn visit_arguments(mac: &Macro, visitor: &mut impl for<'a> Visit<'a>) {
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
    fn what_leaves_the_block_is_found() {
        let count = |statements: TokenStream| exits(&statements).len();
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
    fn what_is_no_rust_is_left_to_the_compiler() {
        assert_eq!(count(quote!(let = a.await;)), 0);
    }
}
