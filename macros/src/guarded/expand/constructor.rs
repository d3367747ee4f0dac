//! `#[guarded(new)]`: a constructor.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use crate::gather::Gather;
use crate::guarded::model::{AnyField, Contents, FieldKind, GuardedField, Monitor};
use crate::names::{hygienic, located};

/// Expands to:
///
/// ```text
/// impl Account {
///     pub fn new(id: u64, balance: i64) -> Self {
///         Account {
///             id,
///             ledger: ::core::default::Default::default(),
///             balance: ::async_monitor::Guarded::new(balance),
///         }
///     }
/// }
/// ```
///
/// A lock with a value inside is constructed from that value. Behind a pointer, the lock itself
/// is the parameter, as it may be shared.
pub(super) fn expand(monitor: &Monitor) -> TokenStream {
    let Some(span) = monitor.options.new else {
        return TokenStream::new();
    };
    let krate = &monitor.krate;
    let (ident, vis) = (&monitor.ident, &monitor.vis);
    let (params, this) = (monitor.params.of_impl(), monitor.params.this());
    let where_clause = monitor.params.where_clause(&TokenStream::new());
    let mut parameters = Vec::new();
    let fields: TokenStream = monitor
        .fields
        .iter()
        .map(|field| {
            let AnyField { ident, ty, kind } = field;
            // Parameters of the macro's own, so that no constant shadows them.
            let name = located(ident, hygienic(ident.span()));
            let (parameter, value) = match kind {
                FieldKind::Unguarded => (Some(quote!(#ty)), quote!(#name)),
                FieldKind::GuardedBy(lock) => {
                    let value = guarded_value(monitor, *lock, ident);
                    (Some(value), quote!(#krate::Guarded::new(#name)))
                }
                FieldKind::Lock(lock) => match &monitor.locks[*lock].contents {
                    Contents::Fields(_) => (None, quote!(::core::default::Default::default())),
                    Contents::Value {
                        ty: value,
                        is_owned: true,
                    } if !is_boxed(ty) => (
                        Some(quote!(#value)),
                        quote!(<#ty as ::core::convert::From<#value>>::from(#name)),
                    ),
                    Contents::Value { .. } => (Some(quote!(#ty)), quote!(#name)),
                },
            };
            if let Some(parameter) = parameter {
                parameters.push(quote!(#name: #parameter));
            }
            quote!(#ident: #value,)
        })
        .gather();
    let new = format_ident!("new", span = span);
    let doc = format!("Creates a `{ident}` from these values, with free locks.");
    let inside = quote_spanned!(hygienic(span)=> Self { #fields });
    quote! {
        #[automatically_derived]
        impl #params #this #where_clause {
            #[doc = #doc]
            #[must_use]
            #[inline]
            #vis fn #new(#(#parameters),*) -> Self {
                #inside
            }
        }
    }
}

/// The type of the data that the field guards.
fn guarded_value(monitor: &Monitor, lock: usize, ident: &Ident) -> TokenStream {
    let Contents::Fields(fields) = &monitor.locks[lock].contents else {
        return TokenStream::new();
    };
    let field = fields.iter().find(|field| field.ident == *ident);
    field.map_or_else(
        TokenStream::new,
        |GuardedField { value, .. }| quote!(#value),
    )
}

/// Whether the type is written as a `Box`: one `From` does not make a boxed lock from a value.
fn is_boxed(ty: &syn::Type) -> bool {
    matches!(ty, syn::Type::Path(path)
        if path.path.segments.last().is_some_and(|last| last.ident == "Box"))
}
