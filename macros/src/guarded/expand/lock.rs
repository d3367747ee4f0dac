//! The one place of an expansion that names the type of a lock.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::gather::Gather;
use crate::guarded::model::{Contents, LockField, Monitor};
use crate::names::{camel_case, plain, public, unsafe_};

/// `__AccountLedger`: stands for the field in types. It is private, as the type
/// of the lock may be.
pub(super) fn marker(monitor: &Monitor, lock: &LockField) -> Ident {
    let name = camel_case(&plain(&lock.ident));
    let span = public(monitor.ident.span());
    format_ident!("__{}{name}", plain(&monitor.ident), span = span)
}

/// Expands to:
///
/// ```text
/// enum __AccountLedger {}
///
/// unsafe impl ::async_monitor::__private::LockOf<__AccountLedger> for Account {
///     type Lock = Lock;
///     fn __lock(&self) -> ::async_monitor::__private::NoCoercion<'_, Lock> {
///         let Self { ledger: __field, balance: _, .. } = self;
///         let __lock = ::async_monitor::__private::no_coercion(__field);
///         __lock
///     }
/// }
/// ```
///
/// SAFETY of the generated code: the marker stands for this field. The second `let` is
/// needed because the compiler coerces an argument if it knows the type that
/// the result must have. The first one proves that the struct itself has these
/// fields, so that every generated `self.balance` is the field: an
/// attribute below the derive may have replaced the struct by one that derefs, by
/// user code, to a type that has them.
pub(super) fn expand_lock_of(monitor: &Monitor, lock: &LockField) -> TokenStream {
    let krate = &monitor.krate;
    let (params, this) = (monitor.params.of_impl(), monitor.params.this());
    let where_clause = monitor.params.where_clause(&TokenStream::new());
    let LockField { ident, ty, .. } = lock;
    let guarded = match &lock.contents {
        Contents::Fields(fields) => fields.iter().map(|field| &field.ident).gather(),
        Contents::Value { .. } => Vec::new(),
    };
    let (marker, unsafe_) = (marker(monitor, lock), unsafe_());
    let lock_of = super::item(lock, if lock.is_rw { "RwLockOf" } else { "LockOf" });
    // A type with parameters may have lifetimes, which its id does not distinguish.
    let kind = monitor.params.is_empty().then(|| {
        quote! {
            #[inline]
            fn __kind() -> ::core::option::Option<#krate::__private::Kind> {
                #krate::__private::Kind::of::<Self, #marker>()
            }
        }
    });
    // The place of errors about the type.
    let at_type = public(ty.span());
    let lock_type = quote_spanned!(at_type=> type Lock = #ty;);
    quote! {
        enum #marker {}

        #[doc(hidden)]
        #[automatically_derived]
        #unsafe_ impl #params #krate::__private::#lock_of<#marker> for #this #where_clause {
            #lock_type

            #[inline]
            fn __lock(&self) -> #krate::__private::NoCoercion<'_, Self::Lock> {
                let Self { #ident: __field, #(#guarded: _,)* .. } = self;
                let __lock = #krate::__private::no_coercion(__field);
                __lock
            }

            #kind
        }
    }
}
