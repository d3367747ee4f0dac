//! From tokens to fields with their attributes.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{
    Attribute, Field, Fields, Generics, Ident, Item, ItemStruct, Meta, Token, Type, Visibility,
};

use super::options::Options;
use crate::diagnostics::Errors;
use crate::gather::Gather;

/// A struct with named fields.
pub(super) struct Input {
    pub(super) ident: Ident,
    pub(super) vis: Visibility,
    /// `#[guarded(..)]`.
    pub(super) options: Options,
    pub(super) generics: Generics,
    pub(super) fields: Vec<FieldInput>,
}

/// A field, with its attributes.
pub(super) struct FieldInput {
    pub(super) ident: Ident,
    pub(super) vis: Visibility,
    pub(super) ty: Type,
    pub(super) docs: Vec<Attribute>,
    /// The name in `#[guarded_by(name)]`.
    pub(super) guarded_by: Option<Ident>,
    /// `#[lock]`, or with `rw` and `sync`.
    pub(super) lock: Option<LockAttribute>,
    /// An attribute of this field is wrong, and has been reported.
    pub(super) is_wrong: bool,
}

pub(super) struct LockAttribute {
    pub(super) attribute: Attribute,
    pub(super) is_rw: bool,
    pub(super) is_sync: bool,
}

/// Reports an item that is not a struct with named fields, and every mistake within a
/// single attribute.
pub(super) fn parse(tokens: TokenStream, errors: &Errors) -> Option<Input> {
    let item = syn::parse2(tokens.clone()).or_else(|error| {
        errors.push(error);
        without_wrong_fields(tokens)
    });
    let input = a_struct(item.ok()?, errors)?;
    let mut options = Options::default();
    for attribute in &input.attrs {
        if attribute.path().is_ident("guarded") {
            options.add(attribute, errors);
        } else if is_ours(attribute) {
            errors.at(
                attribute,
                "this attribute belongs on a field: write it above the field that it is about",
            );
        }
    }
    let fields = named_fields(input.fields, &input.ident, errors)?;
    Some(Input {
        fields: fields
            .into_iter()
            .filter_map(|field| field_input(field, errors))
            .gather(),
        ident: input.ident,
        vis: input.vis,
        options,
        generics: input.generics,
    })
}

/// The struct without half-typed fields, which do not parse: so that the others keep their
/// locks.
fn without_wrong_fields(tokens: TokenStream) -> syn::Result<Item> {
    let with_right_fields = |token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
            let fields = right_fields.parse2(group.stream()).unwrap_or_default();
            let mut braces = Group::new(Delimiter::Brace, fields);
            braces.set_span(group.span());
            braces.into()
        }
        other => other,
    };
    let tokens: TokenStream = tokens.into_iter().map(with_right_fields).gather();
    syn::parse2(tokens)
}

