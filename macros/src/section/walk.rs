//! The statements of a section, walked over.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Block, Expr, Local, Macro, Pat, Stmt, Token};

/// What looks at statements, in the order in which they are evaluated, as far as
/// that can be seen.
///
/// Statements inside of closures, `async` blocks and items belong to those and are
/// not shown.
pub(crate) trait Look {
    /// Whether what is inside is looked at.
    fn statement(&mut self, _: &Stmt) -> bool {
        true
    }

    /// Comes behind the value of a `let`.
    fn bound(&mut self, _: &Local) {}

    /// Comes before what is inside: of a `for`, behind what is looped over, which
    /// is evaluated outside.
    fn enter(&mut self, _: &Expr) {}

    /// Comes behind what is inside.
    fn leave(&mut self, _: &Expr) {}

    /// Whether the arguments are looked at: where they are expressions or
    /// statements, or what `matches!` takes.
    fn mac(&mut self, mac: &Macro) -> bool;

    /// Arguments of a macro that were to be looked at are something else.
    fn unknown(&mut self) {}
}

/// Looks at statements, and says whether they are Rust. What is not is left to
/// the compiler.
pub(crate) fn walk(statements: &TokenStream, look: &mut dyn Look) -> bool {
    let parsed = Block::parse_within.parse2(statements.clone());
    let is_rust = parsed.is_ok();
    walk_statements(&parsed.unwrap_or_default(), look);
    is_rust
}

fn walk_statements(statements: &[Stmt], look: &mut dyn Look) {
    for statement in statements {
        if !look.statement(statement) {
            continue;
        }
        match statement {
            Stmt::Local(local) => {
                if let Some(init) = &local.init {
                    walk_expr(&init.expr, look);
                    if let Some((_, diverge)) = &init.diverge {
                        walk_expr(diverge, look);
                    }
                }
                look.bound(local);
            }
            Stmt::Expr(expr, _) => walk_expr(expr, look),
            Stmt::Macro(statement) => walk_macro(&statement.mac, look),
            Stmt::Item(_) => {}
        }
    }
}

fn walk_expr(expr: &Expr, look: &mut dyn Look) {
    if let Expr::ForLoop(expr) = expr {
        walk_expr(&expr.expr, look);
    }
    look.enter(expr);
    walk_inside(expr, look);
    look.leave(expr);
}

/// Not by a visitor of `syn`, which would also visit what is not evaluated, and
/// would be some hundred functions to compile.
fn walk_inside(expr: &Expr, look: &mut dyn Look) {
    match expr {
        Expr::Array(expr) => walk_exprs(&expr.elems, look),
        Expr::Assign(expr) => {
            walk_expr(&expr.left, look);
            walk_expr(&expr.right, look);
        }
        Expr::Await(expr) => walk_expr(&expr.base, look),
        Expr::Binary(expr) => {
            walk_expr(&expr.left, look);
            walk_expr(&expr.right, look);
        }
        Expr::Block(expr) => walk_statements(&expr.block.stmts, look),
        Expr::Break(expr) => walk_option(expr.expr.as_deref(), look),
        Expr::Call(expr) => {
            walk_expr(&expr.func, look);
            walk_exprs(&expr.args, look);
        }
        Expr::Cast(expr) => walk_expr(&expr.expr, look),
        Expr::Field(expr) => walk_expr(&expr.base, look),
        Expr::ForLoop(expr) => walk_statements(&expr.body.stmts, look),
        Expr::Group(expr) => walk_expr(&expr.expr, look),
        Expr::If(expr) => {
            walk_expr(&expr.cond, look);
            walk_statements(&expr.then_branch.stmts, look);
            walk_option(expr.else_branch.as_ref().map(|(_, expr)| &**expr), look);
        }
        Expr::Index(expr) => {
            walk_expr(&expr.expr, look);
            walk_expr(&expr.index, look);
        }
        Expr::Let(expr) => walk_expr(&expr.expr, look),
        Expr::Loop(expr) => walk_statements(&expr.body.stmts, look),
        Expr::Macro(expr) => walk_macro(&expr.mac, look),
        Expr::Match(expr) => {
            walk_expr(&expr.expr, look);
            for arm in &expr.arms {
                if let Pat::Guard(pat) = &arm.pat {
                    walk_expr(&pat.guard, look);
                }
                walk_expr(&arm.body, look);
            }
        }
        Expr::MethodCall(expr) => {
            walk_expr(&expr.receiver, look);
            walk_exprs(&expr.args, look);
        }
        Expr::Paren(expr) => walk_expr(&expr.expr, look),
        Expr::Range(expr) => {
            walk_option(expr.start.as_deref(), look);
            walk_option(expr.end.as_deref(), look);
        }
        Expr::RawAddr(expr) => walk_expr(&expr.expr, look),
        Expr::Reference(expr) => walk_expr(&expr.expr, look),
        Expr::Repeat(expr) => walk_expr(&expr.expr, look),
        Expr::Return(expr) => walk_option(expr.expr.as_deref(), look),
        Expr::Struct(expr) => {
            for field in &expr.fields {
                walk_expr(&field.expr, look);
            }
            walk_option(expr.rest.as_deref(), look);
        }
        Expr::Try(expr) => walk_expr(&expr.expr, look),
        Expr::TryBlock(expr) => walk_statements(&expr.block.stmts, look),
        Expr::Tuple(expr) => walk_exprs(&expr.elems, look),
        Expr::Unary(expr) => walk_expr(&expr.expr, look),
        Expr::Unsafe(expr) => walk_statements(&expr.block.stmts, look),
        Expr::While(expr) => {
            walk_expr(&expr.cond, look);
            walk_statements(&expr.body.stmts, look);
        }
        // What is run elsewhere, or at another time: closures, `async` and `const`
        // blocks. What has nothing inside, and what `syn` does not know.
        _ => {}
    }
}

fn walk_exprs(exprs: &Punctuated<Expr, Token![,]>, look: &mut dyn Look) {
    for expr in exprs {
        walk_expr(expr, look);
    }
}

fn walk_option(expr: Option<&Expr>, look: &mut dyn Look) {
    if let Some(expr) = expr {
        walk_expr(expr, look);
    }
}

fn walk_macro(mac: &Macro, look: &mut dyn Look) {
    if !look.mac(mac) {
        return;
    }
    let tokens = || mac.tokens.clone();
    if let Ok(arguments) = Punctuated::parse_terminated.parse2(tokens()) {
        walk_exprs(&arguments, look);
    } else if let Ok(arguments) = matched.parse2(tokens()) {
        walk_exprs(&arguments, look);
    } else if !walk(&mac.tokens, look) {
        look.unknown();
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

    impl Look for Awaits {
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
    fn every_part_of_an_expression_is_walked_over() {
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
        // As an expression looks that was given to a macro of the user's.
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
    fn what_is_no_rust_is_said() {
        struct Unknown(bool);

        impl Look for Unknown {
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
    fn what_is_not_run_is_not_walked_over() {
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
