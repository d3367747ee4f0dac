//! The item under `#[synchronized]`.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::{
    Attribute, FnArg, GenericArgument, Pat, Path, PathArguments, Receiver, ReceiverKind,
    ReturnType, Signature, Token, Type, TypeParamBound, Visibility, token,
};

use crate::diagnostics::Errors;
use crate::gather::Gather;
use crate::names::{has_ident, hygienic};

/// A fn with a body. The statements are kept as tokens, and need not
/// parse.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// The braces of the body.
    pub(crate) braces: Span,
    /// `#![..]` at the beginning of the body.
    pub(crate) inner_attrs: TokenStream,
    pub(crate) body: TokenStream,
    pub(crate) kind: Kind,
}

/// A change of statements, in the braces with that span.
type Change<'c> = dyn Fn(TokenStream, Span) -> TokenStream + 'c;

/// How the statements of the body run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// `async fn`.
    Async,
    /// `fn` with the body `Box::pin(async move { .. })`: the expansion of an `async fn`
    /// by `#[async_trait]`.
    Boxed {
        /// Whether `self` is called `__self` in there.
        is_renamed: bool,
    },
    /// A plain `fn`.
    Plain,
}

/// The receiver, by its name in the body.
pub(super) struct Base {
    name: &'static str,
    span: Span,
    is_reference: bool,
}

impl Base {
    /// The receiver, with the place `span`.
    pub(super) fn at(&self, span: Span) -> Ident {
        Ident::new(self.name, self.span.located_at(span))
    }

