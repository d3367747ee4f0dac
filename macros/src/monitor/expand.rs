//! From the model to code. Nothing here can fail.

use proc_macro2::{Delimiter, Group, Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::Attribute;
use syn::spanned::Spanned;

use super::analysis::Finding;
use super::forms::Forms;
use super::held_forms::expand_held_forms;
use super::holding::{self, Holding};
use super::model::{Member, Method, Monitor, struct_path};
use super::parse::Block;
use crate::gather::Gather;
use crate::names::{hygienic, plain, public};
use crate::section::{Kind, Mode};

/// Expands to:
///
/// ```text
/// impl Account {
///     #[cfg(not(clippy))]
///     Account! {
///         write ledger
///         {
///             fn __deposit_held(&self, ledger: &mut AccountLedgerHeld<'_>, ..) -> i64 { .. }
///             #[synchronized(ledger)]
///             pub async fn deposit(&self, amount: i64) -> i64 { .. }
///         }
///         {
///             #[synchronized(ledger)]
///             pub async fn deposit(&self, amount: i64) -> i64 { .. }
///         }
///     }
///     #[cfg(clippy)]
///     #[synchronized(ledger)]
///     pub async fn deposit(&self, amount: i64) -> i64 { .. }
///     // other items as they are
/// }
///
/// // what `expand_held_forms` and the findings expand to
/// ```
///
/// Under `plain` there are no views, and the impl is emitted unchanged.
///
/// `Account!` selects the first block if the derive of `Account` knows a lock
/// `ledger`. If it does not, there is no view, and the method is emitted unchanged.
///
/// So it is under `cfg(clippy)`: many lints compare a signature with the body, the
/// visibility or the docs, and would report other things for two fns.
pub(super) fn expand(monitor: Monitor, findings: &[Finding]) -> TokenStream {
    let held_forms = expand_held_forms(&monitor);
    let findings: TokenStream = findings
        .iter()
        .map(|finding| expand_finding(finding, &monitor))
        .gather();
    let check = expand_check(&monitor);
    let conditions = expand_conditions(&monitor);
    let Monitor { block, members, .. } = monitor;
    let path = struct_path(&block.self_ty);
    let members: TokenStream = members
        .into_iter()
        .map(|member| match member {
            Member::Method(method) => expand_method(*method, &path),
            Member::Other(tokens) => tokens,
        })
        .gather();
    let (attrs, inner_attrs, self_ty) = (&block.attrs, &block.inner_attrs, &block.self_ty);
    let (impl_params, _, where_clause) = block.generics.split_for_impl();
    let impl_token = block.impl_token;
    let mut body = Group::new(Delimiter::Brace, quote!(#(#inner_attrs)* #members));
    body.set_span(block.braces);
    quote! {
        #(#attrs)*
        #impl_token #impl_params #self_ty #where_clause #body

        #check
        #conditions
        #held_forms
        #findings
    }
}

/// Expands to:
///
/// ```text
/// const _: () = {
///     fn __check(_: &Account) {
///         ::async_monitor::__private::derived::<Account>();
///     }
/// };
/// ```
///
/// or, under `plain`:
///
/// ```text
/// use ::async_monitor::__private::AnswerOfOthers as _;
/// ::async_monitor::__private::plain(
///     ::async_monitor::__private::DeriveOf::<Account>::of().__answer(),
/// );
/// ```
///
/// where the parameter is needed for the implied bounds of its type. Without a derive there
/// is no macro `Account!`, and the compiler's message about that would not help.
fn expand_check(monitor: &Monitor) -> TokenStream {
    let Block {
        self_ty, generics, ..
    } = &monitor.block;
    let (params, _, where_clause) = generics.split_for_impl();
    let span = public(self_ty.span());
    let private = monitor.krate.private_at(span);
    let derived = if monitor.is_plain {
        quote_spanned! {span=>
            use #private::AnswerOfOthers as _;
            #private::plain(#private::DeriveOf::<#self_ty>::of().__answer());
        }
    } else {
        quote_spanned!(span=> #private::derived::<#self_ty>())
    };
    // Nobody calls it.
    let check = quote_spanned! {hygienic(self_ty.span())=>
        fn __check #params (_: &#self_ty) #where_clause {
            #derived
        }
    };
    let attrs = monitor.block.attrs.iter().filter(|attr| is_of_all(attr));
    quote! {
        #(#attrs)*
        const _: () = {
            #check
        };
    }
}

fn expand_method(method: Method, path: &TokenStream) -> TokenStream {
    let Method {
        function,
        forms,
        holding,
        is_wrong,
        ..
    } = method;
    if let Some(holding) = holding {
        return expand_holding(&holding, path);
    }
    if is_wrong {
        return TokenStream::new();
    }
    let Some(forms) = forms else {
        return function.into_tokens();
    };
    let (mode, field) = (mode(forms.lock.mode), forms.lock.field.clone());
    let of_forms = |forms: Forms| {
        let (body_fn, acquiring) = (forms.body_fn.into_tokens(), forms.acquiring.into_tokens());
        quote!(#body_fn #acquiring)
    };
    let mut forms = forms;
    let is_atomic = forms.held.atomic.is_some();
    let if_sync = forms.if_sync.take().map(|forms| of_forms(*forms));
    let plain = function.into_tokens();
    // In an `atomic` section, a body that may suspend is a future of its own. It would be
    // awaited under the guard, even in code that never runs.
    let of_clippy = if_sync.clone().filter(|_| is_atomic);
    let of_clippy = either(path, &field, of_clippy, plain.clone());
    let forms = either(path, &field, if_sync, of_forms(forms));
    quote! {
        #[cfg(not(clippy))]
        #path! { #mode #field { #forms } { #plain } }
        #[cfg(clippy)]
        #of_clippy
    }
}

/// Expands to, if the expansion for a sync lock differs:
///
/// ```text
/// Account! { sync ledger { .. } { .. } }
/// ```
pub(super) fn either(
    path: &TokenStream,
    field: &Ident,
    if_sync: Option<TokenStream>,
    if_not: TokenStream,
) -> TokenStream {
    match if_sync {
        Some(if_sync) => quote!(#path! { sync #field { #if_sync } { #if_not } }),
        None => if_not,
    }
}

/// Expands to:
///
/// ```text
/// Account! {
///     write ledger
///     { fn __trim_held<'ledger>(&self, ledger: &'ledger mut AccountLedgerHeld<'_>) { .. } }
///     { ::core::compile_error! { .. } }
/// }
/// // the decoy
/// ```
fn expand_holding(holding: &Holding, path: &TokenStream) -> TokenStream {
    let (mode, field) = (mode(holding.lock.mode), &holding.lock.field);
    let body_fn = holding.body_fn.clone().into_tokens();
    let name = path.to_string().replace(' ', "");
    let message = format!(
        "`{field}` has no view in which this could be a method: it is not a lock of \
         `#[derive(Guarded)]` on `{name}`, or not one that is held this way; write the name of \
         such a lock, and `read({field})` only where it is to be read"
    );
    let error = syn::Error::new(field.span(), message).to_compile_error();
    let decoy = holding.decoy();
    quote! {
        #path! { #mode #field { #body_fn } { #error } }
        #decoy
    }
}

/// The traits in the bounds of decoys.
fn expand_conditions(monitor: &Monitor) -> TokenStream {
    let self_ty = &monitor.block.self_ty;
    let conditions = monitor.methods().filter_map(|method| {
        let holding = method.holding.as_ref()?;
        Some(holding::expand_condition(
            holding,
            &method.function,
            self_ty,
            &monitor.krate,
        ))
    });
    conditions.gather()
}

/// The mode by which the macro of the struct is asked for a lock.
pub(super) fn mode(mode: Mode) -> TokenStream {
    match mode {
        Mode::Exclusive => quote!(write),
        Mode::Shared => quote!(read),
    }
}

/// Whether the attribute of the impl applies to every item that it expands to.
pub(super) fn is_of_all(attr: &Attribute) -> bool {
    ["allow", "warn", "deny", "forbid", "cfg", "cfg_attr"]
        .iter()
        .any(|name| attr.path().is_ident(name))
}

/// Expands to, if only the derive knows whether there is such a lock:
///
/// ```text
/// Account! { acquire ledger { ::core::compile_error! { .. } } {} }
/// ```
///
/// and if the message for an exclusive lock differs:
///
/// ```text
/// Account! {
///     acquire ledger { ::core::compile_error! { .. } } { ::core::compile_error! { .. } }
/// }
/// ```
fn expand_finding(finding: &Finding, monitor: &Monitor) -> TokenStream {
    if monitor.is_plain {
        return expand_plain_finding(finding, monitor);
    }
    let path = struct_path(&monitor.block.self_ty);
    let mut tokens = finding.error.to_compile_error();
    if let Some((lock, error)) = &finding.of_plain_lock {
        let plain = error.to_compile_error();
        tokens = quote!(#path! { write #lock { #tokens } { #plain } });
    }
    for (lock, error) in &finding.of_exclusive_lock {
        let exclusive = error.as_ref().map(syn::Error::to_compile_error);
        tokens = quote!(#path! { acquire #lock { #exclusive } { #tokens } });
    }
    for (mode, lock) in &finding.conditions {
        tokens = quote!(#path! { #mode #lock { #tokens } {} });
    }
    tokens
}

/// The message without a derive: none, if the finding depends on a derive, or if the sections
/// of the impl do not show the kind of the lock.
fn expand_plain_finding(finding: &Finding, monitor: &Monitor) -> TokenStream {
    let mut conditions = finding.conditions.iter();
    if !conditions.all(|(kind, lock)| is_known(monitor, &kind.to_string(), lock)) {
        return TokenStream::new();
    }
    let of_plain_lock = finding.of_plain_lock.as_ref();
    let error = of_plain_lock.map_or(&finding.error, |(_, error)| error);
    error.to_compile_error()
}

/// Whether a section of the impl shows the kind: a section holds a lock, and a section of a
/// plain fn holds a sync lock.
fn is_known(monitor: &Monitor, kind: &str, lock: &Ident) -> bool {
    let mut sections = monitor.methods().filter(|method| {
        let locks = method.own_locks();
        locks.iter().any(|held| plain(&held.field) == plain(lock))
    });
    match kind {
        "write" => sections.next().is_some(),
        "sync" => sections.any(|method| matches!(method.function.kind, Kind::Plain)),
        _ => false,
    }
}
