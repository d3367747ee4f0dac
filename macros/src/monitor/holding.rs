//! `#[holding(lock)]`: a method of the view alone, which acquires nothing.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericParam, Lifetime, LifetimeParam, Meta, ReceiverKind, ReturnType, Type,
    TypePath, Visibility, parse_quote,
};

use super::elided::Named;
use super::forms::{
    HeldForm, Receiver, argument_names, attr_for_body, guard_lifetime, turbofish, view_param,
};
use super::model::struct_path;
use crate::diagnostics::Errors;
use crate::gather::Gather;
use crate::names::{Krate, has_ident, hygienic, plain, public, replace_self};
use crate::section::{self, Function, Kind, Mode, OwnLock};

/// A method of the view of `lock`.
pub(super) struct Holding {
    pub(super) lock: OwnLock,
    /// The body, with the view as a parameter: `__trim_held`.
    pub(super) body_fn: Function,
    pub(super) held: HeldForm,
    /// The result borrows from the view.
    pub(super) borrows: bool,
    /// The method that a call on the object resolves to, for its message.
    decoy: TokenStream,
}

/// Methods of well-known traits. A decoy would shadow them.
const OF_TRAITS: [&str; 40] = [
    "as_mut",
    "as_ref",
    "borrow",
    "borrow_mut",
    "clone",
    "clone_from",
    "cmp",
    "default",
    "deref",
    "deref_mut",
    "drop",
    "eq",
    "extend",
    "fmt",
    "ge",
    "gt",
    "hash",
    "index",
    "index_mut",
    "into",
    "into_future",
    "into_iter",
    "le",
    "len",
    "lt",
    "max",
    "min",
    "ne",
    "next",
    "next_back",
    "not",
    "partial_cmp",
    "poll",
    "poll_next",
    "size_hint",
    "to_owned",
    "to_string",
    "try_into",
    "type_id",
    "write",
];

impl Holding {
    /// Reports a fn that cannot be a method of a view.
    pub(super) fn new(
        function: &Function,
        attribute: &Attribute,
        self_ty: &TypePath,
        errors: &Errors,
    ) -> Option<Self> {
        let lock = section::held_lock(&arguments(attribute), function, attribute.span(), errors)?;
        let receiver = receiver(function, &lock, errors)?;
        if !can_be_passed_on(function, errors) {
            return None;
        }
        let mut function = function.clone();
        let section = section_lifetime(&function, &lock, self_ty);
        let mut borrows = has_lifetime(&function.sig.to_token_stream(), &section);
        borrows |= receiver.lifetime.is_none() && name_output(&mut function, &section);
        Some(Holding {
            body_fn: body_fn(&function, attribute, &lock, &section, borrows, self_ty),
            held: held(
                &function,
                &lock,
                &receiver,
                borrows.then_some(&section),
                self_ty,
            ),
            decoy: decoy(&function, &lock, &section, borrows, self_ty),
            borrows,
            lock,
        })
    }

    /// The method that a call on the object resolves to, for its message.
    pub(super) fn decoy(&self) -> &TokenStream {
        &self.decoy
    }
}

fn receiver(function: &Function, lock: &OwnLock, errors: &Errors) -> Option<Receiver> {
    let receiver = Receiver::of(function);
    if receiver.is_none() {
        let message = format!(
            "a method of the view of `{0}` has the object as `&self`, and what `{0}` guards as \
             `{1}`: write `&self`",
            lock.field, lock.binding
        );
        match function.sig.receiver() {
            Some(receiver) => errors.at(receiver, message),
            None => errors.at(&function.sig.ident, message),
        }
    }
    receiver
}

