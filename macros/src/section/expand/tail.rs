//! The last expression of a body, and what is dropped behind it.

use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::{Block, Expr, Stmt};

/// Whether the value of the statements may leave temporaries behind: in edition 2021, they
/// are dropped after the locals of the block, and so after the guards, which they may
/// refer to.
pub(super) fn may_leave_temporaries(statements: &TokenStream) -> bool {
    match Block::parse_within.parse2(statements.clone()) {
        Ok(statements) => of_statements(&statements),
        // Something for the compiler to report.
        Err(_) => false,
    }
}

fn of_statements(statements: &[Stmt]) -> bool {
    match statements.last() {
        Some(Stmt::Expr(expr, None)) => of_expr(expr),
        Some(Stmt::Macro(statement)) => statement.semi_token.is_none(),
        _ => false,
    }
}

/// Calls leave temporaries. What is left out of the match is taken to.
fn of_expr(expr: &Expr) -> bool {
    match expr {
        Expr::Assign(_)
        | Expr::Break(_)
        | Expr::Closure(_)
        | Expr::Continue(_)
        | Expr::ForLoop(_)
        | Expr::Lit(_)
        | Expr::Path(_)
        | Expr::Return(_)
        | Expr::While(_) => false,
        Expr::Array(expr) => expr.elems.iter().any(of_expr),
        Expr::Binary(expr) => of_expr(&expr.left) || of_expr(&expr.right),
        Expr::Block(expr) => of_statements(&expr.block.stmts),
        Expr::Call(expr) => !is_constructor(&expr.func) || expr.args.iter().any(of_expr),
        Expr::Cast(expr) => of_expr(&expr.expr),
        Expr::Field(expr) => of_expr(&expr.base),
        Expr::Group(expr) => of_expr(&expr.expr),
        Expr::If(expr) => {
            let is_let = matches!(*expr.cond, Expr::Let(_));
            let otherwise = expr.else_branch.as_ref();
            is_let
                || of_statements(&expr.then_branch.stmts)
                || otherwise.is_some_and(|(_, expr)| of_expr(expr))
        }
        Expr::Paren(expr) => of_expr(&expr.expr),
        Expr::Reference(expr) => of_expr(&expr.expr),
        Expr::Struct(expr) => expr.fields.iter().any(|field| of_expr(&field.expr)),
        Expr::Tuple(expr) => expr.elems.iter().any(of_expr),
        Expr::Unary(expr) => of_expr(&expr.expr),
        _ => true,
    }
}

/// Whether it is the name of a variant or of a tuple struct, such as `Ok`.
fn is_constructor(func: &Expr) -> bool {
    let Expr::Path(path) = func else { return false };
    let last = path.path.segments.last();
    last.is_some_and(|last| last.ident.to_string().starts_with(char::is_uppercase))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn calls_leave_temporaries_behind() {
        for statements in [
            quote!(a.b()),
            quote!(b(a)),
            quote!(a; Ok(b(c))),
            quote!(if a { b } else { c.d() }),
            quote!(match a {
                b => c,
            }),
            quote!(a.b().await),
            quote!(a[b()]),
            quote!(format!("{a}")),
        ] {
            assert!(may_leave_temporaries(&statements), "{statements}");
        }
        for statements in [
            quote!(),
            quote!(a.b();),
            quote!(*a.b),
            quote!(a.b(); Ok(())),
            quote!(Some((a, *b + 1))),
            quote!(return a.b()),
            quote!(if a.b() { 1 } else { 2 }),
            quote!(for a in b() {}),
            quote!(A { b, c: 1 }),
        ] {
            assert!(!may_leave_temporaries(&statements), "{statements}");
        }
    }
}
