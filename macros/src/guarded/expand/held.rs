//! The view of the data that a lock guards.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};

use super::{Side, expand_debug};
use crate::gather::Gather;
use crate::guarded::model::{Contents, GuardedField, LockField};
use crate::names::{hygienic, unsafe_};

impl Side<'_> {
    /// Expands to:
    ///
    /// ```text
    /// pub struct AccountLedgerHeld<'__guard> {
    ///     balance: &'__guard mut i64,
    ///     history: &'__guard mut Vec<i64>,
    ///     __owner: ::async_monitor::__private::Owner<'__guard, Account, 0x1234>,
    /// }
    /// ```
    pub(super) fn expand_held(&self) -> TokenStream {
        let krate = &self.monitor.krate;
        let Side { held, monitor, .. } = self;
        let (vis, hidden) = (&monitor.vis, self.hidden());
        let params = monitor.params.of_declaration();
        let where_clause = monitor.params.where_clause(&TokenStream::new());
        let fields = view_fields(self.lock, &self.reference(&quote!('__guard)));
        let (this, key) = (monitor.params.this(), &self.key);
        let doc = format!(
            "The data that the lock `{}` of `{}` guards, while it is held{}.",
            self.lock.ident,
            monitor.ident,
            if self.is_shared { " for reading" } else { "" },
        );
        let debug = expand_debug(monitor, held);
        let holds_lock = self.expand_holds_lock(
            &self.held_type(&quote!('__guard)),
            &quote!(#krate::__private::Owner::get(&self.__owner)),
        );
        quote! {
            #[doc = #doc]
            #hidden
            #vis struct #held #params #where_clause {
                #fields
                __owner: #krate::__private::Owner<'__guard, #this, #key>,
            }

            #debug
            #holds_lock
        }
    }

    /// Expands to:
    ///
    /// ```text
    /// impl<'__guard> ::async_monitor::__private::ReborrowView for AccountLedgerHeld<'__guard> {
    ///     type View<'__view> = AccountLedgerHeld<'__view> where Self: '__view;
    ///     fn reborrow(&mut self) -> Self::View<'_> { .. }
    /// }
    /// ```
    ///
    /// SAFETY of the generated code: the lock is held for longer than the view is
    /// borrowed (K2).
    pub(super) fn expand_reborrow(&self) -> TokenStream {
        let Side { monitor, held, .. } = self;
        let krate = &monitor.krate;
        let params = monitor.params.with_guard();
        let where_clause = monitor.params.where_clause(&TokenStream::new());
        let (held_type, view_type) = (
            self.held_type(&quote!('__guard)),
            self.held_type(&quote!('__view)),
        );
        let names: Vec<_> = match &self.lock.contents {
            Contents::Fields(fields) => fields.iter().map(|field| field.ident.clone()).gather(),
            Contents::Value { .. } => vec![format_ident!("value")],
        };
        let unsafe_ = unsafe_();
        quote! {
            #[doc(hidden)]
            #[automatically_derived]
            impl #params #krate::__private::ReborrowView for #held_type #where_clause {
                type View<'__view> = #view_type where Self: '__view;

                #[inline]
                fn reborrow(&mut self) -> Self::View<'_> {
                    #held {
                        #(#names: &mut *self.#names,)*
                        __owner: #unsafe_ {
                            #krate::__private::Owner::new(
                                #krate::__private::Owner::get(&self.__owner),
                            )
                        },
                    }
                }
            }
        }
    }
}

/// Expands to:
///
/// ```text
/// balance: &'__guard mut i64,
/// history: &'__guard mut Vec<i64>,
/// ```
///
/// with the visibilities and the docs of the struct's fields.
pub(super) fn view_fields(lock: &LockField, reference: &TokenStream) -> TokenStream {
    match &lock.contents {
        Contents::Fields(fields) => {
            let fields = fields.iter().map(|field| {
                let GuardedField {
                    ident, vis, value, ..
                } = field;
                let docs = field_docs(field, &lock.ident);
                // Users need not use every field: no lint checks these names.
                let mut ident = ident.clone();
                ident.set_span(hygienic(ident.span()));
                quote!(#docs #vis #ident: #reference #value,)
            });
            fields.gather()
        }
        Contents::Value { ty, .. } => {
            let (doc, vis) = (
                format!("The value in the lock `{}`.", lock.ident),
                &lock.vis,
            );
            let value = Ident::new("value", hygienic(lock.ident.span()));
            quote!(#[doc = #doc] #vis #value: #reference #ty,)
        }
    }
}

/// The docs of the field itself, or else a sentence.
fn field_docs(field: &GuardedField, lock: &Ident) -> TokenStream {
    if field.docs.is_empty() {
        let doc = format!("The field `{}`, guarded by `{lock}`.", field.ident);
        quote!(#[doc = #doc])
    } else {
        field.docs.iter().map(ToTokens::to_token_stream).gather()
    }
}
