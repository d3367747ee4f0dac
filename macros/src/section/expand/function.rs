//! `#[synchronized]`, expanded.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{FnArg, Pat, PatWild, Token};

use super::site::{Site, Wait};
use crate::section::function::{Function, Kind};
use crate::section::model::Section;

/// Expands to:
///
/// ```text
/// pub async fn deposit(&self, amount: i64) -> i64 {
///     // what acquires the lock
///     {
///         {
///             *ledger.balance += amount;
///             *ledger.balance
///         }
///     }
/// }
/// ```
///
/// in which nothing of the signature is changed, and the braces are the user's: by
/// the span of a fn, which reaches to the last one, the compiler and other tools
/// decide whether it is generated code, which they would neither lint nor cover. The
/// blocks inside are those of `in_scope`. In a fn or an `async` block of their own,
/// `return` and the size of the future would be different.
///
/// Where the arguments are wrong, the body would be reported for not finding what
/// they should have bound, and the parameters for not being used: both are left
/// out.
pub(in crate::section) fn expand(mut function: Function, section: &Section) -> TokenStream {
    if !section.is_complete {
        function.body = quote!(::core::unreachable!());
        for param in &mut function.sig.inputs {
            if let FnArg::Typed(param) = param {
                *param.pat = wildcard();
            }
        }
        return function.into_tokens();
    }
    if section.locks.is_empty() {
        return function.into_tokens();
    }
    let wait = match function.kind {
        Kind::Blocking => Wait::Block,
        Kind::Async | Kind::Boxed { .. } => Wait::Await,
    };
    let output = function.output();
    function.body = function.body_with(&|statements, braces| {
        let site = Site::Fn {
            wait,
            output: output.as_ref(),
            braces,
        };
        super::section(section, site, statements)
    });
    function.into_tokens()
}

fn wildcard() -> Pat {
    Pat::Wild(PatWild {
        attrs: Vec::new(),
        underscore_token: Token![_](Span::call_site()),
    })
}