/// Reports parts of the signature that a call by another fn could not pass on.
fn can_be_passed_on(function: &Function, errors: &Errors) -> bool {
    let sig = &function.sig;
    let safety = sig.safety.to_token_stream();
    let is_special = [
        (sig.constness.to_token_stream(), "const"),
        (safety, "unsafe"),
        (sig.abi.to_token_stream(), "extern"),
    ];
    for (tokens, keyword) in is_special {
        if !tokens.is_empty() {
            errors.at(
                tokens,
                format!("a method of a view cannot be `{keyword}`: remove the keyword"),
            );
            return false;
        }
    }
    true
}

/// The lifetime of the section, as the body knows it: `'state`, which the compiler shows at the
/// name of the lock, and proposes for what is borrowed from the view. So it can be written by the
/// user, unless the name has another meaning.
fn section_lifetime(function: &Function, lock: &OwnLock, self_ty: &TypePath) -> Lifetime {
    let (name, span) = (lock.field.to_string(), lock.field.span());
    let lifetime = |name: &str, span| Lifetime::new(&format!("'{name}"), span);
    let of_lock = |name: &str| lifetime(name, public(span));
    let sig = function.sig.to_token_stream();
    let params = function.sig.generics.params.to_token_stream();
    let is_taken = name.starts_with("r#")
        || has_lifetime(&params, &of_lock(&name))
        // `for<'state>`.
        || has_ident(&sig, "for") && has_lifetime(&sig, &of_lock(&name))
        || has_lifetime(&self_ty.to_token_stream(), &of_lock(&name));
    if is_taken {
        lifetime("__section", hygienic(span))
    } else {
        of_lock(&name)
    }
}

fn has_lifetime(tokens: &TokenStream, lifetime: &Lifetime) -> bool {
    let mut after_tick = false;
    tokens.clone().into_iter().any(|token| {
        let found = match &token {
            TokenTree::Group(group) => has_lifetime(&group.stream(), lifetime),
            TokenTree::Ident(ident) => after_tick && *ident == lifetime.ident,
            _ => false,
        };
        after_tick = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\'');
        found
    })
}

/// Names the lifetimes that the type of the result leaves out. Returns whether there are.
fn name_output(function: &mut Function, lifetime: &Lifetime) -> bool {
    let ReturnType::Type(_, ty) = &mut function.sig.output else {
        return false;
    };
    let mut any = false;
    Named(&mut || {
        any = true;
        lifetime.clone()
    })
    .in_type(ty);
    any
}

