//! The two forms of a method: one that acquires its lock, and one that runs
//! under the lock already held.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Attribute, Expr, FnArg, GenericParam, Lifetime, LifetimeParam, Lit, Meta, Pat, PatIdent,
    ReceiverKind, ReturnType, Signature, Type, TypePath, parse_quote,
};

use super::elided::Named;
use super::model::view_type;
use crate::gather::Gather;
use crate::names::{Krate, has_ident, hygienic, located, plain, replace_self};
use crate::section::{self, Function, Kind, Mode, OwnLock, Section, collect_idents};

/// The parts of a method with two forms. The body is written once, in
/// `body_fn`.
pub(super) struct Forms {
    pub(super) lock: OwnLock,
    /// The body, with the view as a parameter: `__deposit_held`.
    pub(super) body_fn: Function,
    /// The method under its own name, which acquires the lock and calls `body_fn`.
    pub(super) acquiring: Function,
    /// The held form, a method of the view.
    pub(super) held: HeldForm,
    /// The same for a sync lock, if a macro in the body may hide an `.await`: a
    /// section of a sync lock must not suspend, so the body is a plain fn.
    pub(super) if_sync: Option<Box<Forms>>,
}

/// A method of a view.
pub(super) struct HeldForm {
    pub(super) attrs: Vec<Attribute>,
    pub(super) vis: syn::Visibility,
    /// With `&mut self` or `&self`, the view.
    pub(super) sig: TokenStream,
    /// `<Account>::__deposit_held`.
    pub(super) body_fn: TokenStream,
    /// `<Account>::deposit`, if there is such a form.
    pub(super) acquiring: Option<TokenStream>,
    pub(super) arguments: Vec<Ident>,
    /// `.await`, or nothing.
    pub(super) awaited: TokenStream,
    /// It is an `async fn`, so calls of it are awaited.
    pub(super) is_async: bool,
    /// The option `atomic`, if there is one.
    pub(super) atomic: Option<Ident>,
    /// It returns `!`.
    pub(super) never_returns: bool,
    /// The body gets a view of its own, with one lifetime.
    pub(super) reborrows: bool,
}

/// The lifetime of views in generated code.
pub(super) fn guard_lifetime() -> Lifetime {
    Lifetime::new("'__guard", Span::call_site())
}

impl Forms {
    /// `None` if the method cannot have both: it needs more than the lock that
    /// it names, or its signature has no meaning on a view.
    pub(super) fn new(
        function: &Function,
        section: &Section,
        arguments: &TokenStream,
        self_ty: &TypePath,
        krate: &Krate,
    ) -> Option<Self> {
        let lock = section.only_own_lock()?;
        let receiver = Receiver::of(function)?;
        if !is_ordinary(function) || function.param_names().contains(&lock.binding) {
            return None;
        }
        let method = Parts {
            function,
            lock,
            receiver,
            named: function.with_named_params(arguments)?,
            atomic: section.atomic(),
            arguments,
            self_ty,
            krate,
        };
        let is_async = section.may_suspend(function);
        let is_hidden = is_async && section::first_await(function).is_none();
        Some(Forms {
            if_sync: is_hidden.then(|| Box::new(method.forms(false))),
            ..method.forms(is_async)
        })
    }
}

/// The input for the forms of a method.
struct Parts<'f> {
    function: &'f Function,
    lock: OwnLock,
    receiver: Receiver,
    named: Signature,
    atomic: Option<&'f Ident>,
    /// The arguments of the attribute.
    arguments: &'f TokenStream,
    self_ty: &'f TypePath,
    krate: &'f Krate,
}

