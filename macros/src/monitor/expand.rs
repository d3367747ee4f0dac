//! From the model to code. Nothing here can fail.

use proc_macro2::{Delimiter, Group, Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::Attribute;
use syn::spanned::Spanned;

use super::analysis::Finding;
use super::forms::{Forms, HeldForm, guard_lifetime};
use super::holding::{self, Holding};
use super::model::{Member, Method, Monitor, struct_path, view_type};
use super::parse::Block;
use crate::gather::Gather;
use crate::names::{Krate, hygienic, plain, public};
use crate::section::{Kind, Mode, OwnLock, Rollback};

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
fn either(
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
fn mode(mode: Mode) -> TokenStream {
    match mode {
        Mode::Exclusive => quote!(write),
        Mode::Shared => quote!(read),
    }
}

/// Expands to, for each lock and mode:
///
/// ```text
/// Account! {
///     write ledger
///     {
///         impl<'__guard> AccountLedgerHeld<'__guard> {
///             #[cfg(not(clippy))]
///             pub async fn deposit(&mut self, amount: i64) -> i64 { .. }
///             #[cfg(clippy)]
///             pub async fn deposit(&mut self, amount: i64) -> i64 { .. }
///         }
///     }
///     {}
/// }
/// ```
///
/// and for read methods, an impl of the view of a read section. If the lock is
/// `rw`, that is another type than the write view, and there is one more impl:
///
/// ```text
/// Account! {
///     rw cfg
///     {
///         impl<'__guard> AccountCfgHeld<'__guard> { .. }
///     }
///     {}
/// }
/// ```
///
/// Under clippy, the method keeps the body, and the held form, which never runs, calls it.
fn expand_held_forms(monitor: &Monitor) -> TokenStream {
    let path = struct_path(&monitor.block.self_ty);
    let krate = &monitor.krate;
    let mut groups: Vec<(&OwnLock, Vec<OfView<'_>>)> = Vec::new();
    for method in monitor.methods() {
        let Some(of_view) = OfView::new(method) else {
            continue;
        };
        let lock = of_view.lock;
        let is_same = |other: &OwnLock| other.field == lock.field && other.mode == lock.mode;
        match groups.iter_mut().find(|(other, _)| is_same(other)) {
            Some((_, group)) => group.push(of_view),
            None => groups.push((lock, vec![of_view])),
        }
    }
    let groups = groups.into_iter().map(|(lock, of_view)| {
        let held_forms = |mode: Mode, body: &dyn Fn(&HeldForm, &Krate) -> TokenStream| {
            // A result that borrows from a read view cannot borrow from one made for the call.
            let is_elsewhere = mode != lock.mode;
            let of_view = of_view.iter().filter(|it| !(is_elsewhere && it.borrows));
            let held_forms = of_view.map(|OfView { held, if_sync, .. }| {
                let HeldForm {
                    attrs, vis, sig, ..
                } = held;
                let Some(call) = call_of_acquiring(held, krate) else {
                    let body = body(held, krate);
                    return quote! {
                        #(#attrs)*
                        #vis #sig { #body }
                    };
                };
                let other = use_of_acquiring(held, &call);
                let head = as_generated(quote!(#vis #sig));
                let awaited = held.is_async.then(|| quote!(.await));
                let with_body = |held: &HeldForm| {
                    let body = body(held, krate);
                    quote! {
                        #(#attrs)*
                        #head { #other #body }
                    }
                };
                let with_body = either(&path, &lock.field, if_sync.map(with_body), with_body(held));
                quote! {
                    #[cfg(not(clippy))]
                    #with_body

                    #[cfg(clippy)]
                    #(#attrs)*
                    #head { #call #awaited }
                }
            });
            expand_impl(monitor, lock, mode, &held_forms.gather())
        };
        let own = held_forms(lock.mode, &on_own_view);
        let (mode, field) = (mode(lock.mode), &lock.field);
        let other = (lock.mode == Mode::Shared).then(|| {
            let writing = held_forms(Mode::Exclusive, &on_writing_view);
            quote!(#path! { rw #field { #writing } {} })
        });
        quote! {
            #path! { #mode #field { #own } {} }
            #other
        }
    });
    groups.gather()
}

/// A method of a view.
struct OfView<'m> {
    lock: &'m OwnLock,
    held: &'m HeldForm,
    /// The method for a sync lock, if it differs.
    if_sync: Option<&'m HeldForm>,
    borrows: bool,
}

impl<'m> OfView<'m> {
    fn new(method: &'m Method) -> Option<Self> {
        match (&method.holding, &method.forms) {
            (Some(holding), _) => Some(OfView {
                lock: &holding.lock,
                held: &holding.held,
                if_sync: None,
                borrows: holding.borrows,
            }),
            (None, Some(forms)) => Some(OfView {
                lock: &forms.lock,
                held: &forms.held,
                if_sync: forms.if_sync.as_ref().map(|forms| &forms.held),
                borrows: false,
            }),
            (None, None) => None,
        }
    }
}

/// The head of a fn, with the span of the macro. By the span from the head
/// to the last brace, the compiler recognizes a generated fn, and does not report it
/// as dead code.
fn as_generated(head: TokenStream) -> TokenStream {
    let mut tokens = head.into_iter();
    let first = tokens.next().map(|mut first| {
        first.set_span(public(first.span()));
        first
    });
    first.into_iter().chain(tokens).gather()
}

/// Expands to:
///
/// ```text
/// if false {
///     ::core::mem::forget(<Account>::deposit(
///         ::async_monitor::__private::ViewOf::object(self),
///         amount,
///     ));
///     ::core::unreachable!();
/// }
/// ```
///
/// A method with a use of either form is not dead code: this code tells the compiler
/// that a use of the held form is one of the acquiring form.
fn use_of_acquiring(held: &HeldForm, call: &TokenStream) -> TokenStream {
    let used = match (held.is_async, held.never_returns) {
        (true, _) => quote!(::core::mem::forget(#call);),
        (false, false) => quote!(let _ = #call;),
        (false, true) => return quote!(if false { #call; }),
    };
    quote! {
        if false {
            #used
            ::core::unreachable!();
        }
    }
}

/// Expands to:
///
/// ```text
/// <Account>::deposit(::async_monitor::__private::ViewOf::object(self), amount)
/// ```
fn call_of_acquiring(held: &HeldForm, krate: &Krate) -> Option<TokenStream> {
    let HeldForm {
        acquiring,
        arguments,
        ..
    } = held;
    let acquiring = acquiring.as_ref()?;
    Some(quote!(#acquiring(#krate::__private::ViewOf::object(self), #(#arguments),*)))
}

/// Expands to:
///
/// ```text
/// <Account>::__deposit_held(::async_monitor::__private::ViewOf::object(self), self, amount)
/// ```
///
/// or, for a method that is `atomic`:
///
/// ```text
/// let __object = ::async_monitor::__private::ViewOf::object(self);
/// let mut __snapshot = None;
/// let __committed = ::async_monitor::__private::Committed::new();
/// let mut __rollback =
///     ::async_monitor::__private::roll_back_view(self, &mut __snapshot, &__committed);
/// let mut __view = ::async_monitor::__private::ReborrowView::reborrow(__rollback.__guard());
/// let __value = <Account>::__deposit_held(__object, &mut __view, amount);
/// ::async_monitor::__private::commit(__value, &__committed, |__value| {
///     ::async_monitor::__private::outcome(__value).__is_success()
/// })
/// ```
///
/// where the body has a view of its own, so that the rollback uses
/// references that the body cannot have swapped. It also has one if its result borrows.
fn on_own_view(held: &HeldForm, krate: &Krate) -> TokenStream {
    let HeldForm {
        body_fn,
        arguments,
        awaited,
        atomic,
        never_returns,
        reborrows,
        ..
    } = held;
    if let Some(atomic) = atomic {
        let rollback = Rollback::new(atomic, krate);
        let Rollback {
            span,
            private,
            committed,
        } = &rollback;
        let snapshot = Ident::new("__snapshot", *span);
        let snapshots = rollback.snapshots([&snapshot].into_iter());
        let call =
            quote_spanned!(*span=> #body_fn(__object, &mut __view, #(#arguments),*) #awaited);
        let last = if *never_returns {
            call
        } else {
            let commit = rollback.commit(&quote_spanned!(*span=> __value));
            quote_spanned!(*span=> let __value = #call; #commit)
        };
        // The `self` of the signature, which is not the macro's own.
        let this = quote!(self);
        return quote_spanned! {*span=>
            let __object = #private::ViewOf::object(#this);
            #snapshots
            let mut __rollback = #private::roll_back_view(#this, &mut #snapshot, &#committed);
            let mut __view = #private::ReborrowView::reborrow(__rollback.__guard());
            #last
        };
    }
    if *reborrows {
        return quote! {
            let __object = #krate::__private::ViewOf::object(self);
            let mut __view = #krate::__private::ReborrowView::reborrow(self);
            #body_fn(__object, &mut __view, #(#arguments),*) #awaited
        };
    }
    quote! {
        #body_fn(#krate::__private::ViewOf::object(self), self, #(#arguments),*) #awaited
    }
}

/// Expands to:
///
/// ```text
/// <Account>::__limit_held(
///     ::async_monitor::__private::ViewOf::object(self),
///     &::async_monitor::__private::AsRead::as_read(self),
/// )
/// ```
fn on_writing_view(held: &HeldForm, krate: &Krate) -> TokenStream {
    let HeldForm {
        body_fn,
        arguments,
        awaited,
        ..
    } = held;
    quote! {
        #body_fn(
            #krate::__private::ViewOf::object(self),
            &#krate::__private::AsRead::as_read(self),
            #(#arguments),*
        ) #awaited
    }
}

fn expand_impl(
    monitor: &Monitor,
    lock: &OwnLock,
    mode: Mode,
    held_forms: &TokenStream,
) -> TokenStream {
    let block = &monitor.block;
    let guard = guard_lifetime();
    let view = view_type(&block.self_ty, &lock.field, mode, &quote!(#guard));
    let params = &block.generics.params;
    let where_clause = &block.generics.where_clause;
    let attrs = block.attrs.iter().filter(|attr| is_of_all(attr));
    quote! {
        #(#attrs)*
        #[automatically_derived]
        impl<#guard, #params> #view #where_clause {
            #held_forms
        }
    }
}

/// Whether the attribute of the impl applies to every item that it expands to.
fn is_of_all(attr: &Attribute) -> bool {
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
