//! How a lock is acquired: the methods of the struct, and the traits for sections.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::held::view_fields;
use super::{Side, expand_debug};
use crate::gather::Gather;
use crate::guarded::model::{Contents, GuardedField, LockField, Monitor};
use crate::names::{camel_case, plain, public, unsafe_};

impl Side<'_> {
    /// Expands to:
    ///
    /// ```text
    /// impl Account {
    ///     fn acquire_ledger(&self) -> impl Future<Output = AccountLedgerGuard<'_>> { .. }
    ///     fn try_acquire_ledger(&self) -> Option<AccountLedgerGuard<'_>> { .. }
    ///     fn acquire_ledger_blocking(&self) -> AccountLedgerGuard<'_> {
    ///         ::async_monitor::__private::block_on(self.acquire_ledger())
    ///     }
    /// }
    /// ```
    pub(super) fn expand_methods(&self) -> TokenStream {
        let krate = &self.monitor.krate;
        let Side { monitor, verb, .. } = self;
        let vis = &self.lock.vis;
        let (params, this) = (monitor.params.of_impl(), monitor.params.this());
        let where_clause = monitor.params.where_clause(&TokenStream::new());
        let bound = self.where_shareable();
        let guard = self.guard_type(&quote!('_));
        let name = plain(&self.lock.ident);
        let span = public(self.lock.ident.span());
        let acquire = format_ident!("{verb}_{name}", span = span);
        let try_acquire = format_ident!("try_{verb}_{name}", span = span);
        let blocking = format_ident!("{verb}_{name}_blocking", span = span);
        let how = if self.is_shared {
            "for reading"
        } else {
            "exclusively"
        };
        let doc = format!(
            "Waits for the lock `{name}`, and acquires it {how}.\n\n\
             Dropping the future gives up its place in the queue."
        );
        let try_doc =
            format!("Acquires the lock `{name}` {how} if that is possible without waiting.");
        let blocking_doc =
            format!("Acquires the lock `{name}` {how}, parking the thread while it waits.");
        let tried = self.tried();
        if self.lock.is_sync {
            let acquired = self.acquired_sync();
            let doc = blocking_doc;
            return quote! {
                #[automatically_derived]
                impl #params #this #where_clause {
                    #[doc = #doc]
                    #[must_use = "the lock is released as soon as the guard is dropped"]
                    #[track_caller]
                    #vis fn #acquire(&self) -> #guard #bound {
                        #acquired
                    }

                    #[doc = #try_doc]
                    #[must_use = "the lock is released as soon as the guard is dropped"]
                    #[track_caller]
                    #vis fn #try_acquire(&self) -> ::core::option::Option<#guard> #bound {
                        #tried
                    }
                }
            };
        }
        let acquiring = self.acquiring(|guard| guard);
        quote! {
            #[automatically_derived]
            impl #params #this #where_clause {
                #[doc = #doc]
                #[track_caller]
                #vis fn #acquire(&self) -> impl ::core::future::Future<Output = #guard> #bound {
                    #acquiring
                }

                #[doc = #try_doc]
                #[must_use = "the lock is released as soon as the guard is dropped"]
                #[track_caller]
                #vis fn #try_acquire(&self) -> ::core::option::Option<#guard> #bound {
                    #tried
                }

                #krate::__with_std! {
                    #[doc = #blocking_doc]
                    #[track_caller]
                    #vis fn #blocking(&self) -> #guard #bound {
                        #krate::__private::block_on(self.#acquire())
                    }
                }
            }
        }
    }

    /// The future of what is `made` of the guard. Expands to:
    ///
    /// ```text
    /// let mut __acquire = ::async_monitor::AsyncLock::acquire(
    ///     ::async_monitor::__private::field(&self.ledger).__resolve().__lock(),
    /// );
    /// async move {
    ///     let __guard = unsafe { ::core::pin::Pin::new_unchecked(&mut __acquire) }.await;
    ///     let __guard = ::async_monitor::__private::field(&self.ledger)
    ///         .__resolve()
    ///         .__of::<Self, __AccountLedger>(::async_monitor::__private::infallible(__guard));
    ///     AccountLedgerGuard(
    ///         unsafe { ::async_monitor::__private::Core::new(self, __guard) },
    ///         ::core::marker::PhantomData,
    ///     )
    /// }
    /// ```
    ///
    /// The lock's future is made outside of the block: an `async fn` does not know its caller,
    /// whose place is in reports. It is polled where it is: to await it would move it to another
    /// place in the block, which has room for both.
    ///
    /// SAFETY, of what is generated: the block has captured the future, moves it nowhere, and
    /// is pinned when it runs.
    fn acquiring(&self, make: impl FnOnce(TokenStream) -> TokenStream) -> TokenStream {
        let krate = &self.monitor.krate;
        let (acquire, resolve, of) = if self.is_shared {
            (
                quote!(AsyncRwLock::read),
                quote!(__resolve_shared),
                quote!(__of_shared),
            )
        } else {
            (quote!(AsyncLock::acquire), quote!(__resolve), quote!(__of))
        };
        let (lock, marker, unsafe_) = (&self.lock.ident, &self.marker, unsafe_());
        let made = make(self.new_guard());
        quote! {
            let mut __acquire = #krate::#acquire(
                #krate::__private::field(&self.#lock).#resolve().__lock(),
            );
            async move {
                let __guard = #unsafe_ { ::core::pin::Pin::new_unchecked(&mut __acquire) }.await;
                let __guard = #krate::__private::field(&self.#lock)
                    .#resolve()
                    .#of::<Self, #marker>(#krate::__private::infallible(__guard));
                #made
            }
        }
    }

    /// The guard of a sync lock. Expands to:
    ///
    /// ```text
    /// let __guard = ::async_monitor::SyncLock::acquire(sync_object_lock(self));
    /// AccountLedgerGuard(..)
    /// ```
    fn acquired_sync(&self) -> TokenStream {
        let krate = &self.monitor.krate;
        let acquire = if self.is_shared {
            quote!(SyncRwLock::read)
        } else {
            quote!(SyncLock::acquire)
        };
        let (lock, guard) = (self.lock_of(&quote!(self)), self.new_guard());
        quote! {
            let __guard = #krate::#acquire(#lock);
            #guard
        }
    }

    /// Acquires at once, or not at all.
    fn tried(&self) -> TokenStream {
        let lock = self.lock_of(&quote!(self));
        self.guard_if(&match (self.lock.is_sync, self.is_shared) {
            (false, false) => quote!(AsyncLock::try_acquire(#lock)),
            (false, true) => quote!(AsyncRwLock::try_read(#lock)),
            (true, false) => quote!(SyncLock::try_acquire(#lock)),
            (true, true) => quote!(SyncRwLock::try_read(#lock)),
        })
    }

    /// As [`tried`](Self::tried), for a section of an async lock.
    fn at_once(&self) -> TokenStream {
        let lock = self.lock_of(&quote!(self));
        self.guard_if(&if self.is_shared {
            quote!(AsyncRwLock::__read_at_once(#lock, __site))
        } else {
            quote!(AsyncLock::__acquire_at_once(#lock, __site))
        })
    }

    /// The generated guard, if the lock's own guard has been `acquired`.
    fn guard_if(&self, acquired: &TokenStream) -> TokenStream {
        let (krate, guard) = (&self.monitor.krate, self.new_guard());
        quote! {
            match #krate::#acquired {
                ::core::option::Option::Some(__guard) => ::core::option::Option::Some(#guard),
                ::core::option::Option::None => ::core::option::Option::None,
            }
        }
    }

    /// SAFETY of the generated code: the lock of `self` has just returned
    /// `__guard`.
    pub(super) fn new_guard(&self) -> TokenStream {
        let krate = &self.monitor.krate;
        let (guard, core, unsafe_) = (&self.guard, self.core(), unsafe_());
        quote! {
            #guard(
                #unsafe_ { #krate::__private::#core::new(self, __guard) },
                ::core::marker::PhantomData,
            )
        }
    }

    /// `where for<'__a> &'__a T: Shareable` for each type that several tasks
    /// read.
    pub(super) fn shareable(&self) -> TokenStream {
        let krate = &self.monitor.krate;
        if !self.is_shared {
            return TokenStream::new();
        }
        let (values, shareable) = (self.values(), quote!(#krate::__private::Shareable));
        quote!(#(for<'__a> &'__a #values: #shareable,)*)
    }

    fn where_shareable(&self) -> TokenStream {
        let bound = self.shareable();
        if bound.is_empty() {
            bound
        } else {
            quote!(where #bound)
        }
    }

    /// Expands to:
    ///
    /// ```text
    /// impl ::async_monitor::__private::HasLock<0x1234> for Account {
    ///     const __NAME: &'static str = "Account.ledger";
    ///     type Mode = ::async_monitor::__private::Suspending;
    ///     type Guard<'__guard> = AccountLedgerGuard<'__guard>;
    ///     type Held<'__guard> = AccountLedgerHeld<'__guard>;
    ///     fn lock_address(&self) -> *const () { .. }
    ///     fn view<'__guard>(__guard: &'__guard mut Self::Guard<'_>) -> Self::Held<'__guard> { .. }
    /// }
    ///
    /// impl ::async_monitor::__private::Watched<0x1234> for Account {
    ///     fn watched_id(&self) -> Option<::async_monitor::LockId> { .. }
    /// }
    ///
    /// impl ::async_monitor::__private::Enter<0x1234> for Account {
    ///     type Guard<'__guard> = AccountLedgerGuard<'__guard>;
    ///     type Waited<'__guard> = AccountLedgerGuard<'__guard>;
    ///     type Error = ::core::convert::Infallible;
    ///     fn id(&self) -> ::async_monitor::LockId { .. }
    ///     fn at_once(&self, __site: &'static Site) -> Option<Self::Waited<'_>> { .. }
    ///     fn wait(&self) -> impl Future<Output = Result<Self::Waited<'_>, Self::Error>> { .. }
    ///     fn finish<'__guard>(__waited: Self::Waited<'__guard>) -> Self::Guard<'__guard> { .. }
    ///     fn release_unchanged<'__guard>(__guard: Self::Guard<'__guard>) { .. }
    /// }
    /// ```
    ///
    /// where `release_unchanged` is for an exclusive lock that is only read. A sync lock
    /// is acquired in `finish`: see [`entering`](Self::entering).
    pub(super) fn expand_traits(&self) -> TokenStream {
        let krate = &self.monitor.krate;
        let Side {
            monitor,
            guard,
            key,
            ..
        } = self;
        let (params, this) = (monitor.params.of_impl(), monitor.params.this());
        let where_clause = monitor.params.where_clause(&TokenStream::new());
        let where_entered = monitor.params.where_clause(&self.shareable());
        let guard_type = self.guard_type(&quote!('__guard));
        let held_type = self.held_type(&quote!('__guard));
        let lock = &self.lock.ident;
        let name = format!("{}.{}", plain(&monitor.ident), plain(lock));
        let enter = if self.is_shared {
            quote!(EnterShared)
        } else {
            quote!(Enter)
        };
        let (core, mode) = (self.core(), self.mode());
        let (entering, id) = (self.entering(), self.lock_trait());
        let lock_of = self.lock_of(&quote!(self));
        let release_unchanged = (!self.is_shared).then(|| {
            quote! {
                #[inline]
                fn release_unchanged<'__guard>(__guard: Self::Guard<'__guard>)
                where
                    Self: '__guard,
                {
                    #krate::__private::#core::release_unchanged(__guard.0);
                }
            }
        });
        quote! {
            #[doc(hidden)]
            #[automatically_derived]
            impl #params #krate::__private::HasLock<#key> for #this #where_clause {
                const __NAME: &'static str = #name;
                type Mode = #krate::__private::#mode;
                type Guard<'__guard> = #guard_type where Self: '__guard;
                type Held<'__guard> = #held_type where Self: '__guard;

                #[inline]
                fn lock_address(&self) -> *const () {
                    #krate::__private::address(&self.#lock)
                }

                #[inline]
                fn view<'__guard>(__guard: &'__guard mut Self::Guard<'_>) -> Self::Held<'__guard>
                where
                    Self: '__guard,
                {
                    #guard::fields(__guard)
                }
            }

            #[doc(hidden)]
            #[automatically_derived]
            impl #params #krate::__private::Watched<#key> for #this #where_clause {
                #[inline]
                fn watched_id(&self) -> ::core::option::Option<#krate::LockId> {
                    #krate::#id::__watched_id(#lock_of)
                }
            }

            #[doc(hidden)]
            #[automatically_derived]
            impl #params #krate::__private::#enter<#key> for #this #where_entered {
                type Guard<'__guard> = #guard_type where Self: '__guard;
                type Error = ::core::convert::Infallible;

                #[inline]
                fn id(&self) -> #krate::LockId {
                    #krate::#id::id(#lock_of)
                }
                #entering
                #release_unchanged
            }
        }
    }

    /// The trait of the lock.
    fn lock_trait(&self) -> TokenStream {
        if self.lock.is_sync {
            quote!(SyncLock)
        } else {
            quote!(AsyncLock)
        }
    }

    /// Whether sections of the lock may suspend.
    fn mode(&self) -> TokenStream {
        if self.lock.is_sync {
            quote!(NonSuspending)
        } else {
            quote!(Suspending)
        }
    }

    /// The two steps of entering a section. Expands to:
    ///
    /// ```text
    /// type Waited<'__guard> = AccountLedgerGuard<'__guard>;
    /// fn at_once(&self, __site: &'static Site) -> Option<Self::Waited<'_>> { .. }
    /// fn wait(&self) -> impl Future<Output = Result<Self::Waited<'_>, Self::Error>> { .. }
    /// fn finish<'__guard>(__waited: Self::Waited<'__guard>) -> Self::Guard<'__guard> {
    ///     __waited
    /// }
    /// ```
    ///
    /// or, for a sync lock, to:
    ///
    /// ```text
    /// type Waited<'__guard> = ::async_monitor::__private::NotYet<'__guard, Self>;
    /// fn wait(&self) -> impl Future<Output = Result<Self::Waited<'_>, Self::Error>> {
    ///     ::async_monitor::__private::no_wait(self)
    /// }
    /// fn wait_blocking(&self) -> Result<Self::Waited<'_>, Self::Error> {
    ///     Ok(::async_monitor::__private::NotYet::new(self))
    /// }
    /// fn finish<'__guard>(__waited: Self::Waited<'__guard>) -> Self::Guard<'__guard> {
    ///     Self::acquire_ledger(__waited.entered())
    /// }
    /// ```
    fn entering(&self) -> TokenStream {
        let private = {
            let krate = &self.monitor.krate;
            quote!(#krate::__private)
        };
        let finish = quote! {
            #[inline]
            fn finish<'__guard>(__waited: Self::Waited<'__guard>) -> Self::Guard<'__guard>
            where
                Self: '__guard,
        };
        if self.lock.is_sync {
            let (verb, name) = (self.verb, plain(&self.lock.ident));
            let acquire = format_ident!("{verb}_{name}", span = public(self.lock.ident.span()));
            return quote! {
                type Waited<'__guard> = #private::NotYet<'__guard, Self> where Self: '__guard;

                #[inline]
                fn wait(
                    &self,
                ) -> impl ::core::future::Future<
                    Output = ::core::result::Result<Self::Waited<'_>, Self::Error>,
                > {
                    #private::no_wait(self)
                }

                #[inline]
                fn wait_blocking(
                    &self,
                ) -> ::core::result::Result<Self::Waited<'_>, Self::Error> {
                    ::core::result::Result::Ok(#private::NotYet::new(self))
                }

                #finish
                {
                    Self::#acquire(#private::NotYet::entered(__waited))
                }
            };
        }
        let guard = self.guard_type(&quote!('__guard));
        let acquiring = self.acquiring(|guard| quote!(::core::result::Result::Ok(#guard)));
        let at_once = self.at_once();
        quote! {
            type Waited<'__guard> = #guard where Self: '__guard;

            #[inline]
            fn at_once(
                &self,
                __site: &'static #private::Site,
            ) -> ::core::option::Option<Self::Waited<'_>> {
                #at_once
            }

            fn wait(
                &self,
            ) -> impl ::core::future::Future<
                Output = ::core::result::Result<Self::Waited<'_>, Self::Error>,
            > {
                #acquiring
            }

            #finish
            {
                __waited
            }
        }
    }
}

/// Expands to:
///
/// ```text
/// pub struct AccountLedgerMut<'__guard> {
///     balance: &'__guard mut i64,
///     __owner: ::core::marker::PhantomData<&'__guard mut Account>,
/// }
///
/// impl Account {
///     fn ledger_mut(&mut self) -> AccountLedgerMut<'_> {
///         AccountLedgerMut {
///             balance: ::async_monitor::__private::value_mut(&mut self.balance),
///             __owner: ::core::marker::PhantomData,
///         }
///     }
/// }
/// ```
///
/// or to nothing if the lock guards nothing, or data that `&mut` to the
/// struct does not reach. It is not a view: a view proves that the lock is held, and
/// with one, methods that run under the lock could be called while others acquire
/// it.
pub(super) fn expand_mut(monitor: &Monitor, lock: &LockField) -> TokenStream {
    let krate = &monitor.krate;
    let mut resolved = TokenStream::new();
    let fields: TokenStream = match &lock.contents {
        Contents::Fields(fields) if fields.is_empty() => return TokenStream::new(),
        Contents::Fields(fields) => {
            let fields = fields.iter().map(|GuardedField { ident, value, .. }| {
                let span = public(value.span());
                let private = krate.private_at(span);
                let value = quote_spanned!(span=> #private::value_mut(&mut self.#ident));
                quote!(#ident: #value,)
            });
            fields.gather()
        }
        Contents::Value {
            is_owned: false, ..
        } => return TokenStream::new(),
        Contents::Value { .. } => {
            let (field, lock) = (lock, &lock.ident);
            let field = super::item(field, "field");
            resolved = quote! {
                let __mutable = #krate::__private::#field(&self.#lock).__resolve().__mutable();
            };
            quote!(value: __mutable.__of(&mut self.#lock).get_mut(),)
        }
    };
    let name = plain(&lock.ident);
    let (ident, vis, method_vis) = (&monitor.ident, &monitor.vis, &lock.vis);
    let ty = format_ident!(
        "{}{}Mut",
        plain(ident),
        camel_case(&name),
        span = public(ident.span())
    );
    let method = format_ident!("{name}_mut", span = public(lock.ident.span()));
    let (params, this) = (monitor.params.of_declaration(), monitor.params.this());
    let impl_params = monitor.params.of_impl();
    let arguments = monitor.params.arguments(&quote!('_));
    let where_clause = monitor.params.where_clause(&TokenStream::new());
    let declared = view_fields(lock, &quote!(&'__guard mut));
    let hidden = super::hidden(monitor, lock);
    let doc = format!(
        "The data that the lock `{name}` of `{ident}` guards, reached through `&mut {ident}` \
         without locking."
    );
    let method_doc = format!(
        "The data that `{name}` guards, without locking: `&mut self` proves that no guard exists."
    );
    let debug = expand_debug(monitor, &ty);
    quote! {
        #[doc = #doc]
        #hidden
        #vis struct #ty #params #where_clause {
            #declared
            __owner: ::core::marker::PhantomData<&'__guard mut #this>,
        }

        #debug

        #[automatically_derived]
        impl #impl_params #this #where_clause {
            #[doc = #method_doc]
            #[inline]
            #method_vis fn #method(&mut self) -> #ty #arguments {
                #resolved
                #ty { #fields __owner: ::core::marker::PhantomData }
            }
        }
    }
}
