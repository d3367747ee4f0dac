//! How a section of a lock waits for a condition.

use proc_macro2::TokenStream;
use quote::quote;

use super::Side;
use crate::names::unsafe_;

impl Side<'_> {
    /// Expands to:
    ///
    /// ```text
    /// unsafe impl ::async_monitor::__private::EnterWhen<0x1234> for Account
    /// where
    ///     for<'__a> &'__a ObjectLock<..>: ::async_monitor::__private::Conditional<'__a, ObjectLock<..>>,
    /// {
    ///     fn object(&self) -> Option<::async_monitor::__private::Object> { .. }
    ///     fn waiter(&self) -> ::async_monitor::__private::ConditionalWaiter<'_> { .. }
    ///     unsafe fn granted_guard(&self) -> Self::Guard<'_> {
    ///         let __guard =
    ///             unsafe { ::async_monitor::__private::Conditional::granted_guard(of(self)) };
    ///         AccountLedgerGuard(..)
    ///     }
    /// }
    /// ```
    ///
    /// SAFETY, of what is generated: waiter and guard are of the lock that is a field
    /// of the struct, or behind one; and the caller of `granted` promises what that
    /// of the lock asks for.
    pub(super) fn expand_when(&self) -> TokenStream {
        let Side { monitor, key, .. } = self;
        let krate = &monitor.krate;
        let (params, this) = (monitor.params.of_impl(), monitor.params.this());
        let (enter_when, conditional) = if self.is_shared {
            (quote!(EnterSharedWhen), quote!(ConditionalShared))
        } else {
            (quote!(EnterWhen), quote!(Conditional))
        };
        let ty = self.lock_type();
        let mut bounds = quote!(
            for<'__a> &'__a #ty: #krate::__private::#conditional<'__a, #ty>,
        );
        bounds.extend(self.shareable());
        let where_clause = monitor.params.where_clause(&bounds);
        let (guard, unsafe_) = (self.new_guard(), unsafe_());
        let lock = self.lock_of(&quote!(self));
        let object = monitor.params.is_empty().then(|| {
            quote! {
                #[inline]
                fn object(&self) -> ::core::option::Option<#krate::__private::Object> {
                    #krate::__private::object(#lock)
                }
            }
        });
        quote! {
            #[doc(hidden)]
            #[automatically_derived]
            #unsafe_ impl #params #krate::__private::#enter_when<#key> for #this #where_clause {
                #object

                #[inline]
                fn waiter(&self) -> #krate::__private::ConditionalWaiter<'_> {
                    #krate::__private::#conditional::waiter(#lock)
                }

                #[inline]
                #unsafe_ fn granted_guard(&self) -> Self::Guard<'_> {
                    let __guard = #unsafe_ {
                        #krate::__private::#conditional::granted_guard(#lock)
                    };
                    #guard
                }
            }
        }
    }
}