/// Expands to:
///
/// ```text
/// #[holding(__seen)]
/// fn __first_held<'state>(
///     &'state self,
///     state: &'state mut AccountStateHeld<'_>,
///     key: &str,
/// ) -> Option<&'state u64> {
///     let _ = &state;
///     // the user's statements
/// }
/// ```
///
/// What is borrowed may come from the view or from the object: `'state` is the shorter
/// of both. The attribute is there again for the compiler to see that it is used.
fn body_fn(
    function: &Function,
    attribute: &Attribute,
    lock: &OwnLock,
    section: &Lifetime,
    borrows: bool,
    self_ty: &TypePath,
) -> Function {
    let mut body_fn = function.clone();
    let (param, rebound) = view_param(lock, Some(section), self_ty);
    let lifetime = GenericParam::Lifetime(LifetimeParam::new(section.clone()));
    body_fn.sig.generics.params.insert(0, lifetime);
    if borrows {
        lend_self(&mut body_fn, section);
    }
    body_fn.vis = Visibility::Inherited;
    body_fn.sig.ident = body_name(function);
    let binding = &lock.binding;
    body_fn.sig.inputs.insert(1, param);
    body_fn.attrs = function.attrs.iter().filter_map(attr_for_body).gather();
    let path = attribute.path();
    body_fn.attrs.push(parse_quote!(#[#path(__seen)]));
    let used = quote_spanned!(hygienic(binding.span())=> let _ = &#binding;);
    let body = &function.body;
    body_fn.body = quote!(#rebound #used #body);
    body_fn
}

fn body_name(function: &Function) -> proc_macro2::Ident {
    format_ident!(
        "__{}_held",
        plain(&function.sig.ident),
        span = hygienic(function.sig.ident.span())
    )
}

/// `&'state self`, with the tokens that the user has written, unless its lifetime has a name.
fn lend_self(function: &mut Function, section: &Lifetime) {
    let receiver = function.sig.inputs.first_mut();
    let Some(FnArg::Receiver(receiver)) = receiver else {
        return;
    };
    let (at, this) = (receiver.span(), receiver.self_token);
    match &mut receiver.kind {
        ReceiverKind::Reference(_, Some(lifetime), _) if lifetime.ident != "_" => {}
        ReceiverKind::Reference(_, lifetime, _) => *lifetime = Some(section.clone()),
        _ => {
            let reference = quote_spanned!(at=> & #section);
            *receiver = parse_quote!(#reference #this);
        }
    }
}

/// Expands to, together with `expand_held_forms`:
///
/// ```text
/// fn first<'state>(&'state mut self, key: &str) -> Option<&'state u64> { .. }
/// ```
fn held(
    function: &Function,
    lock: &OwnLock,
    receiver: &Receiver,
    section: Option<&Lifetime>,
    self_ty: &TypePath,
) -> HeldForm {
    let guard = guard_lifetime();
    let mut function = function.clone();
    // The parameters that are passed to the body by name.
    if let Some(named) = function.with_named_params(&TokenStream::new()) {
        function.sig = named;
    }
    let sig = &mut function.sig;
    if let Some(section) = section {
        let param = GenericParam::Lifetime(LifetimeParam::new(section.clone()));
        sig.generics.params.insert(0, param);
    }
    if let Some(lifetime) = &receiver.lifetime {
        let clause = sig.generics.make_where_clause();
        clause.predicates.push(parse_quote!(#guard: #lifetime));
    }
    let lifetime = section.into_iter();
    if let Some(first) = sig.inputs.first_mut() {
        *first = match lock.mode {
            Mode::Exclusive => parse_quote!(&#(#lifetime)* mut self),
            Mode::Shared => parse_quote!(&#(#lifetime)* self),
        };
    }
    let this = self_ty.to_token_stream();
    let (name, turbofish) = (body_name(&function), turbofish(&function.sig));
    let sig = &function.sig;
    let is_async = function.kind == Kind::Async;
    HeldForm {
        attrs: function
            .attrs
            .iter()
            .filter_map(|attr| {
                let stays = ["doc", "must_use", "deprecated", "inline", "cold"];
                if stays.iter().any(|name| attr.path().is_ident(name)) {
                    Some(attr.clone())
                } else {
                    attr_for_body(attr)
                }
            })
            .gather(),
        vis: function.vis.clone(),
        arguments: argument_names(sig),
        sig: replace_self(sig.to_token_stream(), &this),
        body_fn: quote!(<#this>::#name #turbofish),
        acquiring: None,
        awaited: if is_async {
            quote_spanned!(hygienic(function.braces)=> .await)
        } else {
            TokenStream::new()
        },
        is_async,
        atomic: None,
        reborrows: false,
        never_returns: matches!(
            &sig.output,
            ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_))
        ),
    }
}

/// Expands to:
///
/// ```text
/// #[doc(hidden)]
/// pub fn first<'state>(&'state self, key: &str) -> Option<&'state u64>
/// where
///     for<'__a> &'__a Self: __AccountFirstRunsInASection,
/// {
///     ::core::unreachable!()
/// }
/// ```
///
/// which can be called nowhere, and says where the method can. It would hide a method of a
/// trait that has the same name, so for the names of those that everybody knows there is none; nor
/// where it returns an `impl Trait`, of which it would have to have a value.
fn decoy(
    function: &Function,
    lock: &OwnLock,
    section: &Lifetime,
    borrows: bool,
    self_ty: &TypePath,
) -> TokenStream {
    let name = plain(&function.sig.ident);
    let is_hidden_type = has_ident(&function.sig.output.to_token_stream(), "impl");
    if OF_TRAITS.contains(&name.as_str()) || is_hidden_type {
        return TokenStream::new();
    }
    let mut decoy = function.clone();
    let condition = condition_name(function, self_ty);
    if borrows {
        let param = GenericParam::Lifetime(LifetimeParam::new(section.clone()));
        decoy.sig.generics.params.insert(0, param);
        lend_self(&mut decoy, section);
    }
    if let Some(sig) = decoy.with_named_params(&TokenStream::new()) {
        decoy.sig = sig;
    }
    let clause = decoy.sig.generics.make_where_clause();
    clause
        .predicates
        .push(parse_quote!(for<'__a> &'__a Self: #condition));
    let (vis, sig) = (&decoy.vis, &decoy.sig);
    let cfgs = function
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("cfg"));
    let _ = lock;
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]
        #vis #sig {
            ::core::unreachable!()
        }
    }
}

/// `__AccountFirstRunsInASection`.
fn condition_name(function: &Function, self_ty: &TypePath) -> proc_macro2::Ident {
    let last = self_ty.path.segments.last();
    let object = last.map_or_else(String::new, |last| plain(&last.ident));
    let method = crate::names::camel_case(&plain(&function.sig.ident));
    format_ident!(
        "__{object}{method}RunsInASection",
        span = public(function.sig.ident.span())
    )
}

/// Expands to the trait in the bound of a decoy, which nothing implements:
///
/// ```text
/// #[diagnostic::on_unimplemented(message = "..", label = "..", note = "..")]
/// pub trait __AccountFirstRunsInASection {}
/// impl<__T: ?Sized + ::async_monitor::__private::ErrorOnly> __AccountFirstRunsInASection for __T {}
/// ```
///
/// (Without any impl, the compiler would suggest writing one.)
pub(super) fn expand_condition(
    holding: &Holding,
    function: &Function,
    self_ty: &TypePath,
    krate: &Krate,
) -> TokenStream {
    if holding.decoy().is_empty() {
        return TokenStream::new();
    }
    let condition = condition_name(function, self_ty);
    let path = struct_path(self_ty).to_string().replace(' ', "");
    let (name, lock) = (plain(&function.sig.ident), plain(&holding.lock.field));
    let message = format!(
        "`{name}` runs where `{path}.{lock}` is held: it is a method of what a section of \
         `{lock}` binds, `{lock}.{name}(..)`"
    );
    let label = format!("`{lock}` is not held by this call");
    let section = match holding.lock.mode {
        Mode::Exclusive => lock.clone(),
        Mode::Shared => format!("read({lock})"),
    };
    let note = format!(
        "call it in a method with `#[synchronized({section})]`, in `with_lock!`, or on what \
         `guard.fields()` returns"
    );
    let cfgs = function
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("cfg"));
    let cfgs: Vec<_> = cfgs.gather();
    let again = &cfgs;
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #[diagnostic::on_unimplemented(message = #message, label = #label, note = #note)]
        pub trait #condition {}

        #(#again)*
        #[doc(hidden)]
        #[diagnostic::do_not_recommend]
        impl<__T: ?::core::marker::Sized + #krate::__private::ErrorOnly> #condition for __T {}
    }
}

/// `#[holding(arguments)] item` outside of a `#[monitor]` impl: the item, and an error.
pub(crate) fn outside(arguments: &TokenStream, item: &TokenStream) -> TokenStream {
    if arguments.to_string() == "__seen" {
        return item.clone();
    }
    let at = arguments.clone().into_iter().next();
    let span = at.map_or_else(Span::call_site, |token| token.span());
    let error = syn::Error::new(
        span,
        "`#[holding(..)]` makes a method of a view, which takes the whole `impl` to do: write \
         `#[monitor]` on the `impl` of the struct that it is a method of",
    );
    let error = error.to_compile_error();
    quote!(#item #error)
}

/// The tokens in `#[holding(tokens)]`.
fn arguments(attribute: &Attribute) -> TokenStream {
    match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    }
}
