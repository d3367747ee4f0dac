//! Read sections of an exclusive lock.

use proc_macro2::TokenStream;
use quote::quote;

use super::Side;

impl Side<'_> {
    /// Expands to:
    ///
    /// ```text
    /// impl ::async_monitor::__private::EnterShared<0x5678> for Account {
    ///     type Guard<'__guard> =
    ///         ::async_monitor::__private::Reading<'__guard, Self, AccountLedgerGuard<'__guard>, 0x1234>;
    ///     type Error = ::core::convert::Infallible;
    ///     fn id(&self) -> ::async_monitor::LockId { .. }
    ///     type Waited<'__guard> = AccountLedgerGuard<'__guard>;
    ///     fn wait(&self) -> impl Future<Output = Result<Self::Waited<'_>, Self::Error>> {
    ///         Enter::<0x1234>::wait(self)
    ///     }
    ///     fn finish<'__guard>(__waited: Self::Waited<'__guard>) -> Self::Guard<'__guard> {
    ///         Reading::new(<Self as Enter<0x1234>>::finish(__waited))
    ///     }
    /// }
    /// ```
    pub(super) fn expand_reading(&self) -> TokenStream {
        let Side {
            monitor,
            key,
            read_key,
            ..
        } = self;
        let krate = &monitor.krate;
        let private = quote!(#krate::__private);
        let (params, this) = (monitor.params.of_impl(), monitor.params.this());
        let where_clause = monitor.params.where_clause(&TokenStream::new());
        let guard = self.guard_type(&quote!('__guard));
        let waited = if self.lock.is_sync {
            quote!(#private::NotYet<'__guard, Self>)
        } else {
            guard.clone()
        };
        quote! {
            #[doc(hidden)]
            #[automatically_derived]
            impl #params #private::Watched<#read_key> for #this #where_clause {
                #[inline]
                fn watched_id(&self) -> ::core::option::Option<#krate::LockId> {
                    #private::Watched::<#key>::watched_id(self)
                }
            }

            #[doc(hidden)]
            #[automatically_derived]
            impl #params #private::EnterShared<#read_key> for #this #where_clause {
                type Guard<'__guard> = #private::Reading<'__guard, Self, #guard, #key>
                where
                    Self: '__guard;
                type Waited<'__guard> = #waited where Self: '__guard;
                type Error = ::core::convert::Infallible;

                #[inline]
                fn id(&self) -> #krate::LockId {
                    #private::Enter::<#key>::id(self)
                }

                #[inline]
                fn at_once(
                    &self,
                    __site: &'static #private::Site,
                ) -> ::core::option::Option<Self::Waited<'_>> {
                    #private::Enter::<#key>::at_once(self, __site)
                }

                #[inline]
                fn wait(
                    &self,
                ) -> impl ::core::future::Future<
                    Output = ::core::result::Result<Self::Waited<'_>, Self::Error>,
                > {
                    #private::Enter::<#key>::wait(self)
                }

                #[inline]
                fn wait_blocking(
                    &self,
                ) -> ::core::result::Result<Self::Waited<'_>, Self::Error> {
                    #private::Enter::<#key>::wait_blocking(self)
                }

                #[inline]
                fn finish<'__guard>(__waited: Self::Waited<'__guard>) -> Self::Guard<'__guard>
                where
                    Self: '__guard,
                {
                    #private::Reading::new(<Self as #private::Enter<#key>>::finish(__waited))
                }
            }
        }
    }
}
