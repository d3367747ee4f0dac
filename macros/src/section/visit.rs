//! A visitor of the statements of a section.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Block, Expr, Local, Macro, Pat, Stmt, Token};

/// Visits statements in the order of evaluation, as far as the syntax shows it.
///
/// Statements inside of closures, `async` blocks and items are not visited.
pub(crate) trait Visit {
    /// Whether the inside is visited.
    fn statement(&mut self, _: &Stmt) -> bool {
        true
    }

    /// Called after the value of a `let`.
    fn bound(&mut self, _: &Local) {}

    /// Called before the inside of an expression; for a `for` loop, after its iterator, which
    /// is evaluated outside.
    fn enter(&mut self, _: &Expr) {}

    /// Called after the inside.
    fn leave(&mut self, _: &Expr) {}

    /// Whether the arguments are visited: if they are expressions or
    /// statements, or the arguments of `matches!`.
    fn mac(&mut self, mac: &Macro) -> bool;

    /// Called if the arguments of a macro cannot be visited.
    fn unknown(&mut self) {}
}

/// Visits statements, and returns whether they parse. The compiler reports those that do
/// not.
pub(crate) fn walk(statements: &TokenStream, visit: &mut dyn Visit) -> bool {
    let parsed = Block::parse_within.parse2(statements.clone());
    let is_rust = parsed.is_ok();
    walk_statements(&parsed.unwrap_or_default(), visit);
    is_rust
}

fn walk_statements(statements: &[Stmt], visit: &mut dyn Visit) {
    for statement in statements {
        if !visit.statement(statement) {
            continue;
        }
        match statement {
            Stmt::Local(local) => {
                if let Some(init) = &local.init {
                    walk_expr(&init.expr, visit);
                    if let Some((_, diverge)) = &init.diverge {
                        walk_expr(diverge, visit);
                    }
                }
                visit.bound(local);
            }
            Stmt::Expr(expr, _) => walk_expr(expr, visit),
            Stmt::Macro(statement) => walk_macro(&statement.mac, visit),
            Stmt::Item(_) => {}
        }
    }
}

fn walk_expr(expr: &Expr, visit: &mut dyn Visit) {
    if let Expr::ForLoop(expr) = expr {
        walk_expr(&expr.expr, visit);
    }
    visit.enter(expr);
    walk_inside(expr, visit);
    visit.leave(expr);
}

