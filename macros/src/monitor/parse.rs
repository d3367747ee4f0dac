//! From tokens to an impl and its methods.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, Generics, Ident, ImplItem, Path, Token, Type, TypePath, token};

use crate::diagnostics::Errors;
use crate::names::Krate;
use crate::section::{Function, function, is_fn};

/// The arguments of `#[monitor(..)]`.
#[derive(Default)]
pub(super) struct Arguments {
    pub(super) krate: Krate,
    /// `allow(nested)`: locks acquired twice are not reported.
    pub(super) allows_nested: bool,
    /// `allow(order)`: locks in opposite orders are not reported.
    pub(super) allows_order: bool,
    /// `plain`: the struct has no derive, hence no views.
    pub(super) is_plain: bool,
}

/// An inherent impl of a struct.
pub(super) struct Block {
    pub(super) attrs: Vec<Attribute>,
    pub(super) impl_token: Token![impl],
    /// With the where-clause.
    pub(super) generics: Generics,
    pub(super) self_ty: TypePath,
    pub(super) braces: Span,
    pub(super) inner_attrs: Vec<Attribute>,
    pub(super) items: Vec<Item>,
}

pub(super) enum Item {
    Method(Box<Function>),
    Other(TokenStream),
}

const ARGUMENTS: &str = "`#[monitor]` takes `plain`, `allow(nested)`, `allow(order)` and \
                         `crate = ::path`";

pub(super) fn arguments(tokens: TokenStream, errors: &Errors) -> Arguments {
    let mut arguments = Arguments::default();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let result = argument(input, &mut arguments, errors);
            let result = result.and_then(|()| {
                if input.is_empty() || input.parse::<Option<Token![,]>>()?.is_some() {
                    Ok(())
                } else {
                    Err(input.error("expected a comma between two arguments"))
                }
            });
            if errors.ok(result).is_none() {
                // The rest cannot be understood.
                input.parse::<TokenStream>()?;
            }
        }
        Ok(())
    };
    errors.ok(parser.parse2(tokens));
    arguments
}

fn argument(input: ParseStream<'_>, arguments: &mut Arguments, errors: &Errors) -> syn::Result<()> {
    let Ok(name) = input.call(Ident::parse_any) else {
        return Err(input.error(format!("this is not an argument: {ARGUMENTS}")));
    };
    if name == "crate" && input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        let value: Expr = input.parse()?;
        match Path::parse_mod_style.parse2(value.to_token_stream()) {
            Ok(path) => arguments.krate = Krate::at_path(&path),
            Err(_) => errors.at(
                value,
                "`crate` says by which path this crate reaches async-monitor, and this is not a \
                 path: write `crate = ::path`",
            ),
        }
    } else if name == "allow" && input.peek(token::Paren) {
        let content;
        syn::parenthesized!(content in input);
        let lints = content.parse_terminated(Ident::parse_any, Token![,])?;
        for lint in lints {
            match lint.to_string().as_str() {
                "nested" => arguments.allows_nested = true,
                "order" => arguments.allows_order = true,
                _ => errors.at(
                    &lint,
                    format!(
                        "`{lint}` is nothing that could be allowed: write `nested` for a lock \
                         that is acquired where it is held, or `order` for locks that are \
                         acquired in opposite orders"
                    ),
                ),
            }
        }
    } else if name == "plain" && (input.is_empty() || input.peek(Token![,])) {
        arguments.is_plain = true;
    } else {
        let advice = if name == "allow" {
            "write what is allowed, `allow(nested)` or `allow(order)`".to_owned()
        } else {
            format!("{ARGUMENTS}, and locks are written above each method, `#[synchronized(lock)]`")
        };
        // Its value is ignored.
        while !input.is_empty() && !input.peek(Token![,]) {
            input.parse::<TokenTree>()?;
        }
        errors.at(&name, format!("`{name}` is not an argument here: {advice}"));
    }
    Ok(())
}

/// Reports an item that is not an inherent impl of a struct.
pub(super) fn block(tokens: TokenStream, errors: &Errors) -> Option<Block> {
    let parser = |input: ParseStream<'_>| inherent_impl(input, errors);
    errors.ok(parser.parse2(tokens))
}

