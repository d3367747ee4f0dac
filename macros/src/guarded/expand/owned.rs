//! Guards that keep their object alive.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::Side;
use crate::names::{plain, public, unsafe_};

impl Side<'_> {
    /// Expands to:
    ///
    /// ```text
    /// // within `::async_monitor::__with_alloc! { .. }`
    /// pub struct AccountLedgerOwnedGuard(
    ///     ::async_monitor::__private::OwnedCore<Account, AccountLedgerGuard<'static>>,
    /// )
    /// where
    ///     Account: 'static;
    ///
    /// impl AccountLedgerOwnedGuard {
    ///     fn fields(&mut self) -> AccountLedgerHeld<'_> { .. }
    ///     fn release(_: Self) {}
    /// }
    ///
    /// impl Account {
    ///     fn acquire_ledger_owned(
    ///         self: &Arc<Self>,
    ///     ) -> impl Future<Output = AccountLedgerOwnedGuard> {
    ///         let __owner = Arc::clone(self);
    ///         let __object: &'static Self = unsafe { kept(&__owner) };
    ///         let __acquire = Self::acquire_ledger(__object);
    ///         let mut __acquire = unsafe { OwnedAcquire::new(__owner, __acquire) };
    ///         async move {
    ///             AccountLedgerOwnedGuard(unsafe { Pin::new_unchecked(&mut __acquire) }.await)
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// SAFETY, of what is generated: the guard is of the object behind the `Arc`, which is
    /// kept beside it, and beside the future before (O1). The block is pinned when it polls
    /// that future, and moves it nowhere. `fields` shows the guard for as long as
    /// the owned guard is borrowed.
    pub(super) fn expand_owned(&self) -> TokenStream {
        let Side { monitor, guard, .. } = self;
        let krate = &monitor.krate;
        let private = quote!(#krate::__private);
        let (vis, method_vis) = (&monitor.vis, &self.lock.vis);
        let name = plain(&self.lock.ident);
        let text = guard.to_string();
        let prefix = text.strip_suffix("Guard").unwrap_or(&text);
        let owned = format_ident!("{prefix}OwnedGuard", span = guard.span());
        let (params, this) = (monitor.params.of_impl(), monitor.params.this());
        let arguments = monitor.params.own_arguments();
        let where_clause = monitor.params.where_clause(&TokenStream::new());
        let where_static = monitor.params.where_clause(&quote!(#this: 'static,));
        let guard_type = self.guard_type(&quote!('static));
        let held = self.held_type(&quote!('_));
        let receiver = self.reference(&TokenStream::new());
        let (hidden, unsafe_) = (self.hidden(), unsafe_());
        let get = if self.is_shared {
            quote!(guard)
        } else {
            quote!(guard_mut)
        };
        let span = public(self.lock.ident.span());
        let method = format_ident!("{}_{name}_owned", self.verb, span = span);
        let acquire = format_ident!("{}_{name}", self.verb);
        let (output, acquired) = if self.lock.is_sync {
            (
                quote!(#owned #arguments),
                quote! {
                    let __guard = Self::#acquire(__object);
                    #owned(#unsafe_ { #private::OwnedCore::new(__owner, __guard) })
                },
            )
        } else {
            (
                quote!(impl ::core::future::Future<Output = #owned #arguments>),
                quote! {
                    let __acquire = Self::#acquire(__object);
                    let mut __acquire = #unsafe_ {
                        #private::OwnedAcquire::new(__owner, __acquire)
                    };
                    async move {
                        #owned(#unsafe_ { ::core::pin::Pin::new_unchecked(&mut __acquire) }.await)
                    }
                },
            )
        };
        let bounds = self.shareable();
        let doc = format!(
            "Holds the lock `{name}` of `{}`, and keeps the object alive, until it is dropped or \
             released.",
            monitor.ident
        );
        let method_doc = format!(
            "Like `{acquire}`, but the guard keeps the `{}` alive and borrows nothing.",
            monitor.ident
        );
        let fields_doc = format!("The data that `{name}` guards, while the guard is borrowed.");
        quote! {
            #krate::__with_alloc! {
                #[doc = #doc]
                #[must_use = "the lock is released as soon as the guard is dropped"]
                #hidden
                #vis struct #owned #params (
                    #private::OwnedCore<#this, #guard_type>,
                ) #where_static;

                #[automatically_derived]
                impl #params ::core::fmt::Debug for #owned #arguments #where_static {
                    #[doc(hidden)]
                    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                        ::core::fmt::DebugStruct::finish_non_exhaustive(
                            &mut ::core::fmt::Formatter::debug_struct(
                                __formatter,
                                ::core::stringify!(#owned),
                            ),
                        )
                    }
                }

                #[automatically_derived]
                impl #params #owned #arguments #where_static {
                    #[doc = #fields_doc]
                    #[inline]
                    #method_vis fn fields(#receiver self) -> #held {
                        #guard::fields(#unsafe_ { #private::OwnedCore::#get(#receiver self.0) })
                    }

                    /// Releases the lock. Equivalent to `drop(guard)`.
                    #[inline]
                    #method_vis fn release(_: Self) {}
                }

                #[automatically_derived]
                impl #params #this #where_clause {
                    #[doc = #method_doc]
                    #[track_caller]
                    #method_vis fn #method(self: &#private::Arc<Self>) -> #output
                    where
                        Self: 'static,
                        #bounds
                    {
                        let __owner = ::core::clone::Clone::clone(self);
                        let __object: &'static Self = #unsafe_ { #private::kept(&__owner) };
                        #acquired
                    }
                }
            }
        }
    }
}