/// Not by a visitor of `syn`, which would also visit code that is not evaluated, and
/// would be some hundred functions to compile.
fn walk_inside(expr: &Expr, visit: &mut dyn Visit) {
    match expr {
        Expr::Array(expr) => walk_exprs(&expr.elems, visit),
        Expr::Assign(expr) => {
            walk_expr(&expr.left, visit);
            walk_expr(&expr.right, visit);
        }
        Expr::Await(expr) => walk_expr(&expr.base, visit),
        Expr::Binary(expr) => {
            walk_expr(&expr.left, visit);
            walk_expr(&expr.right, visit);
        }
        Expr::Block(expr) => walk_statements(&expr.block.stmts, visit),
        Expr::Break(expr) => walk_option(expr.expr.as_deref(), visit),
        Expr::Call(expr) => {
            walk_expr(&expr.func, visit);
            walk_exprs(&expr.args, visit);
        }
        Expr::Cast(expr) => walk_expr(&expr.expr, visit),
        Expr::Field(expr) => walk_expr(&expr.base, visit),
        Expr::ForLoop(expr) => walk_statements(&expr.body.stmts, visit),
        Expr::Group(expr) => walk_expr(&expr.expr, visit),
        Expr::If(expr) => {
            walk_expr(&expr.cond, visit);
            walk_statements(&expr.then_branch.stmts, visit);
            walk_option(expr.else_branch.as_ref().map(|(_, expr)| &**expr), visit);
        }
        Expr::Index(expr) => {
            walk_expr(&expr.expr, visit);
            walk_expr(&expr.index, visit);
        }
        Expr::Let(expr) => walk_expr(&expr.expr, visit),
        Expr::Loop(expr) => walk_statements(&expr.body.stmts, visit),
        Expr::Macro(expr) => walk_macro(&expr.mac, visit),
        Expr::Match(expr) => {
            walk_expr(&expr.expr, visit);
            for arm in &expr.arms {
                if let Pat::Guard(pat) = &arm.pat {
                    walk_expr(&pat.guard, visit);
                }
                walk_expr(&arm.body, visit);
            }
        }
        Expr::MethodCall(expr) => {
            walk_expr(&expr.receiver, visit);
            walk_exprs(&expr.args, visit);
        }
        Expr::Paren(expr) => walk_expr(&expr.expr, visit),
        Expr::Range(expr) => {
            walk_option(expr.start.as_deref(), visit);
            walk_option(expr.end.as_deref(), visit);
        }
        Expr::RawAddr(expr) => walk_expr(&expr.expr, visit),
        Expr::Reference(expr) => walk_expr(&expr.expr, visit),
        Expr::Repeat(expr) => walk_expr(&expr.expr, visit),
        Expr::Return(expr) => walk_option(expr.expr.as_deref(), visit),
        Expr::Struct(expr) => {
            for field in &expr.fields {
                walk_expr(&field.expr, visit);
            }
            walk_option(expr.rest.as_deref(), visit);
        }
        Expr::Try(expr) => walk_expr(&expr.expr, visit),
        Expr::TryBlock(expr) => walk_statements(&expr.block.stmts, visit),
        Expr::Tuple(expr) => walk_exprs(&expr.elems, visit),
        Expr::Unary(expr) => walk_expr(&expr.expr, visit),
        Expr::Unsafe(expr) => walk_statements(&expr.block.stmts, visit),
        Expr::While(expr) => {
            walk_expr(&expr.cond, visit);
            walk_statements(&expr.body.stmts, visit);
        }
        // Code that runs elsewhere, or at another time: closures, `async` and `const`
        // blocks. Expressions with nothing inside, or unknown to `syn`.
        _ => {}
    }
}

fn walk_exprs(exprs: &Punctuated<Expr, Token![,]>, visit: &mut dyn Visit) {
    for expr in exprs {
        walk_expr(expr, visit);
    }
}

fn walk_option(expr: Option<&Expr>, visit: &mut dyn Visit) {
    if let Some(expr) = expr {
        walk_expr(expr, visit);
    }
}

fn walk_macro(mac: &Macro, visit: &mut dyn Visit) {
    if !visit.mac(mac) {
        return;
    }
    let tokens = || mac.tokens.clone();
    if let Ok(arguments) = Punctuated::parse_terminated.parse2(tokens()) {
        walk_exprs(&arguments, visit);
    } else if let Ok(arguments) = matched.parse2(tokens()) {
        walk_exprs(&arguments, visit);
    } else if !walk(&mac.tokens, visit) {
        visit.unknown();
    }
}

