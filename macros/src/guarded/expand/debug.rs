//! `#[guarded(debug)]`: `Debug` for the struct, with the guarded data.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{Side, sides};
use crate::gather::Gather;
use crate::guarded::model::{AnyField, Contents, FieldKind, Monitor};
use crate::names::{has_ident, plain, public};

/// Expands to:
///
/// ```text
/// impl ::core::fmt::Debug for Account {
///     fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
///         let mut __guard_ledger = self.try_acquire_ledger();
///         let __view_ledger = ..;
///         let mut __debug = __formatter.debug_struct("Account");
///         __debug.field("id", &self.id);
///         match &__view_ledger {
///             Some(__view) => __debug.field("balance", &*__view.balance),
///             None => __debug.field("balance", &format_args!("<locked>")),
///         };
///         let __result = __debug.finish();
///         // each guard is released as after a section that has changed nothing
///         __result
///     }
/// }
/// ```
///
/// It never waits. Locks are tried exclusively, so that guarded data need not be `Sync`.
pub(super) fn expand(monitor: &Monitor) -> TokenStream {
    if monitor.options.debug.is_none() {
        return TokenStream::new();
    }
    let krate = &monitor.krate;
    let (params, this) = (monitor.params.of_impl(), monitor.params.this());
    let where_clause = monitor.params.where_clause(&bounds(monitor));
    let locks: Vec<Tried<'_>> = monitor
        .locks
        .iter()
        .filter_map(|lock| {
            let side = sides(monitor, lock)
                .into_iter()
                .find(|side| !side.is_shared)?;
            Some(Tried::new(side))
        })
        .gather();
    let tried: TokenStream = locks.iter().map(Tried::acquire).gather();
    let released: TokenStream = locks.iter().map(Tried::release).gather();
    let fields: TokenStream = monitor
        .fields
        .iter()
        .map(|field| show(monitor, field, &locks))
        .gather();
    let name = plain(&monitor.ident);
    let _ = krate;
    quote! {
        #[automatically_derived]
        impl #params ::core::fmt::Debug for #this #where_clause {
            fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #tried
                let mut __debug = ::core::fmt::Formatter::debug_struct(__formatter, #name);
                #fields
                let __result = ::core::fmt::DebugStruct::finish(&mut __debug);
                #released
                __result
            }
        }
    }
}

/// A lock that is tried.
struct Tried<'m> {
    side: Side<'m>,
    guard: Ident,
    view: Ident,
}

impl<'m> Tried<'m> {
    fn new(side: Side<'m>) -> Self {
        let name = plain(&side.lock.ident);
        Tried {
            guard: format_ident!("__guard_{name}"),
            view: format_ident!("__view_{name}"),
            side,
        }
    }

    fn acquire(&self) -> TokenStream {
        let Tried { side, guard, view } = self;
        let (verb, name) = (side.verb, plain(&side.lock.ident));
        let try_acquire = format_ident!("try_{verb}_{name}");
        let ty = &side.guard;
        quote! {
            let mut #guard = Self::#try_acquire(self);
            let #view = match &mut #guard {
                ::core::option::Option::Some(__guard) => {
                    ::core::option::Option::Some(#ty::fields(__guard))
                }
                ::core::option::Option::None => ::core::option::Option::None,
            };
        }
    }

    fn release(&self) -> TokenStream {
        let Tried { side, guard, view } = self;
        let (krate, core) = (&side.monitor.krate, side.core());
        quote! {
            let _ = #view;
            if let ::core::option::Option::Some(__guard) = #guard {
                #krate::__private::#core::release_unchanged(__guard.0);
            }
        }
    }
}

fn show(monitor: &Monitor, field: &AnyField, locks: &[Tried<'_>]) -> TokenStream {
    let AnyField { ident, ty, kind } = field;
    let name = plain(ident);
    let (lock, value) = match kind {
        FieldKind::Unguarded => {
            let span = public(ty.span());
            return quote_spanned!(span=> __debug.field(#name, &self.#ident););
        }
        FieldKind::GuardedBy(lock) => (*lock, ident.clone()),
        FieldKind::Lock(lock) => match &monitor.locks[*lock].contents {
            Contents::Fields(_) => return TokenStream::new(),
            Contents::Value { .. } => (*lock, format_ident!("value")),
        },
    };
    let Some(Tried { view, .. }) = locks
        .iter()
        .find(|tried| tried.side.lock.ident == monitor.locks[lock].ident)
    else {
        return TokenStream::new();
    };
    let span = public(ty.span());
    let shown = quote_spanned!(span=> __debug.field(#name, &&*__view.#value));
    quote! {
        match &#view {
            ::core::option::Option::Some(__view) => #shown,
            ::core::option::Option::None => {
                __debug.field(#name, &::core::format_args!("<locked>"))
            }
        };
    }
}

/// `T: Debug` for each parameter that a field mentions.
fn bounds(monitor: &Monitor) -> TokenStream {
    let types: TokenStream = monitor
        .fields
        .iter()
        .map(|field| field.ty.to_token_stream())
        .gather();
    let params = monitor.generics.type_params();
    let mentioned = params.filter(|param| has_ident(&types, &plain(&param.ident)));
    mentioned
        .map(|param| {
            let ident = &param.ident;
            quote!(#ident: ::core::fmt::Debug,)
        })
        .gather()
}