    /// The object. A reference is dereferenced, so that the object is borrowed, and not the
    /// parameter.
    pub(super) fn object_at(&self, span: Span) -> TokenStream {
        let name = self.at(span);
        if self.is_reference {
            quote_spanned!(hygienic(span)=> *#name)
        } else {
            name.into_token_stream()
        }
    }

    pub(super) fn is_renamed(&self) -> bool {
        self.name != "self"
    }
}

/// Reports an item that is not a fn with a body.
pub(super) fn parse(tokens: TokenStream, errors: &Errors) -> Option<Function> {
    errors.ok(function.parse2(tokens))
}

/// Parses a fn with a body.
pub(crate) fn function(input: ParseStream<'_>) -> syn::Result<Function> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    if !is_fn(input) {
        return Err(not_a_fn(input));
    }
    let sig: Signature = input.parse()?;
    if let Some(semicolon) = input.parse::<Option<Token![;]>>()? {
        return Err(syn::Error::new_spanned(
            semicolon,
            "`#[synchronized]` on a method without a body, which is nothing that could be run \
             under a lock: write it on the methods of the impls",
        ));
    }
    let content;
    let braces = syn::braced!(content in input);
    let mut inner_attrs = TokenStream::new();
    while content.peek(Token![#]) && content.peek2(Token![!]) {
        content.parse::<Token![#]>()?.to_tokens(&mut inner_attrs);
        content.parse::<Token![!]>()?.to_tokens(&mut inner_attrs);
        content.parse::<TokenTree>()?.to_tokens(&mut inner_attrs);
    }
    let body: TokenStream = content.parse()?;
    let kind = if sig.asyncness.is_some() {
        Kind::Async
    } else {
        boxed_kind(&body)
    };
    Ok(Function {
        attrs,
        vis,
        sig,
        braces: braces.span.join(),
        inner_attrs,
        body,
        kind,
    })
}

/// Whether a fn comes next, behind its attributes and visibility.
pub(crate) fn is_fn(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    while !ahead.is_empty() && !ahead.peek(token::Paren) && !ahead.peek(token::Brace) {
        if ahead.peek(Token![fn]) {
            return true;
        }
        if ahead.parse::<TokenTree>().is_err() {
            return false;
        }
    }
    false
}

fn not_a_fn(input: ParseStream<'_>) -> syn::Error {
    let advice = if input.peek(Token![struct]) || input.peek(Token![enum]) {
        "write `#[derive(Guarded)]` on the struct, and this on the methods that use it"
    } else if input.peek(Token![impl]) || input.peek(Token![trait]) {
        "write it on the methods"
    } else {
        "write it on a fn"
    };
    input.error(format!(
        "`#[synchronized]` holds a lock while a fn runs, and this is not a fn: {advice}"
    ))
}

impl Function {
    /// The tokens of the fn, with its own body and braces.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let Function {
            attrs,
            vis,
            sig,
            braces,
            inner_attrs,
            body,
            ..
        } = self;
        let mut block = Group::new(Delimiter::Brace, quote!(#inner_attrs #body));
        block.set_span(braces);
        let mut output = quote!(#(#attrs)* #vis #sig);
        block.to_tokens(&mut output);
        output
    }

    /// The object whose fields are meant by bare names.
    pub(super) fn base(&self) -> Option<Base> {
        let receiver = self.sig.receiver()?;
        let name = match self.kind {
            Kind::Boxed { is_renamed: true } => "__self",
            _ => "self",
        };
        Some(Base {
            name,
            span: receiver.self_token.span,
            is_reference: matches!(receiver.kind, ReceiverKind::Reference(..)),
        })
    }

    /// The names of the parameters, and perhaps other names in their patterns.
    pub(crate) fn param_names(&self) -> Vec<Ident> {
        let mut names = Vec::new();
        for input in &self.sig.inputs {
            if let FnArg::Typed(input) = input {
                collect_idents(input.pat.to_token_stream(), &mut names);
            }
        }
        names
    }

    /// The names that the patterns of the parameters bind.
    pub(super) fn bound_names(&self) -> Vec<&Ident> {
        let mut names = Vec::new();
        for input in &self.sig.inputs {
            if let FnArg::Typed(input) = input {
                bound_in(&input.pat, &mut names);
            }
        }
        names
    }

    /// The receiver, if it is `&mut self`, in any notation.
    pub(super) fn mutable_receiver(&self) -> Option<&Receiver> {
        let receiver = self.sig.receiver()?;
        let is_mutable = match &receiver.kind {
            ReceiverKind::Reference(_, _, mutability) => mutability.is_some(),
            ReceiverKind::Typed(_, ty) => {
                matches!(&**ty, Type::Reference(ty) if ty.mutability.is_some())
            }
            _ => false,
        };
        is_mutable.then_some(receiver)
    }

    /// The type that the statements return, if it can be written in the body:
    /// `impl Trait` cannot.
    pub(super) fn output(&self) -> Option<TokenStream> {
        let output = match (&self.kind, &self.sig.output) {
            (_, ReturnType::Default) => return Some(quote!(())),
            (Kind::Boxed { .. }, ReturnType::Type(_, ty)) => output_of_future(ty)?,
            (_, ReturnType::Type(_, ty)) if matches!(**ty, Type::Never(_)) => return None,
            (_, ReturnType::Type(_, ty)) => ty.to_token_stream(),
        };
        (!has_ident(&output, "impl")).then_some(output)
    }

    /// The body, with the statements changed. `change` also gets the span of the braces around
    /// them.
    pub(super) fn body_with(&self, change: &Change<'_>) -> TokenStream {
        match self.kind {
            Kind::Boxed { .. } => {
                in_box(&self.body, &|block, braces| in_block(block, braces, change))
            }
            Kind::Async | Kind::Plain => None,
        }
        .unwrap_or_else(|| change(self.body.clone(), self.braces))
    }

    /// The user's statements.
    pub(super) fn statements(&self) -> TokenStream {
        let statements = std::cell::RefCell::new(TokenStream::new());
        self.body_with(&|found, _| {
            *statements.borrow_mut() = found.clone();
            found
        });
        statements.into_inner()
    }
}

/// The `T` in `dyn Future<Output = T>`.
fn output_of_future(ty: &Type) -> Option<TokenStream> {
    let in_arguments = |path: &Path| {
        let PathArguments::AngleBracketed(arguments) = &path.segments.last()?.arguments else {
            return None;
        };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(assoc) if assoc.ident == "Output" => {
                Some(assoc.ty.to_token_stream())
            }
            GenericArgument::Type(ty) => output_of_future(ty),
            _ => None,
        })
    };
    match ty {
        Type::TraitObject(object) => object.bounds.iter().find_map(|bound| match bound {
            TypeParamBound::Trait(bound) => in_arguments(&bound.path),
            _ => None,
        }),
        Type::Path(ty) => in_arguments(&ty.path),
        Type::Paren(ty) => output_of_future(&ty.elem),
        Type::Group(ty) => output_of_future(&ty.elem),
        _ => None,
    }
}

/// All names in the tokens.
pub(crate) fn collect_idents(tokens: TokenStream, names: &mut Vec<Ident>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => names.push(ident),
            TokenTree::Group(group) => collect_idents(group.stream(), names),
            _ => {}
        }
    }
}