fn right_fields(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut fields = TokenStream::new();
    while !input.is_empty() {
        let ahead = input.fork();
        let field = ahead.call(Field::parse_named);
        if let (Ok(field), true) = (field, ahead.is_empty() || ahead.peek(Token![,])) {
            fields.extend(quote!(#field,));
            input.advance_to(&ahead);
        }
        while !input.is_empty() && input.parse::<Option<Token![,]>>()?.is_none() {
            input.parse::<TokenTree>()?;
        }
    }
    Ok(fields)
}

const WHAT: &str = "a lock guards named fields of a struct";

/// (An `Item`, as `DeriveInput` would need a feature of `syn` that nothing else here
/// needs.)
fn a_struct(item: Item, errors: &Errors) -> Option<ItemStruct> {
    match item {
        Item::Struct(item) => return Some(item),
        Item::Enum(item) => errors.at(
            item.enum_token,
            format!(
                "`#[derive(Guarded)]` on an enum, but {WHAT}: put the enum into a field \
                 `state: Guarded<{}>` of a struct with a lock",
                item.ident
            ),
        ),
        Item::Union(item) => errors.at(
            item.union_token,
            format!("`#[derive(Guarded)]` on a union, but {WHAT}: use a struct"),
        ),
        // A derive gets nothing else from the compiler.
        other => errors.at(other, format!("`#[derive(Guarded)]` on this, but {WHAT}")),
    }
    None
}

fn named_fields(fields: Fields, ident: &Ident, errors: &Errors) -> Option<Vec<Field>> {
    match fields {
        Fields::Named(fields) => return Some(fields.named.into_iter().gather()),
        Fields::Unnamed(fields) => errors.at(
            fields,
            format!("`#[derive(Guarded)]` on a tuple struct, but {WHAT}: give the fields names"),
        ),
        Fields::Unit => errors.at(
            ident,
            format!("`#[derive(Guarded)]` on a struct without fields, but {WHAT}: add them"),
        ),
    }
    None
}

/// Whether it is one of the attributes of fields.
fn is_ours(attribute: &Attribute) -> bool {
    attribute.path().is_ident("guarded_by") || attribute.path().is_ident("lock")
}

fn field_input(field: Field, errors: &Errors) -> Option<FieldInput> {
    let mut guarded_by = None;
    let mut lock: Option<LockAttribute> = None;
    let mut is_wrong = false;
    for attribute in &field.attrs {
        if attribute.path().is_ident("guarded") {
            errors.at(
                attribute,
                "`#[guarded(..)]` is about the whole struct: write it above the struct; the lock of a field is named by `#[guarded_by(lock)]`",
            );
        }
    }
    for attribute in field.attrs.iter().filter(|attribute| is_ours(attribute)) {
        let result = if attribute.path().is_ident("guarded_by") {
            parse_guarded_by(attribute, guarded_by.is_some()).map(|name| guarded_by = Some(name))
        } else {
            parse_lock(attribute, lock.is_some()).map(|parsed| lock = Some(parsed))
        };
        is_wrong |= errors.ok(result).is_none();
    }
    let mut docs = field.attrs;
    docs.retain(|attribute| attribute.path().is_ident("doc"));
    Some(FieldInput {
        ident: field.ident?,
        vis: field.vis,
        ty: field.ty,
        docs,
        guarded_by,
        lock,
        is_wrong,
    })
}

fn parse_guarded_by(attribute: &Attribute, is_second: bool) -> syn::Result<Ident> {
    const USAGE: &str = "write the name of the field that is the lock: `#[guarded_by(lock)]`";
    let error = |tokens: &dyn ToTokens, problem: &str| {
        let message = format!("{problem}: {USAGE}");
        Err(syn::Error::new_spanned(tokens.to_token_stream(), message))
    };
    if is_second {
        return Err(syn::Error::new_spanned(
            attribute,
            "a field is guarded by one lock: remove one `#[guarded_by(..)]`",
        ));
    }
    match &attribute.meta {
        Meta::List(list) if !list.tokens.is_empty() => {
            let name = list.parse_args::<Ident>();
            name.or_else(|_| error(&list.tokens, "this is not the name of one field"))
        }
        _ => error(attribute, "`guarded_by` without a name"),
    }
}

fn parse_lock(attribute: &Attribute, is_second: bool) -> syn::Result<LockAttribute> {
    const USAGE: &str = "write `#[lock]`, `#[lock(rw)]` for a reader-writer lock, \
                         `#[lock(sync)]` for one of `async_monitor::sync`, or `#[lock(rw, sync)]`";
    let error = |tokens: &dyn ToTokens, problem: &str| {
        let message = format!("{problem}: {USAGE}");
        Err(syn::Error::new_spanned(tokens.to_token_stream(), message))
    };
    if is_second {
        return Err(syn::Error::new_spanned(
            attribute,
            "the field is marked as a lock twice: remove one `#[lock]`",
        ));
    }
    let kinds = match &attribute.meta {
        Meta::Path(_) => Vec::new(),
        Meta::List(list) if list.tokens.is_empty() => {
            return error(attribute, "a kind of lock is missing");
        }
        Meta::List(list) => match list.parse_args_with(kinds) {
            Ok(kinds) => kinds,
            Err(_) => return error(&list.tokens, "this is not a kind of lock"),
        },
        Meta::NameValue(_) => return error(attribute, "`lock` takes no value"),
    };
    let (mut is_rw, mut is_sync) = (false, false);
    for kind in &kinds {
        let is_kind = if kind == "rw" {
            &mut is_rw
        } else if kind == "sync" {
            &mut is_sync
        } else {
            return error(kind, "this is not a kind of lock");
        };
        if *is_kind {
            return error(kind, "this is said twice");
        }
        *is_kind = true;
    }
    Ok(LockAttribute {
        attribute: attribute.clone(),
        is_rw,
        is_sync,
    })
}

/// `rw, sync`
fn kinds(input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    let mut kinds = vec![input.parse()?];
    while !input.is_empty() {
        input.parse::<Token![,]>()?;
        if !input.is_empty() {
            kinds.push(input.parse()?);
        }
    }
    Ok(kinds)
}