impl Parts<'_> {
    /// The forms, with a body that is an `async fn` or a plain one.
    fn forms(&self, is_async: bool) -> Forms {
        let Parts {
            function,
            lock,
            self_ty,
            krate,
            ..
        } = self;
        let name = format_ident!(
            "__{}_held",
            plain(&function.sig.ident),
            span = hygienic(function.sig.ident.span())
        );
        let awaited = if is_async {
            // The place of the error that a section of a sync lock may not suspend.
            let at = section::first_await(function).unwrap_or(function.braces);
            quote_spanned!(hygienic(at)=> .await)
        } else {
            TokenStream::new()
        };
        let call = BodyCall {
            name: &name,
            turbofish: turbofish(&function.sig),
            arguments: argument_names(&self.named),
            awaited,
        };
        // A parameter that only an option uses is unused in the body.
        let is_used = |name: &&Ident| has_ident(self.arguments, &plain(name));
        let borrows = borrows(&function.sig);
        let mut used = vec![lock.binding.clone()];
        used.extend(call.arguments.iter().filter(is_used).cloned());
        Forms {
            body_fn: body_fn(
                function,
                lock,
                &call,
                is_async,
                borrows,
                &used,
                (self_ty, krate),
            ),
            acquiring: acquiring(function, self.named.clone(), lock, &call),
            held: HeldForm {
                atomic: self.atomic.cloned(),
                reborrows: borrows && lock.mode == Mode::Exclusive,
                ..held(
                    function,
                    self.named.clone(),
                    lock,
                    &self.receiver,
                    call,
                    self_ty,
                )
            },
            lock: lock.clone(),
            if_sync: None,
        }
    }
}

/// `&self`, in any notation.
pub(super) struct Receiver {
    pub(super) lifetime: Option<Lifetime>,
}

impl Receiver {
    pub(super) fn of(function: &Function) -> Option<Self> {
        let receiver = function.sig.receiver()?;
        let lifetime = match &receiver.kind {
            ReceiverKind::Reference(_, lifetime, None) => lifetime,
            ReceiverKind::Typed(_, ty) => match &**ty {
                Type::Reference(ty) if ty.mutability.is_none() => {
                    let is_self =
                        matches!(&*ty.elem, Type::Path(path) if path.path.is_ident("Self"));
                    is_self.then_some(&ty.lifetime)?
                }
                _ => return None,
            },
            _ => return None,
        };
        let is_named = |lifetime: &&Lifetime| lifetime.ident != "_";
        Some(Receiver {
            lifetime: lifetime.as_ref().filter(is_named).cloned(),
        })
    }
}

/// Whether a call can pass on everything in the signature.
fn is_ordinary(function: &Function) -> bool {
    let sig = &function.sig;
    let names_a_type = match &sig.output {
        ReturnType::Default => true,
        // The type would borrow from all arguments, the view too.
        ReturnType::Type(_, ty) => !has_ident(&ty.to_token_stream(), "impl"),
    };
    let has_cfg = |input: &FnArg| match input {
        FnArg::Receiver(receiver) => !receiver.attrs.is_empty(),
        FnArg::Typed(input) => input.attrs.iter().any(is_cfg),
    };
    matches!(function.kind, Kind::Async | Kind::Plain)
        && names_a_type
        && sig.safety.to_token_stream().is_empty()
        && sig.constness.is_none()
        && sig.abi.is_none()
        && sig.variadic.is_none()
        && !sig.inputs.iter().any(has_cfg)
}

impl Function {
    /// The signature with a name for each parameter, so that it can be passed on: a
    /// pattern gets a name, and so does a parameter that is marked as unused. `None` if the
    /// arguments of the attribute need the pattern.
    pub(super) fn with_named_params(&self, arguments: &TokenStream) -> Option<Signature> {
        let mut sig = self.sig.clone();
        for (index, input) in sig.inputs.iter_mut().enumerate() {
            let FnArg::Typed(input) = input else {
                continue;
            };
            let at = hygienic(input.pat.span());
            let (name, is_replaced) = match &*input.pat {
                Pat::Ident(PatIdent {
                    by_ref: None,
                    subpat: None,
                    ident,
                    ..
                }) if !ident.to_string().starts_with('_') => (ident.clone(), false),
                // A name with two underscores could be one of the expansion.
                Pat::Ident(PatIdent { ident, .. }) if !ident.to_string().starts_with("__") => {
                    (located(ident, at), true)
                }
                _ => (format_ident!("__arg{index}", span = at), true),
            };
            let mut idents = Vec::new();
            collect_idents(input.pat.to_token_stream(), &mut idents);
            let is_needed = |ident: &Ident| has_ident(arguments, &plain(ident));
            if is_replaced && idents.iter().any(is_needed) {
                return None;
            }
            *input.pat = parse_quote!(#name);
            // They apply to the body, which uses the parameter.
            input.attrs.clear();
        }
        Some(sig)
    }
}

/// The parameter names after [`Function::with_named_params`].
pub(super) fn argument_names(sig: &Signature) -> Vec<Ident> {
    let names = sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => match &*input.pat {
            Pat::Ident(pat) => Some(pat.ident.clone()),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    });
    names.gather()
}

