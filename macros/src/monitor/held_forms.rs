//! The impls of the views: the held forms of methods.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};

use super::expand::{either, is_of_all, mode};
use super::forms::{HeldForm, guard_lifetime};
use super::model::{Method, Monitor, struct_path, view_type};
use crate::gather::Gather;
use crate::names::{Krate, public};
use crate::section::{Mode, OwnLock, Rollback};

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
pub(super) fn expand_held_forms(monitor: &Monitor) -> TokenStream {
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
