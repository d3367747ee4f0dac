//! `#[synchronized]`, expanded.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::site::{Site, Wait};
use super::unresolved;
use crate::gather::Gather;
use crate::names::{self, hygienic, plain};
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
/// The signature is unchanged, and the braces are the user's. The span of a fn reaches to
/// the last brace; by it, the compiler and other tools decide whether the fn is generated, and
/// they neither lint nor cover generated code. The
/// blocks inside are those of `in_scope`. In a fn or an `async` block of their own,
/// `return` and the size of the future would be different.
pub(in crate::section) fn expand(mut function: Function, section: &Section) -> TokenStream {
    if section.locks.is_empty() {
        return function.into_tokens();
    }
    let wait = match function.kind {
        Kind::Plain => Wait::Park,
        Kind::Async | Kind::Boxed { .. } => Wait::Await,
    };
    let output = function.output();
    let receiver_check = receiver_check(&function, section);
    let name = function.sig.ident.clone();
    function.body = function.body_with(&|statements, braces| {
        let site = Site::Fn {
            wait,
            name: &name,
            output: output.as_ref(),
            braces,
        };
        let section = super::section(section, site, statements);
        quote!(#receiver_check #section)
    });
    function.into_tokens()
}

/// The fn as it is, with the statements of [`unresolved::bind`] in front of its own.
pub(in crate::section) fn expand_unresolved(
    mut function: Function,
    arguments: &TokenStream,
    error: &TokenStream,
) -> TokenStream {
    function.body = function.body_with(&|statements, _| {
        let bound = unresolved::bind(arguments.clone(), &statements, error);
        quote!(#bound #statements)
    });
    function.into_tokens()
}

/// Expands to, in a method with `&mut self`, for each lock that is a field of it:
///
/// ```text
/// mutable_receiver::<_, 0x1234>(&*self).__check_lock(&self.ledger);
/// ```
fn receiver_check(function: &Function, section: &Section) -> TokenStream {
    let (Some(receiver), Some(base)) = (function.mutable_receiver(), function.base()) else {
        return TokenStream::new();
    };
    let span = hygienic(receiver.self_token.span);
    let this = base.at(receiver.self_token.span);
    let private = section.options.krate.private_at(span);
    let own_locks = section.own_locks();
    let checks = own_locks.iter().map(|lock| {
        let field = &lock.field;
        let key = names::key_literal(names::key(&plain(field)));
        quote_spanned! {span=>
            #private::mutable_receiver::<_, #key>(&*#this).__check_lock(&#this.#field);
        }
    });
    checks.gather()
}