/// `::<U, N>`: the generic arguments that cannot be inferred. Lifetimes can.
pub(super) fn turbofish(sig: &Signature) -> TokenStream {
    let names: Vec<_> = sig
        .generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(param) => Some(&param.ident),
            GenericParam::Const(param) => Some(&param.ident),
            GenericParam::Lifetime(_) => None,
        })
        .gather();
    if names.is_empty() {
        TokenStream::new()
    } else {
        quote!(::<#(#names),*>)
    }
}

/// How the body is called.
struct BodyCall<'f> {
    name: &'f Ident,
    turbofish: TokenStream,
    arguments: Vec<Ident>,
    awaited: TokenStream,
}

/// Expands to:
///
/// ```text
/// fn __deposit_held(&self, ledger: &'_ mut AccountLedgerHeld<'_>, amount: i64) -> i64 {
///     let _ = &ledger;
///     *ledger.balance += amount;
///     *ledger.balance
/// }
/// ```
///
/// It is async only if the body may suspend, as the future is smaller otherwise.
///
/// If the result borrows, it is:
///
/// ```text
/// fn __name_held<'__section>(
///     &self,
///     __view: &'__section mut AccountLedgerHeld<'__section>,
/// ) -> &str {
///     ::async_monitor::__view_in!(__view => mut ledger);
///     ..
/// }
/// ```
///
/// where the view ends with the body, as in a section. If the result borrowed from the parameter,
/// the compiler would report it once for each of its lifetimes, by names that the user did not
/// write.
fn body_fn(
    function: &Function,
    lock: &OwnLock,
    call: &BodyCall<'_>,
    is_async: bool,
    borrows: bool,
    used: &[Ident],
    (self_ty, krate): (&TypePath, &Krate),
) -> Function {
    let mut body_fn = function.clone();
    let (param, rebound) = if borrows {
        let section = Lifetime::new("'__section", hygienic(lock.field.span()));
        let (param, rebound) = tied_view(lock, &section, (self_ty, krate));
        let lifetime = GenericParam::Lifetime(LifetimeParam::new(section));
        body_fn.sig.generics.params.insert(0, lifetime);
        (param, Some(rebound))
    } else {
        view_param(lock, None, self_ty)
    };
    body_fn.vis = syn::Visibility::Inherited;
    body_fn.sig.ident = call.name.clone();
    if !is_async {
        body_fn.sig.asyncness = None;
    }
    body_fn.sig.inputs.insert(1, param);
    body_fn.attrs = function.attrs.iter().filter_map(attr_for_body).gather();
    let used = used
        .iter()
        .map(|name| quote_spanned!(hygienic(name.span())=> let _ = &#name;));
    let body = &function.body;
    body_fn.body = quote!(#rebound #(#used)* #body);
    body_fn
}

/// Whether the result has a lifetime other than `'static`, or parameters share a lifetime
/// with the object or with each other.
pub(super) fn borrows(sig: &Signature) -> bool {
    let mut borrows = sig.generics.lifetimes().next().is_some();
    let ReturnType::Type(_, ty) = &sig.output else {
        return borrows;
    };
    let mut named = ty.clone();
    Named(&mut || {
        borrows = true;
        Lifetime::new("'static", Span::call_site())
    })
    .in_type(&mut named);
    let text = named.to_token_stream().to_string();
    borrows || text.matches('\'').count() > text.matches("'static").count()
}

/// The view as a parameter of a body: `ledger: &'_ mut AccountLedgerHeld<'_>`, or with the
/// lifetime, which the compiler may propose to users.
///
/// A read view is bound by a statement, `let ref ledger = *__view;`. Otherwise, for a body that
/// writes, the compiler would suggest a `mut` in the type of the parameter, which is not the
/// user's. For a `ref` pattern, it suggests none.
pub(super) fn view_param(
    lock: &OwnLock,
    lifetime: Option<&Lifetime>,
    self_ty: &TypePath,
) -> (FnArg, Option<TokenStream>) {
    let binding = &lock.binding;
    // The place of the error that the view escapes the section.
    let at = hygienic(lock.field.span());
    let elided = Lifetime::new("'_", at);
    let section = lifetime.unwrap_or(&elided);
    let reference = quote_spanned!(at=> & #section);
    let view = view_type(self_ty, &lock.field, lock.mode, &quote!(#elided));
    match lock.mode {
        Mode::Exclusive => (parse_quote!(#binding: #reference mut #view), None),
        Mode::Shared => {
            let span = hygienic(binding.span());
            let param = Ident::new("__view", span);
            (
                parse_quote!(#param: #reference #view),
                Some(quote_spanned!(span=> let ref #binding = *#param;)),
            )
        }
    }
}

/// The view as a parameter of a body, and the statements that bind one which ends with the body:
/// it is borrowed for all of its lifetime (VW1 of the runtime).
fn tied_view(
    lock: &OwnLock,
    section: &Lifetime,
    (self_ty, krate): (&TypePath, &Krate),
) -> (FnArg, TokenStream) {
    // The place of the error that the view escapes the section.
    let at = hygienic(lock.field.span());
    let binding = &lock.binding;
    let span = hygienic(binding.span());
    let krate = krate.at(at);
    let view = Ident::new("__view", span);
    let ty = view_type(self_ty, &lock.field, lock.mode, &quote!(#section));
    match lock.mode {
        Mode::Exclusive => (
            parse_quote!(#view: &#section mut #ty),
            quote_spanned!(at=> #krate::__view_in!(#view => mut #binding);),
        ),
        Mode::Shared => (
            parse_quote!(#view: &#section #ty),
            quote_spanned!(at=> #krate::__view_in!(#view => #binding);),
        ),
    }
}

/// Expands to:
///
/// ```text
/// #[synchronized(ledger)]
/// pub async fn deposit(&self, amount: i64) -> i64 {
///     Self::__deposit_held(self, ledger, amount)
/// }
/// ```
fn acquiring(function: &Function, sig: Signature, lock: &OwnLock, call: &BodyCall<'_>) -> Function {
    let BodyCall {
        name,
        turbofish,
        arguments,
        awaited,
    } = call;
    let binding = &lock.binding;
    let this = sig.receiver().map(|receiver| receiver.self_token);
    let mut acquiring = function.clone();
    acquiring.body = quote_spanned! {hygienic(function.braces)=>
        Self::#name #turbofish (#this, #binding, #(#arguments),*) #awaited
    };
    acquiring.sig = sig;
    acquiring.attrs = function.attrs.iter().map(expect_to_allow).gather();
    // They apply to the body.
    acquiring.inner_attrs = TokenStream::new();
    acquiring
}

/// Expands to, together with `expand_held_forms`:
///
/// ```text
/// pub async fn deposit(&mut self, amount: i64) -> i64 { .. }
/// ```
///
/// where a borrow of `&self` is a borrow of the object for the whole
/// section: `'__guard`.
fn held(
    function: &Function,
    mut sig: Signature,
    lock: &OwnLock,
    receiver: &Receiver,
    call: BodyCall<'_>,
    self_ty: &TypePath,
) -> HeldForm {
    let guard = guard_lifetime();
    let borrowed = receiver.lifetime.as_ref().unwrap_or(&guard);
    if let ReturnType::Type(_, ty) = &mut sig.output {
        Named(&mut || borrowed.clone()).in_type(ty);
    }
    if let Some(lifetime) = &receiver.lifetime {
        let clause = sig.generics.make_where_clause();
        clause.predicates.push(parse_quote!(#guard: #lifetime));
    }
    if let Some(first) = sig.inputs.first_mut() {
        *first = match lock.mode {
            Mode::Exclusive => parse_quote!(&mut self),
            Mode::Shared => parse_quote!(&self),
        };
    }
    let this = self_ty.to_token_stream();
    let acquiring = &function.sig.ident;
    let BodyCall {
        name,
        turbofish,
        arguments,
        awaited,
    } = call;
    HeldForm {
        attrs: held_form_attrs(function, self_ty),
        vis: function.vis.clone(),
        sig: replace_self(sig.to_token_stream(), &this),
        body_fn: quote!(<#this>::#name #turbofish),
        acquiring: Some(quote!(<#this>::#acquiring #turbofish)),
        arguments,
        awaited,
        is_async: function.sig.asyncness.is_some(),
        atomic: None,
        reborrows: false,
        never_returns: matches!(
            &function.sig.output,
            ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_))
        ),
    }
}

/// The attributes that have the same meaning on a view, and a summary.
fn held_form_attrs(function: &Function, self_ty: &TypePath) -> Vec<Attribute> {
    let has_name =
        |attr: &Attribute, names: &[&str]| names.iter().any(|name| attr.path().is_ident(name));
    let mut attrs: Vec<Attribute> = docs(function, self_ty)
        .iter()
        .map(|doc| parse_quote!(#[doc = #doc]))
        .gather();
    attrs.extend(function.attrs.iter().filter_map(|attr| {
        let is_doc_option = attr.path().is_ident("doc") && matches!(attr.meta, Meta::List(_));
        if is_doc_option || has_name(attr, &["must_use", "deprecated", "inline", "cold"]) {
            Some(attr.clone())
        } else {
            attr_for_body(attr)
        }
    }));
    attrs
}

/// The first paragraph of the method's docs, if it has no links, which may not
/// resolve to the same items here; and the origin of the method.
fn docs(function: &Function, self_ty: &TypePath) -> Vec<String> {
    let lines = function.attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(expr) => match &expr.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    let mut docs: Vec<String> = lines
        .flat_map(|text| text.split('\n').map(str::to_owned).gather::<Vec<_>>())
        .take_while(|line| !line.trim().is_empty())
        .gather();
    if docs
        .iter()
        .any(|line| line.contains('[') || line.contains("```"))
    {
        docs.clear();
    }
    if !docs.is_empty() {
        docs.push(String::new());
    }
    let segments = self_ty.path.segments.last();
    let name = segments.map_or_else(String::new, |last| plain(&last.ident));
    docs.push(format!(
        " Runs under the lock already held: see `{name}::{}`.",
        function.sig.ident
    ));
    docs
}

fn is_cfg(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg")
}

/// The attribute, if it has to be on every fn with the body or a part of the signature.
pub(super) fn attr_for_body(attr: &Attribute) -> Option<Attribute> {
    const LINTS: [&str; 5] = ["allow", "warn", "deny", "forbid", "expect"];
    let is_lint = LINTS.iter().any(|name| attr.path().is_ident(name));
    let is_lint_at_times = attr.path().is_ident("cfg_attr")
        && LINTS
            .iter()
            .any(|name| has_ident(&attr.to_token_stream(), name));
    (is_lint || is_lint_at_times || is_cfg(attr)).then(|| expect_to_allow(attr))
}

/// `expect` as `allow`: the expected lint fires in only one of the forms.
fn expect_to_allow(attr: &Attribute) -> Attribute {
    let mut attr = attr.clone();
    if let Meta::List(list) = &mut attr.meta {
        if list.path.is_ident("expect") {
            let span = list.path.segments.last().map(|last| last.ident.span());
            list.path = Ident::new("allow", span.unwrap_or_else(Span::call_site)).into();
        }
    }
    attr
}