fn inherent_impl(input: ParseStream<'_>, errors: &Errors) -> syn::Result<Block> {
    let attrs = input.call(Attribute::parse_outer)?;
    if !input.peek(Token![impl]) {
        return Err(not_an_impl(input));
    }
    let impl_token = input.parse()?;
    let mut generics: Generics = input.parse()?;
    if let Some(not) = input.parse::<Option<Token![!]>>()? {
        return Err(of_a_trait(not));
    }
    let ty = input.parse::<Type>()?;
    if input.peek(Token![for]) {
        return Err(of_a_trait(&ty));
    }
    let self_ty = struct_path(ty)?;
    generics.where_clause = input.parse()?;
    let content;
    let braces = syn::braced!(content in input);
    let inner_attrs = content.call(Attribute::parse_inner)?;
    let mut items = Vec::new();
    while !content.is_empty() {
        items.push(match item(&content.fork()) {
            Ok(_) => item(&content)?,
            Err(error) => {
                errors.push(error);
                Item::Other(not_an_item(&content)?)
            }
        });
    }
    Ok(Block {
        attrs,
        impl_token,
        generics,
        self_ty,
        braces: braces.span.join(),
        inner_attrs,
        items,
    })
}

/// The statements of a fn are kept as tokens: mistakes in them are reported when
/// they are compiled, and hide no others.
fn item(input: ParseStream<'_>) -> syn::Result<Item> {
    let ahead = input.fork();
    ahead.call(Attribute::parse_outer)?;
    ahead.parse::<syn::Visibility>()?;
    if is_fn(&ahead) && has_body(&ahead) {
        Ok(Item::Method(Box::new(input.call(function)?)))
    } else {
        Ok(Item::Other(input.parse::<ImplItem>()?.into_token_stream()))
    }
}

/// Half-typed tokens that are not an item, up to the next item: so that the methods behind them
/// are still understood.
fn not_an_item(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    loop {
        input.parse::<TokenTree>()?.to_tokens(&mut tokens);
        let begins = input.peek(Token![#])
            || input.peek(Token![pub])
            || input.peek(Token![fn])
            || input.peek(Token![async])
            || input.peek(Token![const]);
        if input.is_empty() || begins && item(&input.fork()).is_ok() {
            return Ok(tokens);
        }
    }
}

/// Whether braces come before the next semicolon.
fn has_body(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    while !ahead.is_empty() && !ahead.peek(Token![;]) {
        match ahead.parse::<TokenTree>() {
            Ok(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                return true;
            }
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    false
}

fn struct_path(ty: Type) -> syn::Result<TypePath> {
    match ty {
        Type::Group(group) => struct_path(*group.elem),
        Type::Paren(paren) => struct_path(*paren.elem),
        Type::Path(path) if path.qself.is_none() => Ok(path),
        other => Err(syn::Error::new_spanned(
            other,
            "`#[monitor]` is for the methods of a struct with `#[derive(Guarded)]`: write the \
             path of the struct here",
        )),
    }
}

fn of_a_trait(place: impl ToTokens) -> syn::Error {
    syn::Error::new_spanned(
        place,
        "`#[monitor]` gives the methods of a struct a form that runs under a lock already held, \
         which those of a trait cannot have: write it on an `impl` of the struct itself, and \
         `#[synchronized]` on the methods here",
    )
}

/// An error at the keyword of the item.
fn not_an_impl(input: ParseStream<'_>) -> syn::Error {
    let ahead = input.fork();
    let is_before_the_keyword = |ahead: ParseStream<'_>| {
        ahead.peek(Token![unsafe]) || ahead.peek(Token![async]) || ahead.peek(Token![const])
    };
    let _ = ahead.parse::<syn::Visibility>();
    while is_before_the_keyword(&ahead) && ahead.call(Ident::parse_any).is_ok() {}
    let advice = if ahead.peek(Token![struct]) {
        "write `#[derive(Guarded)]` on the struct, and this on the `impl` with its methods"
    } else if ahead.peek(Token![enum]) || ahead.peek(Token![union]) {
        "it is for structs with `#[derive(Guarded)]`"
    } else if ahead.peek(Token![fn]) {
        "write it on the `impl`, and `#[synchronized]` on the method"
    } else if ahead.peek(Token![trait]) {
        "write it on an `impl` of a struct, and `#[synchronized]` on the methods of impls of traits"
    } else {
        "write it on an `impl` of a struct with `#[derive(Guarded)]`"
    };
    ahead.error(format!(
        "`#[monitor]` looks at the methods of a struct together, and this is not an `impl`: \
         {advice}"
    ))
}
