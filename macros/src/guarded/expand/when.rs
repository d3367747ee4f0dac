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
    /// SAFETY of the generated code: waiter and guard belong to the lock that is a field
    /// of the struct, or behind one; and the caller of `granted_guard` promises what the
    /// lock's own `granted_guard` requires.
    ///
    /// A sync lock has turns in place of a waiter: see [`expand_sync_when`].
    ///
    /// [`expand_sync_when`]: Self::expand_sync_when
    pub(super) fn expand_when(&self) -> TokenStream {
        if self.lock.is_sync {
            return self.expand_sync_when();
        }
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

    /// Expands to:
    ///
    /// ```text
    /// unsafe impl ::async_monitor::__private::EnterSyncWhen<0x1234> for Account
    /// where
    ///     for<'__a> &'__a SyncObjectLock<..>: ConditionalSync<'__a, SyncObjectLock<..>>,
    /// {
    ///     fn object(&self) -> Option<::async_monitor::__private::Object> { .. }
    ///     fn turns(&self) -> &::async_monitor::__private::Turns { .. }
    ///     unsafe fn acquire_with_turn(&self) -> Self::Guard<'_> {
    ///         let __guard = unsafe { ConditionalSync::acquire_with_turn(of(self)) };
    ///         AccountLedgerGuard(..)
    ///     }
    ///     fn release_without_turn<'__guard>(__guard: Self::Guard<'__guard>) {
    ///         SyncCore::release_without_turn(__guard.0);
    ///     }
    ///     unsafe fn guard_to_evaluate(&self) -> Self::Guard<'_> { .. }
    /// }
    /// ```
    ///
    /// SAFETY of the generated code: turns and guards belong to the lock that is a field of
    /// the struct, or behind one; and the caller of `acquire_with_turn` promises what the
    /// lock's own `acquire_with_turn` requires.
    fn expand_sync_when(&self) -> TokenStream {
        let Side { monitor, key, .. } = self;
        let krate = &monitor.krate;
        let (params, this) = (monitor.params.of_impl(), monitor.params.this());
        let (enter_when, conditional) = if self.is_shared {
            (quote!(EnterSyncSharedWhen), quote!(ConditionalSyncShared))
        } else {
            (quote!(EnterSyncWhen), quote!(ConditionalSync))
        };
        let ty = self.lock_type();
        let mut bounds = quote!(
            for<'__a> &'__a #ty: #krate::__private::#conditional<'__a, #ty>,
        );
        bounds.extend(self.shareable());
        let where_clause = monitor.params.where_clause(&bounds);
        let (guard, core, unsafe_) = (self.new_guard(), self.core(), unsafe_());
        let lock = self.lock_of(&quote!(self));
        let object = monitor.params.is_empty().then(|| {
            quote! {
                #[inline]
                fn object(&self) -> ::core::option::Option<#krate::__private::Object> {
                    #krate::__private::sync_object(#lock)
                }
            }
        });
        quote! {
            #[doc(hidden)]
            #[automatically_derived]
            #unsafe_ impl #params #krate::__private::#enter_when<#key> for #this #where_clause {
                #object

                #[inline]
                fn turns(&self) -> &#krate::__private::Turns {
                    #krate::__private::#conditional::turns(#lock)
                }

                #[inline]
                #unsafe_ fn acquire_with_turn(&self) -> Self::Guard<'_> {
                    let __guard = #unsafe_ {
                        #krate::__private::#conditional::acquire_with_turn(#lock)
                    };
                    #guard
                }

                #[inline]
                fn release_without_turn<'__guard>(__guard: Self::Guard<'__guard>)
                where
                    Self: '__guard,
                {
                    #krate::__private::#core::release_without_turn(__guard.0);
                }

                #[inline]
                #unsafe_ fn guard_to_evaluate(&self) -> Self::Guard<'_> {
                    let __guard = #unsafe_ {
                        #krate::__private::#conditional::guard_to_evaluate(#lock)
                    };
                    #guard
                }
            }
        }
    }
}
