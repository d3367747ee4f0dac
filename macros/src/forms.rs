//! Expansions as in a build with all features: `__with_std! { .. }` and
//! `__with_alloc! { .. }` are replaced by their contents.

use proc_macro2::{Group, TokenStream, TokenTree};

pub(crate) fn with_all_forms(tokens: TokenStream) -> TokenStream {
    let mut output: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(name) if name == "__with_std" || name == "__with_alloc" => {
                // The path before it; an item comes after a group or a semicolon.
                while output.last().is_some_and(is_of_path) {
                    output.pop();
                }
                // `!` and the items.
                if let Some(TokenTree::Group(items)) = tokens.nth(1) {
                    output.extend(with_all_forms(items.stream()));
                }
            }
            TokenTree::Group(group) => {
                let inside = with_all_forms(group.stream());
                let mut inside = Group::new(group.delimiter(), inside);
                inside.set_span(group.span());
                output.push(inside.into());
            }
            token => output.push(token),
        }
    }
    output.into_iter().collect()
}

fn is_of_path(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    }
}
