//! How a section of a lock is undone.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::Side;
use crate::guarded::model::Contents;
use crate::names::public;

impl Side<'_> {
    /// Expands to:
    ///
    /// ```text
    /// pub struct AccountLedgerSaved((i64, Vec<i64>,), ::core::marker::PhantomData<fn() -> Account>);
    ///
    /// impl ::async_monitor::__private::Restore<0x1234> for Account
    /// where
    ///     for<'__a> &'__a i64: ::async_monitor::__private::Restorable<i64>,
    ///     for<'__a> &'__a Vec<i64>: ::async_monitor::__private::Restorable<Vec<i64>>,
    /// {
    ///     type Saved = AccountLedgerSaved;
    ///     fn save(guard: &mut Self::Guard<'_>) -> Self::Saved { .. }
    ///     fn exchange(guard: &mut Self::Guard<'_>, saved: &mut Self::Saved) { .. }
    /// }
    /// ```
    ///
    /// or to nothing where a copy would have no size that is known.
    ///
    /// A struct of its own, as the types of fields, which may be private, cannot
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
        let where_clause = monitor.params.where_clause(&TokenStream::new());
        let restorable = values.iter().map(|value| {
            let span = public(value.span());
            let private = krate.private_at(span);
            quote_spanned!(span=> for<'__a> &'__a #value: #private::Restorable<#value>,)
        });
        let where_restorable = monitor.params.where_clause(&restorable.collect());
        let names: Vec<_> = match &self.lock.contents {
            Contents::Fields(fields) => fields.iter().map(|field| field.ident.clone()).collect(),
            Contents::Value { .. } => vec![format_ident!("value")],
        };
        let copies = names
            .iter()
            .map(|name| quote!(#krate::__private::Restorable::copied(&*__view.#name),));
        let exchanges = names.iter().enumerate().map(|(index, name)| {
            let index = Literal::usize_unsuffixed(index);
            quote!(::core::mem::swap(__view.#name, &mut saved.0.#index);)
        });
        quote! {
            #[doc(hidden)]
            #[allow(missing_debug_implementations)]
            #vis struct #saved #params (
                (#(#values,)*),
                ::core::marker::PhantomData<fn() -> #this>,
            ) #where_clause;

            #[automatically_derived]
            impl #params #krate::__private::Restore<#key> for #this #where_restorable {
                type Saved = #saved #arguments;

                // Where the lock guards nothing, there is nothing to look at.
                #[allow(unused_variables)]
                fn save(guard: &mut Self::Guard<'_>) -> Self::Saved {
                    let __view = #guard::fields(guard);
                    #saved((#(#copies)*), ::core::marker::PhantomData)
                }

                #[allow(unused_variables)]
                fn exchange(guard: &mut Self::Guard<'_>, saved: &mut Self::Saved) {
                    let __view = #guard::fields(guard);
                    #(#exchanges)*
                }
            }
        }
    }
}
