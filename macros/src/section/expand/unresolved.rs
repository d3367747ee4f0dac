//! The body of a section whose locks are unknown, as its arguments are wrong or half typed.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;

use crate::gather::Gather;
use crate::names::{binding, name_in};
use crate::section::function::collect_idents;

/// Expands to:
///
/// ```text
/// let ledger = ::core::compile_error! { "the message" };
/// ```
///
/// for each name in the arguments that the statements use, as it may be the binding of a lock.
/// It has no known type, so that it causes no further errors, and
/// all other code in the statements keeps its types, for the compiler and for editors. (The
/// compiler shows equal errors at one place once.)
pub(in crate::section) fn bind(
    arguments: TokenStream,
    statements: &TokenStream,
    error: &TokenStream,
) -> TokenStream {
    let mut used = Vec::new();
    collect_idents(statements.clone(), &mut used);
    let mut names = Vec::new();
    collect_names(arguments, &mut names);
    let mut bound: Vec<Ident> = Vec::new();
    for name in names {
        if used.contains(&name) && !bound.contains(&name) {
            bound.push(name);
        }
    }
    bound
        .into_iter()
        .map(|name| quote!(let #name = #error;))
        .gather()
}

/// The possible binding names in the tokens, also those in quotes, and `ledger` for
/// `acquire_ledger`.
fn collect_names(tokens: TokenStream, names: &mut Vec<Ident>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                let Some(name) = binding(&ident) else {
                    continue;
                };
                let text = name.to_string();
                let is_local = text.starts_with(|first: char| first.is_lowercase());
                if is_local && syn::parse2::<Ident>(quote!(#name)).is_ok() {
                    let acquired = text.strip_prefix("acquire_");
                    names.extend(acquired.and_then(|lock| name_in(lock, name.span())));
                    names.push(name);
                }
            }
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                names.extend(name_in(text.trim_matches('"'), literal.span()));
            }
            TokenTree::Group(group) => collect_names(group.stream(), names),
            TokenTree::Punct(_) => {}
        }
    }
}
