//! Read sections of a lock that one task holds at a time.

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
    ///     fn acquire(&self) -> impl Future<Output = Result<Self::Guard<'_>, Self::Error>> {
    ///         enter_reading(Enter::<0x1234>::acquire(self))
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
        quote! {
            #[doc(hidden)]
            #[automatically_derived]
            impl #params #private::EnterShared<#read_key> for #this #where_clause {
                type Guard<'__guard> = #private::Reading<'__guard, Self, #guard, #key>
                where
                    Self: '__guard;
                type Error = ::core::convert::Infallible;

                #[inline]
                fn id(&self) -> #krate::LockId {
                    #private::Enter::<#key>::id(self)
                }

                #[inline]
                fn acquire(
                    &self,
                ) -> impl ::core::future::Future<
                    Output = ::core::result::Result<Self::Guard<'_>, Self::Error>,
                > {
                    #private::enter_reading::<Self, _, #key>(#private::Enter::<#key>::acquire(self))
                }
            }
        }
    }
}