/// The names that a pattern binds, in the patterns that a parameter can have.
fn bound_in<'p>(pat: &'p Pat, names: &mut Vec<&'p Ident>) {
    match pat {
        Pat::Ident(pat) => {
            names.push(&pat.ident);
            if let Some((_, pat)) = &pat.subpat {
                bound_in(pat, names);
            }
        }
        Pat::TupleStruct(pat) => pat.elems.iter().for_each(|pat| bound_in(pat, names)),
        Pat::Tuple(pat) => pat.elems.iter().for_each(|pat| bound_in(pat, names)),
        Pat::Slice(pat) => pat.elems.iter().for_each(|pat| bound_in(pat, names)),
        Pat::Struct(pat) => pat
            .fields
            .iter()
            .for_each(|field| bound_in(&field.pat, names)),
        Pat::Reference(pat) => bound_in(&pat.pat, names),
        Pat::Paren(pat) => bound_in(&pat.pat, names),
        _ => {}
    }
}

/// Whether the body is a boxed future.
fn boxed_kind(body: &TokenStream) -> Kind {
    let is_renamed = std::cell::Cell::new(false);
    let boxed = in_box(body, &|block, _| {
        let mut tokens = block.clone().into_iter();
        is_renamed.set(tokens.any(|token| is_ident(Some(&token), "__self")));
        block
    });
    match boxed {
        Some(_) => Kind::Boxed {
            is_renamed: is_renamed.get(),
        },
        None => Kind::Plain,
    }
}

/// Changes the block in `Box::pin(async move { block })`, if the body is that.
fn in_box(body: &TokenStream, change: &Change<'_>) -> Option<TokenStream> {
    let mut tokens: Vec<TokenTree> = body.clone().into_iter().gather();
    let Some(TokenTree::Group(arguments)) = tokens.pop() else {
        return None;
    };
    if arguments.delimiter() != Delimiter::Parenthesis || !is_ident(tokens.last(), "pin") {
        return None;
    }
    let mut inside: Vec<TokenTree> = arguments.stream().into_iter().gather();
    let Some(TokenTree::Group(block)) = inside.pop() else {
        return None;
    };
    if block.delimiter() != Delimiter::Brace || !is_ident(inside.first(), "async") {
        return None;
    }
    inside.push(with_stream(&block, change(block.stream(), block.span())).into());
    let mut outside = Group::new(Delimiter::Parenthesis, inside.into_iter().gather());
    outside.set_span(arguments.span());
    tokens.push(outside.into());
    Some(tokens.into_iter().gather())
}

/// Changes the user's statements in the block of the future: if `#[async_trait]` made
/// the block, those in `let __ret: T = { statements };` or `let _: () = { statements };`,
/// and otherwise all of it.
fn in_block(block: TokenStream, braces: Span, change: &Change<'_>) -> TokenStream {
    let mut tokens: Vec<TokenTree> = block.clone().into_iter().gather();
    let is_let = |tokens: &[TokenTree]| {
        let start = tokens
            .iter()
            .rposition(|token| is_ident(Some(token), "let"));
        let mut rest = tokens.iter().skip(start.unwrap_or(tokens.len()) + 1);
        let name = rest.next();
        let is_name = is_ident(name, "__ret") || is_ident(name, "_");
        is_name && is_punct(rest.next(), ':') && is_punct(tokens.last(), '=')
    };
    let statements = (0..tokens.len())
        .rev()
        .find_map(|index| match tokens.get(index) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let before = tokens.get(..index)?;
                is_let(before).then(|| (index, group.clone()))
            }
            _ => None,
        });
    let Some((index, group)) = statements else {
        return change(block, braces);
    };
    if let Some(token) = tokens.get_mut(index) {
        *token = with_stream(&group, change(group.stream(), group.span())).into();
    }
    tokens.into_iter().gather()
}

/// Other statements in the same braces.
fn with_stream(original: &Group, statements: TokenStream) -> Group {
    let mut group = Group::new(Delimiter::Brace, statements);
    group.set_span(original.span());
    group
}

fn is_ident(token: Option<&TokenTree>, name: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == name)
}

fn is_punct(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}
