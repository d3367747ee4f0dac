//! `#[guarded(snapshot)]`: clones of what a lock guards.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{GenericParam, WherePredicate};

use super::Side;
use crate::gather::Gather;
use crate::guarded::model::{Contents, Monitor};
use crate::names::{camel_case, has_ident, plain, public};

impl Side<'_> {
    /// Expands to:
    ///
    /// ```text
    /// #[derive(Debug)]
    /// pub struct AccountLedgerSnapshot {
    ///     balance: i64,
    /// }
    ///
    /// impl Account {
    ///     async fn snapshot_ledger(&self) -> AccountLedgerSnapshot {
    ///         let mut __guard = self.acquire_ledger().await;
    ///         let __view = __guard.fields();
    ///         let __snapshot = AccountLedgerSnapshot {
    ///             balance: ::core::clone::Clone::clone(&*__view.balance),
    ///         };
    ///         ::async_monitor::__private::Core::release_unchanged(__guard.0);
    ///         __snapshot
    ///     }
    /// }
    /// ```
    ///
    /// A lock that can be shared is acquired to read. The struct has the parameters
    /// that its fields mention.
    pub(super) fn expand_snapshot(&self) -> TokenStream {
        let Some(snapshot) = &self.monitor.options.snapshot else {
            return TokenStream::new();
        };
        if matches!(&self.lock.contents, Contents::Fields(fields) if fields.is_empty()) {
            return TokenStream::new();
        }
        let Side { monitor, guard, .. } = self;
        let (krate, vis, method_vis) = (&monitor.krate, &monitor.vis, &self.lock.vis);
        let name = plain(&self.lock.ident);
        let ident = format_ident!(
            "{}{}Snapshot",
            plain(&monitor.ident),
            camel_case(&name),
            span = public(monitor.ident.span())
        );
        let Kept {
            declared,
            arguments,
            where_clause: where_kept,
        } = kept(monitor, &self.values());
        let (fields, values) = self.snapshot_fields();
        let derives = &snapshot.derives;
        let derive = (!derives.is_empty()).then(|| quote!(#[derive(#(#derives),*)]));
        let hidden = self.hidden();
        let (params, this) = (monitor.params.of_impl(), monitor.params.this());
        let where_clause = monitor.params.where_clause(&TokenStream::new());
        let mut bounds = self.shareable();
        bounds.extend(self.clone_bounds());
        let where_method = (!bounds.is_empty()).then(|| quote!(where #bounds));
        let method = format_ident!("snapshot_{name}", span = public(snapshot.span));
        let acquire = format_ident!("{}_{name}", self.verb);
        let (is_async, awaited) = if self.lock.is_sync {
            (None, None)
        } else {
            (Some(quote!(async)), Some(quote!(.await)))
        };
        let mutable = (!self.is_shared).then(|| quote!(mut));
        let core = self.core();
        let release = if self.is_shared {
            quote!(#guard::release(__guard);)
        } else {
            quote!(#krate::__private::#core::release_unchanged(__guard.0);)
        };
        let doc = format!(
            "Clones of what the lock `{name}` of `{}` guarded.",
            monitor.ident
        );
        let method_doc =
            format!("Clones the data that the lock `{name}` guards, while it is held.");
        quote! {
            #[doc = #doc]
            #derive
            #hidden
            #vis struct #ident #declared #where_kept {
                #fields
            }

            #[automatically_derived]
            impl #params #this #where_clause {
                #[doc = #method_doc]
                #method_vis #is_async fn #method(&self) -> #ident #arguments #where_method {
                    let #mutable __guard = Self::#acquire(self) #awaited;
                    let __snapshot = {
                        let __view = #guard::fields(&#mutable __guard);
                        #ident { #values }
                    };
                    #release
                    __snapshot
                }
            }
        }
    }

    /// The fields of the struct, and their values.
    fn snapshot_fields(&self) -> (TokenStream, TokenStream) {
        let clone = |ident: &proc_macro2::Ident, ty: &syn::Type| {
            let span = public(ty.span());
            quote_spanned!(span=> #ident: ::core::clone::Clone::clone(&*__view.#ident),)
        };
        match &self.lock.contents {
            Contents::Fields(fields) => {
                let declared = fields.iter().map(|field| {
                    let (docs, vis, ident, ty) =
                        (&field.docs, &field.vis, &field.ident, &field.value);
                    let doc = docs.is_empty().then(|| {
                        let doc = format!("The field `{ident}`.");
                        quote!(#[doc = #doc])
                    });
                    quote!(#(#docs)* #doc #vis #ident: #ty,)
                });
                let values = fields.iter().map(|field| clone(&field.ident, &field.value));
                (declared.gather(), values.gather())
            }
            Contents::Value { ty, .. } => {
                let vis = &self.lock.vis;
                let value = format_ident!("value");
                let doc = format!("The value in the lock `{}`.", self.lock.ident);
                (quote!(#[doc = #doc] #vis value: #ty,), clone(&value, ty))
            }
        }
    }

    /// `T: Clone` for the types that mention a parameter.
    fn clone_bounds(&self) -> TokenStream {
        let values = self.values().into_iter();
        let generic = values.filter(|ty| {
            let tokens = ty.to_token_stream();
            let mut params = self.monitor.generics.type_params();
            params.any(|param| has_ident(&tokens, &plain(&param.ident)))
        });
        generic
            .map(|ty| quote!(#ty: ::core::clone::Clone,))
            .gather()
    }
}

/// The parameters that given types mention.
struct Kept {
    declared: TokenStream,
    arguments: TokenStream,
    where_clause: TokenStream,
}

fn kept(monitor: &Monitor, types: &[&syn::Type]) -> Kept {
    let tokens: TokenStream = types.iter().map(|ty| ty.to_token_stream()).gather();
    let name = |param: &GenericParam| match param {
        GenericParam::Lifetime(param) => plain(&param.lifetime.ident),
        GenericParam::Type(param) => plain(&param.ident),
        GenericParam::Const(param) => plain(&param.ident),
    };
    let (mut declared, mut arguments) = (TokenStream::new(), TokenStream::new());
    let mut left_out = Vec::new();
    for param in &monitor.generics.params {
        if !has_ident(&tokens, &name(param)) {
            left_out.push(name(param));
            continue;
        }
        let argument = match param {
            GenericParam::Lifetime(param) => param.lifetime.to_token_stream(),
            GenericParam::Type(param) => param.ident.to_token_stream(),
            GenericParam::Const(param) => param.ident.to_token_stream(),
        };
        let param = super::super::generics::without_default(param);
        declared.extend(quote!(#param,));
        arguments.extend(quote!(#argument,));
    }
    let predicates = monitor.generics.where_clause.iter();
    let predicates = predicates.flat_map(|clause| &clause.predicates);
    let is_kept = |predicate: &&WherePredicate| {
        let tokens = predicate.to_token_stream();
        !left_out.iter().any(|param| has_ident(&tokens, param)) && !has_ident(&tokens, "Self")
    };
    let predicates: Vec<_> = predicates.filter(is_kept).gather();
    if declared.is_empty() {
        return Kept {
            declared,
            arguments,
            where_clause: TokenStream::new(),
        };
    }
    Kept {
        declared: quote!(<#declared>),
        arguments: quote!(<#arguments>),
        where_clause: if predicates.is_empty() {
            TokenStream::new()
        } else {
            quote!(where #(#predicates,)*)
        },
    }
}