/// The expressions in `scrutinee, pattern if guard, others`, as `matches!` takes them.
fn matched(input: ParseStream<'_>) -> syn::Result<Punctuated<Expr, Token![,]>> {
    let mut exprs = Punctuated::new();
    exprs.push_value(input.parse()?);
    exprs.push_punct(input.parse()?);
    Pat::parse_multi_with_leading_vert(input)?;
    if input.parse::<Option<Token![if]>>()?.is_some() {
        exprs.push_value(input.parse()?);
    }
    if let Some(comma) = input.parse()? {
        if !exprs.empty_or_trailing() {
            exprs.push_punct(comma);
        }
        let others: Punctuated<Expr, Token![,]> = Punctuated::parse_terminated(input)?;
        exprs.extend(others);
    }
    Ok(exprs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proc_macro2::{Delimiter, Group};
    use quote::quote;

    /// How many awaits are found.
    struct Awaits(usize);

    impl Visit for Awaits {
        fn leave(&mut self, expr: &Expr) {
            self.0 += usize::from(matches!(expr, Expr::Await(_)));
        }

        fn mac(&mut self, _: &Macro) -> bool {
            true
        }
    }

    #[track_caller]
    fn finds(count: usize, statements: TokenStream) {
        let mut awaits = Awaits(0);
        assert!(walk(&statements, &mut awaits));
        assert_eq!(awaits.0, count, "{statements}");
    }

    #[test]
    fn every_part_of_an_expression_is_visited() {
        finds(2, quote!([a.await, b.await];));
        finds(1, quote!([a.await; 3]));
        finds(2, quote!(a.await.b = c.await;));
        finds(2, quote!(a.await.await));
        finds(2, quote!(a.await + b.await));
        finds(2, quote!(a[b.await] += c.await));
        finds(
            4,
            quote!(a.await; { b.await } 'x: { c.await; } unsafe { d.await }),
        );
        finds(
            1,
            quote!(loop {
                break a.await;
            }),
        );
        finds(2, quote!(a.await(b.await)));
        finds(2, quote!(a.await.b(c.await)));
        finds(1, quote!(a.await as u8));
        finds(1, quote!((a.await).b));
        finds(
            2,
            quote!(for a in b.await {
                c.await
            }),
        );
        finds(
            4,
            quote!(if a.await {
                b.await
            } else if c.await {
                d
            } else {
                e.await
            }),
        );
        finds(
            2,
            quote!(if let Some(a) = b.await
                && c.await
            {
                d
            }),
        );
        finds(3, quote!(while a.await { b.await; } loop { c.await; }));
        finds(
            4,
            quote!(match a.await {
                b if c.await => d.await,
                e => {
                    f.await
                }
            }),
        );
        finds(2, quote!(a.await..b.await));
        finds(3, quote!((&a.await, &raw const b.await, !c.await)));
        finds(1, quote!(return a.await));
        finds(
            2,
            quote!(A {
                b: c.await,
                ..d.await
            }),
        );
        finds(2, quote!(a.await?; (b.await,)));
        finds(1, quote!(try { a.await }));
        // The form of an expression that has passed through a macro of the user's.
        let group = Group::new(Delimiter::None, quote!(a.await));
        finds(1, quote!(#group + b));
        finds(2, quote!(let a = b.await else { c.await };));
        finds(3, quote!(vec![a.await; 3]; m!(b.await, c.await)));
        finds(2, quote!(matches!(a.await, Some(b) if b > c.await)));
        finds(1, quote!(matches!(a.await, [b, rest @ ..] | [b @ 1..=3],)));
        finds(
            2,
            quote!(assert_matches!(a.await, A { ref b, .. }, "{}", c.await)),
        );
        finds(
            3,
            quote!(assert_matches!(a.await, | A(_) if b.await, "{}", c.await)),
        );
    }

    #[test]
    fn unparsable_macro_arguments_are_reported_to_the_visitor() {
        struct Unknown(bool);

        impl Visit for Unknown {
            fn mac(&mut self, _: &Macro) -> bool {
                true
            }

            fn unknown(&mut self) {
                self.0 = true;
            }
        }

        let unknown = |statements: TokenStream| {
            let mut unknown = Unknown(false);
            walk(&statements, &mut unknown);
            unknown.0
        };
        assert!(unknown(quote!(m!(a => b.await))));
        assert!(!unknown(quote!(m!(a, Some(ref b)); m!(c, d); m! { e; })));
    }

    #[test]
    fn code_that_is_not_run_is_not_visited() {
        finds(0, quote!(async { a.await }; || b.await; const { c.await };));
        finds(
            0,
            quote!(
                fn f() {
                    a.await
                }
                const C: () = b.await;
            ),
        );
        finds(
            0,
            quote!(let a: [u8; { b.await }] = c::<{ d.await }>; [a; { b.await }]),
        );
    }
}
