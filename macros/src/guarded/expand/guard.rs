//! The guard of a lock.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{Side, expand_debug};
use crate::gather::Gather;
use crate::guarded::model::{Contents, GuardedField};
use crate::names::{hygienic, public, unsafe_};

impl Side<'_> {
    /// Expands to:
    ///
    /// ```text
    /// pub struct AccountLedgerGuard<'__guard>(
    ///     ::async_monitor::__private::Core<'__guard, Account, GuardOf<..>, 0x1234>,
    ///     ::core::marker::PhantomData<(&'__guard mut i64, &'__guard mut Vec<i64>)>,
    /// );
    /// ```
    ///
    /// and the impls below. The second field makes the guard `Sync` only where
    /// the data is, and invariant in its types.
    pub(super) fn expand_guard(&self) -> TokenStream {
        let Side { guard, monitor, .. } = self;
        let (vis, hidden) = (&monitor.vis, self.hidden());
        let declared = monitor.params.of_declaration();
        let where_clause = monitor.params.where_clause(&TokenStream::new());
        let core = self.core_type();
        let (reference, values) = (self.reference(&quote!('__guard)), self.values());
        let doc = format!(
            "Holds the lock `{}` of `{}`{} until it is dropped or released.",
            self.lock.ident,
            monitor.ident,
            if self.is_shared {
                ", shared with other readers,"
            } else {
                ""
            },
        );
        let debug = expand_debug(monitor, guard);
        let methods = self.expand_guard_methods();
        let hint = self.expand_hint();
        let (core_name, krate) = (self.core(), &self.monitor.krate);
        let owner = quote!(#krate::__private::#core_name::owner(&self.0));
        let holds_lock = self.expand_holds_lock(&self.guard_type(&quote!('__guard)), &owner);
        quote! {
            #[doc = #doc]
            #[must_use = "the lock is released as soon as the guard is dropped"]
            #hidden
            #vis struct #guard #declared (
                #core,
                ::core::marker::PhantomData<(#(#reference #values,)*)>,
            ) #where_clause;

            #debug
            #methods
            #hint
            #holds_lock
        }
    }

    /// Expands to:
    ///
    /// ```text
    /// pub struct AccountLedgerCallFields {
    ///     balance: ::async_monitor::__private::CallFields<i64>,
    ///     history: ::async_monitor::__private::CallFields<Vec<i64>>,
    ///     __owner: ::core::marker::PhantomData<fn() -> *const Account>,
    /// }
    ///
    /// impl<'__guard> ::core::ops::Deref for AccountLedgerGuard<'__guard> {
    ///     type Target = AccountLedgerCallFields;
    ///     fn deref(&self) -> &AccountLedgerCallFields { .. }
    /// }
    /// ```
    ///
    /// which contains no data. If a field of the guard is used, the compiler finds the field here,
    /// and its type says what to write.
    fn expand_hint(&self) -> TokenStream {
        let Side { guard, monitor, .. } = self;
        let krate = &monitor.krate;
        let vis = &monitor.vis;
        let text = guard.to_string();
        let prefix = text.strip_suffix("Guard").unwrap_or(&text);
        let hint = format_ident!("{prefix}CallFields", span = guard.span());
        let declared = monitor.params.of_impl();
        let own_arguments = monitor.params.own_arguments();
        let this = monitor.params.this();
        let (params, arguments) = (
            monitor.params.with_guard(),
            monitor.params.arguments(&quote!('__guard)),
        );
        let where_clause = monitor.params.where_clause(&TokenStream::new());
        // Users need not use every field: no lint checks these names.
        let unseen = |ident: &proc_macro2::Ident| {
            let mut ident = ident.clone();
            ident.set_span(hygienic(ident.span()));
            ident
        };
        let fields: Vec<_> = match &self.lock.contents {
            Contents::Fields(fields) => fields
                .iter()
                .map(|field| (&field.vis, unseen(&field.ident), &field.value))
                .gather(),
            Contents::Value { ty, .. } => {
                let value = proc_macro2::Ident::new("value", self.lock.ident.span());
                vec![(&self.lock.vis, unseen(&value), &**ty)]
            }
        };
        let declarations = fields
            .iter()
            .map(|(vis, ident, ty)| quote!(#vis #ident: #krate::__private::CallFields<#ty>,));
        let values = fields
            .iter()
            .map(|(_, ident, _)| quote!(#ident: #krate::__private::CallFields::HINT,));
        quote! {
            #[doc(hidden)]
            #vis struct #hint #declared #where_clause {
                #(#declarations)*
                __owner: ::core::marker::PhantomData<fn() -> *const #this>,
            }

            #[doc(hidden)]
            #[automatically_derived]
            impl #declared ::core::fmt::Debug for #hint #own_arguments #where_clause {
                #[doc(hidden)]
                fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::fmt::Formatter::write_str(__formatter, ::core::stringify!(#hint))
                }
            }

            #[doc(hidden)]
            #[automatically_derived]
            impl #params ::core::ops::Deref for #guard #arguments #where_clause {
                type Target = #hint #own_arguments;

                #[inline]
                fn deref(&self) -> &Self::Target {
                    const {
                        &#hint { #(#values)* __owner: ::core::marker::PhantomData }
                    }
                }
            }
        }
    }

    /// Expands to:
    ///
    /// ```text
    /// impl<'__guard> AccountLedgerGuard<'__guard> {
    ///     fn fields(&mut self) -> AccountLedgerHeld<'_> {
    ///         let __owner = ::async_monitor::__private::Core::owner(&self.0);
    ///         unsafe {
    ///             AccountLedgerHeld {
    ///                 balance: &mut *::async_monitor::__private::pointer(&__owner.balance),
    ///                 __owner: ::async_monitor::__private::Owner::new(__owner),
    ///             }
    ///         }
    ///     }
    ///
    ///     fn release(_: Self) {}
    /// }
    /// ```
    ///
    /// (The guard, like every argument, is dropped when the fn returns. It has no name, so that
    /// none of ours shows in the docs of users.)
    ///
    /// SAFETY of the generated code: the core proves that the lock is held (K1),
    /// and it is borrowed for as long as the references and the owner (K2);
    /// `pointer` accepts nothing but the field itself; and each field is behind
    /// one lock only. If the lock is shared, so are the references, and the
    /// guard was made by a method that requires `T: Sync`.
    fn expand_guard_methods(&self) -> TokenStream {
        let krate = &self.monitor.krate;
        let Side {
            guard,
            held,
            monitor,
            ..
        } = self;
        let vis = &self.lock.vis;
        let params = monitor.params.with_guard();
        let arguments = monitor.params.arguments(&quote!('__guard));
        let where_clause = monitor.params.where_clause(&TokenStream::new());
        let receiver = self.reference(&TokenStream::new());
        let held_type = self.held_type(&quote!('_));
        let (core, unsafe_) = (self.core(), unsafe_());
        let lock = &self.lock.ident;
        let mut resolved = TokenStream::new();
        let fields: TokenStream = match &self.lock.contents {
            Contents::Fields(fields) => {
                let fields = fields.iter().map(|GuardedField { ident, value, .. }| {
                    let span = public(value.span());
                    let private = krate.private_at(span);
                    let pointer =
                        quote_spanned!(span=> #private::pointer::<#value, _>(&__owner.#ident));
                    quote!(#ident: #receiver *#pointer,)
                });
                fields.gather()
            }
            Contents::Value { .. } => {
                let (resolve, value) = if self.is_shared {
                    (quote!(__resolve_shared), quote!(__value_shared))
                } else {
                    (quote!(__resolve), quote!(__value))
                };
                let field = self.item("field");
                resolved = quote! {
                    let __field = #krate::__private::#field(&__owner.#lock).#resolve();
                };
                quote!(value: __field.#value(#receiver self.0),)
            }
        };
        let doc = format!(
            "The data that `{}` guards, while the guard is borrowed.",
            self.lock.ident
        );
        quote! {
            #[automatically_derived]
            impl #params #guard #arguments #where_clause {
                #[doc = #doc]
                #[inline]
                #vis fn fields(#receiver self) -> #held_type {
                    let __owner = #krate::__private::#core::owner(&self.0);
                    #resolved
                    #unsafe_ {
                        #held {
                            #fields
                            __owner: #krate::__private::Owner::new(__owner),
                        }
                    }
                }

                /// Releases the lock. Equivalent to `drop(guard)`.
                #[inline]
                #vis fn release(_: Self) {}
            }
        }
    }

    /// Expands to:
    ///
    /// ```text
    /// unsafe impl<'__guard> ::async_monitor::HoldsLock for AccountLedgerGuard<'__guard> {
    ///     fn lock_id(&self) -> ::async_monitor::LockId {
    ///         ::async_monitor::AsyncLock::id(::async_monitor::__private::object_lock(self.0.owner()))
    ///     }
    /// }
    /// ```
    ///
    /// SAFETY of the generated code: by K1 or K2, the lock of this owner is held
    /// while the value exists.
    ///
    /// A sync lock has no such impl: nothing waits at a `Condition` with its guard.
    pub(super) fn expand_holds_lock(&self, ty: &TokenStream, owner: &TokenStream) -> TokenStream {
        if self.lock.is_sync {
            return TokenStream::new();
        }
        let krate = &self.monitor.krate;
        let params = self.monitor.params.with_guard();
        let where_clause = self.monitor.params.where_clause(&TokenStream::new());
        let (lock, unsafe_) = (self.lock_of(owner), unsafe_());
        quote! {
            #[automatically_derived]
            #unsafe_ impl #params #krate::HoldsLock for #ty #where_clause {
                #[inline]
                fn lock_id(&self) -> #krate::LockId {
                    #krate::AsyncLock::id(#lock)
                }
            }
        }
    }
}
