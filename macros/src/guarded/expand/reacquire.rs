//! How a guard waits with a `Condition`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::Side;
use crate::names::unsafe_;

use crate::gather::Gather;

impl Side<'_> {
    /// Expands to:
    ///
    /// ```text
    /// impl<'__view, '__guard> ::async_monitor::View<'__view> for AccountLedgerGuard<'__guard> {
    ///     type View = AccountLedgerHeld<'__view>;
    /// }
    ///
    /// unsafe impl<'__guard> ::async_monitor::Relock for AccountLedgerGuard<'__guard>
    /// where
    ///     for<'__a> &'__a ObjectLock<..>: ::async_monitor::__private::Reacquirable<'__a, ObjectLock<..>>,
    /// {
    ///     type Released = &'__guard Account;
    ///     type Reacquire = AccountLedgerReacquire<'__guard>;
    ///     fn give_up(__guard: Self) -> Self::Released { .. }
    ///     fn reacquire(__released: Self::Released) -> Self::Reacquire { .. }
    ///     fn with_view<R>(&mut self, __look: impl FnOnce(&AccountLedgerHeld<'_>) -> R) -> R { .. }
    /// }
    /// ```
    ///
    /// SAFETY of the generated code: dropping the core releases the lock, and
    /// the future acquires the lock of the same owner.
    pub(super) fn expand_relock(&self) -> TokenStream {
        let krate = &self.monitor.krate;
        let Side { guard, monitor, .. } = self;
        let reacquire = format_ident!("{}", reacquire_name(guard), span = guard.span());
        let (params, this) = (monitor.params.with_guard(), monitor.params.this());
        let view_params = with_view(&params);
        let arguments = monitor.params.arguments(&quote!('__guard));
        let where_clause = monitor.params.where_clause(&TokenStream::new());
        let where_reacquirable = monitor.params.where_clause(&self.reacquirable());
        let held = self.held_type(&quote!('__view));
        let (lock, unsafe_) = (self.lock_of(&quote!(__released)), unsafe_());
        let future = self.expand_reacquire(&reacquire);
        quote! {
            #[doc(hidden)]
            #[automatically_derived]
            impl #view_params #krate::View<'__view> for #guard #arguments #where_clause {
                type View = #held;
            }

            #[doc(hidden)]
            #[automatically_derived]
            #unsafe_ impl #params #krate::Relock for #guard #arguments #where_reacquirable {
                type Released = &'__guard #this;
                type Reacquire = #reacquire #arguments;

                #[inline]
                fn give_up(__guard: Self) -> Self::Released {
                    #krate::__private::Core::release(__guard.0)
                }

                #[inline]
                fn reacquire(__released: Self::Released) -> Self::Reacquire {
                    #reacquire(#unsafe_ {
                        #krate::__private::Reacquire::new(
                            __released,
                            #krate::__private::ReacquireLock::new(#lock),
                        )
                    })
                }

                #[inline]
                fn with_view<__R>(
                    &mut self,
                    __look: impl ::core::ops::FnOnce(&<Self as #krate::View<'_>>::View) -> __R,
                ) -> __R {
                    __look(&#guard::fields(self))
                }
            }

            #future
        }
    }

    /// Expands to:
    ///
    /// ```text
    /// pub struct AccountLedgerReacquire<'__guard>(
    ///     Reacquire<'__guard, Account, ReacquireLock<'__guard, ObjectLock<..>>, 0x1234>,
    /// )
    /// where
    ///     for<'__a> &'__a ObjectLock<..>: ::async_monitor::__private::Reacquirable<'__a, ObjectLock<..>>;
    ///
    /// impl<'__guard> ::core::future::Future for AccountLedgerReacquire<'__guard> { .. }
    /// ```
    ///
    /// A type of its own, as the type of the lock may be private, and then cannot
    /// appear in an associated type of a public struct.
    ///
    /// SAFETY of the generated code: the field is accessed only pinned, the struct
    /// is never `Unpin`, and has no destructor.
    fn expand_reacquire(&self, reacquire: &proc_macro2::Ident) -> TokenStream {
        let krate = &self.monitor.krate;
        let Side {
            guard,
            monitor,
            key,
            ..
        } = self;
        let (params, this) = (monitor.params.with_guard(), monitor.params.this());
        let arguments = monitor.params.arguments(&quote!('__guard));
        let where_reacquirable = monitor.params.where_clause(&self.reacquirable());
        let mut unpin = self.reacquirable();
        unpin.extend(quote!(#krate::__private::NeverUnpin<'__guard>: ::core::marker::Unpin,));
        let where_unpin = monitor.params.where_clause(&unpin);
        let guard_type = self.guard_type(&quote!('__guard));
        let (vis, ty, unsafe_) = (&monitor.vis, self.lock_type(), unsafe_());
        let inside = quote!(
            #krate::__private::Reacquire<
                '__guard,
                #this,
                #krate::__private::ReacquireLock<'__guard, #ty>,
                #key
            >
        );
        quote! {
            #[doc(hidden)]
            #[must_use = "a future does nothing unless it is awaited"]
            // The marker of the lock is private: like the field, it is not visible to
            // users.
            #vis struct #reacquire #params (#inside) #where_reacquirable;

            // Two safe impls that could move or unlink a pinned node: as they exist
            // here, the user can write neither.
            #[automatically_derived]
            impl #params ::core::marker::Unpin for #reacquire #arguments #where_unpin {}

            #[doc(hidden)]
            #[automatically_derived]
            impl #params #krate::__private::MustNotImplDrop for #reacquire #arguments
            #where_reacquirable {}

            #[automatically_derived]
            impl #params ::core::future::Future for #reacquire #arguments #where_reacquirable {
                type Output = #guard_type;

                #[inline]
                fn poll(
                    self: ::core::pin::Pin<&mut Self>,
                    __cx: &mut ::core::task::Context<'_>,
                ) -> ::core::task::Poll<Self::Output> {
                    let __future = #unsafe_ {
                        ::core::pin::Pin::map_unchecked_mut(self, |__this| &mut __this.0)
                    };
                    ::core::task::Poll::map(
                        #krate::__private::Reacquire::poll(__future, __cx),
                        |__core| #guard(__core, ::core::marker::PhantomData),
                    )
                }
            }
        }
    }

    /// The predicate that the lock can be reacquired.
    fn reacquirable(&self) -> TokenStream {
        let krate = &self.monitor.krate;
        let ty = self.lock_type();
        quote!(for<'__a> &'__a #ty: #krate::__private::Reacquirable<'__a, #ty>,)
    }
}

/// `AccountLedgerReacquire` for `AccountLedgerGuard`.
fn reacquire_name(guard: &proc_macro2::Ident) -> String {
    let name = guard.to_string();
    format!("{}Reacquire", name.strip_suffix("Guard").unwrap_or(&name))
}

/// `<'__view, '__guard, T>` for `<'__guard, T>`.
fn with_view(params: &TokenStream) -> TokenStream {
    // The first token is `<`.
    let rest: TokenStream = params.clone().into_iter().skip(1).gather();
    quote!(<'__view, #rest)
}
