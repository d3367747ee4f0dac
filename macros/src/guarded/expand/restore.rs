//! How a section of a lock is rolled back.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::Side;
use crate::gather::Gather;
use crate::guarded::model::Contents;
use crate::names::public;

impl Side<'_> {
    /// Expands to:
    ///
    /// ```text
    /// pub struct AccountLedgerSaved(
    ///     (Kept<'static, i64>, Kept<'static, Vec<i64>>,),
    ///     ::core::marker::PhantomData<fn() -> Account>,
    /// )
    /// where
    ///     for<'__a> ::async_monitor::__private::Kept<'__a, i64>: ::core::marker::Sized,
    ///     for<'__a> ::async_monitor::__private::Kept<'__a, Vec<i64>>: ::core::marker::Sized;
    ///
    /// impl<'__guard> ::async_monitor::__private::RestoreView for AccountLedgerHeld<'__guard>
    /// where
    ///     // as above, and
    ///     for<'__a> &'__a i64: ::async_monitor::__private::Restorable<i64>,
    ///     for<'__a> &'__a Vec<i64>: ::async_monitor::__private::Restorable<Vec<i64>>,
    /// {
    ///     type Saved = AccountLedgerSaved;
    ///     fn save(&mut self) -> Self::Saved { .. }
    ///     fn exchange(&mut self, __saved: &mut Self::Saved) { .. }
    /// }
    ///
    /// impl ::async_monitor::__private::Restore<0x1234> for Account where .. {
    ///     type Saved = AccountLedgerSaved;
    ///     fn save(__guard: &mut Self::Guard<'_>) -> Self::Saved { .. }
    ///     fn exchange(__guard: &mut Self::Guard<'_>, __saved: &mut Self::Saved) { .. }
    /// }
    /// ```
    ///
    /// or to nothing if a field is obviously unsized.
    ///
    /// A struct of its own, as the types of fields may be private, and then cannot
    /// appear in an associated type of a public struct.
    pub(super) fn expand_restore(&self) -> TokenStream {
        let Side {
            monitor,
            guard,
            key,
            ..
        } = self;
        let values = self.values();
        if values
            .iter()
            .any(|value| monitor.params.may_be_unsized(value))
        {
            return TokenStream::new();
        }
        let krate = &monitor.krate;
        let name = guard.to_string();
        let saved = format_ident!(
            "{}Saved",
            name.strip_suffix("Guard").unwrap_or(&name),
            span = guard.span()
        );
        let (params, this, vis) = (
            monitor.params.of_impl(),
            monitor.params.this(),
            &monitor.vis,
        );
        let arguments = monitor.params.own_arguments();
        let kept = |value: &syn::Type, lifetime| {
            let private = krate.private_at(public(value.span()));
            quote!(#private::Kept<#lifetime, #value>)
        };
        let sized = values.iter().map(|value| {
            let kept = kept(value, quote!('__a));
            quote!(for<'__a> #kept: ::core::marker::Sized,)
        });
        let mut bounds: TokenStream = sized.gather();
        let kept = values.iter().map(|value| kept(value, quote!('static)));
        let where_clause = monitor.params.where_clause(&bounds);
        let restorable = values.iter().map(|value| {
            let span = public(value.span());
            let private = krate.private_at(span);
            quote_spanned!(span=> for<'__a> &'__a #value: #private::Restorable<#value>,)
        });
        bounds.extend(restorable);
        let where_restorable = monitor.params.where_clause(&bounds);
        let names: Vec<_> = match &self.lock.contents {
            Contents::Fields(fields) => fields.iter().map(|field| field.ident.clone()).gather(),
            Contents::Value { .. } => vec![format_ident!("value")],
        };
        let copies = names
            .iter()
            .map(|name| quote!(#krate::__private::Restorable::copied(&*self.#name),));
        let exchanges = names
            .iter()
            .zip(&values)
            .enumerate()
            .map(|(index, (name, value))| {
                let index = Literal::usize_unsuffixed(index);
                quote! {
                    <&_ as #krate::__private::Restorable<#value>>::exchange(
                        &mut *self.#name,
                        &mut __saved.0.#index,
                    );
                }
            });
        let guarded_params = monitor.params.with_guard();
        let held_type = self.held_type(&quote!('__guard));
        let view = quote!(#krate::__private::RestoreView);
        quote! {
            #[doc(hidden)]
            // The types of private fields are as invisible to users as the fields.
            #vis struct #saved #params (
                (#(#kept,)*),
                ::core::marker::PhantomData<fn() -> #this>,
            ) #where_clause;

            #[doc(hidden)]
            #[automatically_derived]
            impl #guarded_params #view for #held_type #where_restorable {
                type Saved = #saved #arguments;

                fn save(&mut self) -> Self::Saved {
                    #saved((#(#copies)*), ::core::marker::PhantomData)
                }

                fn exchange(&mut self, __saved: &mut Self::Saved) {
                    #(#exchanges)*
                }
            }

            #[doc(hidden)]
            #[automatically_derived]
            impl #params #krate::__private::Restore<#key> for #this #where_restorable {
                type Saved = #saved #arguments;

                fn save(__guard: &mut Self::Guard<'_>) -> Self::Saved {
                    #view::save(&mut #guard::fields(__guard))
                }

                fn exchange(__guard: &mut Self::Guard<'_>, __saved: &mut Self::Saved) {
                    #view::exchange(&mut #guard::fields(__guard), __saved);
                }
            }
        }
    }
}
