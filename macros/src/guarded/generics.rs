//! The parameters of the struct, as the generated types and impls repeat them.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{GenericParam, Generics, Token, Type, TypeParamBound, WherePredicate, parse_quote};

use crate::gather::Gather;
use crate::names::{has_ident, plain, replace_self};

/// The parameters and bounds of the struct.
pub(super) struct Params {
    /// With bounds, without defaults: `'d, T: Clone, const N: usize,`.
    declared: TokenStream,
    /// With defaults, too: `'d, T: Clone = u8, const N: usize = 3,`.
    with_defaults: TokenStream,
    /// With defaults, but without bounds: `'d, T = u8, const N: usize = 3,`.
    of_alias: TokenStream,
    /// Without bounds: `'d, T, N,`.
    arguments: TokenStream,
    /// The predicates of the where-clause: `U: 'd,`.
    predicates: TokenStream,
    /// The struct: `Account<'d, T, N>`.
    this: TokenStream,
    /// The parameters that need not be `Sized`.
    unsized_params: Vec<Ident>,
    /// Parameters and where-clause of an impl in which all are `Sized`.
    of_size: (TokenStream, TokenStream),
}

impl Params {
    /// `last`: the type of the last field, the only one that may be unsized.
    pub(super) fn new(ident: &Ident, generics: &Generics, last: Option<&Type>) -> Self {
        let mut declared = TokenStream::new();
        let mut with_defaults = TokenStream::new();
        let mut of_alias = TokenStream::new();
        let mut arguments = TokenStream::new();
        for param in &generics.params {
            let name = match param {
                GenericParam::Lifetime(param) => param.lifetime.to_token_stream(),
                GenericParam::Type(param) => param.ident.to_token_stream(),
                GenericParam::Const(param) => param.ident.to_token_stream(),
            };
            with_defaults.extend(quote!(#param,));
            let unbounded = without_bounds(param);
            of_alias.extend(quote!(#unbounded,));
            let param = without_default(param);
            declared.extend(quote!(#param,));
            arguments.extend(quote!(#name,));
        }
        let this = if arguments.is_empty() {
            quote!(#ident)
        } else {
            quote!(#ident<#arguments>)
        };
        let predicates = generics.where_clause.as_ref().map(|clause| {
            let predicates = clause.predicates.iter();
            quote!(#(#predicates,)*)
        });
        let mut predicates = predicates.unwrap_or_default();
        let unsized_params = unsized_params(generics);
        let mut all_of_size = of_size(generics);
        if unsized_params
            .iter()
            .any(|param| is_bounded(param, &all_of_size))
        {
            predicates.extend(quote!(#this: ::core::marker::Sized,));
        }
        // An associated type of a parameter may be unsized. The predicate has to be on
        // all impls: on one alone, it would be satisfied by whatever type an alias puts there.
        if let Some(last) = last.map(ToTokens::to_token_stream) {
            let mut params = generics.type_params();
            if params.any(|param| projects(&last, &plain(&param.ident))) {
                let predicate = quote!(#last: ::core::marker::Sized);
                let clause = all_of_size.make_where_clause();
                clause.predicates.push(parse_quote!(#predicate));
                predicates.extend(quote!(#predicate,));
            }
        }
        let (params_of_size, _, where_of_size) = all_of_size.split_for_impl();
        let of_size = (
            replace_self(params_of_size.to_token_stream(), &this),
            replace_self(where_of_size.to_token_stream(), &this),
        );
        Params {
            of_size,
            declared: replace_self(declared, &this),
            with_defaults: replace_self(with_defaults, &this),
            of_alias: replace_self(of_alias, &this),
            predicates: replace_self(predicates, &this),
            arguments,
            this,
            unsized_params,
        }
    }

    /// Whether the type may be unsized: a slice, a `str`, a trait object, or a type
    /// that depends on a parameter that need not be `Sized`.
    pub(super) fn may_be_unsized(&self, ty: &Type) -> bool {
        match ty {
            Type::Group(group) => self.may_be_unsized(&group.elem),
            Type::Paren(paren) => self.may_be_unsized(&paren.elem),
            Type::Slice(_) | Type::TraitObject(_) => true,
            Type::Path(path) if path.path.is_ident("str") => true,
            other => {
                let tokens = other.to_token_stream();
                let mut params = self.unsized_params.iter();
                params.any(|param| has_ident(&tokens, &plain(param)))
            }
        }
    }

    /// The struct with its arguments.
    pub(super) fn this(&self) -> &TokenStream {
        &self.this
    }

    /// `<'d, T: Clone>`, behind `impl`.
    pub(super) fn of_impl(&self) -> TokenStream {
        let declared = &self.declared;
        quote!(<#declared>)
    }

    /// `<'d, T: Clone>` and `where ..` of an impl in which all parameters are `Sized`.
    pub(super) fn of_size(&self) -> (&TokenStream, &TokenStream) {
        (&self.of_size.0, &self.of_size.1)
    }

    /// `<'__guard, 'd, T: Clone>`, behind `impl`.
    pub(super) fn with_guard(&self) -> TokenStream {
        let declared = &self.declared;
        quote!(<'__guard, #declared>)
    }

    /// `<'__guard, 'd, T: Clone = u8>`, in the declaration of a generated type: if the struct
    /// can be named without arguments, so can its types.
    pub(super) fn of_declaration(&self) -> TokenStream {
        let with_defaults = &self.with_defaults;
        quote!(<'__guard, #with_defaults>)
    }

    /// `<'__guard, 'd, T = u8>`, behind the name of an alias, where bounds have no effect.
    pub(super) fn of_alias(&self) -> TokenStream {
        let of_alias = &self.of_alias;
        quote!(<'__guard, #of_alias>)
    }

    /// `<'lifetime, 'd, T>`, behind the name of a generated type.
    pub(super) fn arguments(&self, lifetime: &TokenStream) -> TokenStream {
        let arguments = &self.arguments;
        quote!(<#lifetime, #arguments>)
    }

    /// Whether there are no parameters.
    pub(super) fn is_empty(&self) -> bool {
        self.arguments.is_empty()
    }

    /// `<'d, T>`, behind the name of a generated type that has no guard.
    pub(super) fn own_arguments(&self) -> TokenStream {
        let arguments = &self.arguments;
        quote!(<#arguments>)
    }

    /// `where T: Debug`, with more predicates.
    pub(super) fn where_clause(&self, more: &TokenStream) -> TokenStream {
        let predicates = &self.predicates;
        if predicates.is_empty() && more.is_empty() {
            TokenStream::new()
        } else {
            quote!(where #predicates #more)
        }
    }

    /// A type in the struct as it is written outside of the struct, where `Self`
    /// means something else. It can follow a `&`.
    pub(super) fn outside(&self, ty: &Type) -> Type {
        let tokens = replace_self(ty.to_token_stream(), &self.this);
        let ty = syn::parse2(tokens).unwrap_or_else(|_| ty.clone());
        match ty {
            Type::TraitObject(object) if object.bounds.len() > 1 => parse_quote!((#object)),
            other => other,
        }
    }
}

/// Whether a type names an associated type of the parameter: `T::Target`,
/// `<T as Deref>::Target`.
fn projects(ty: &TokenStream, param: &str) -> bool {
    let mut tokens = ty.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let next = tokens.peek();
        let projects = match token {
            TokenTree::Group(group) => projects(&group.stream(), param),
            TokenTree::Ident(ident) if plain(&ident) == param => {
                matches!(next, Some(TokenTree::Punct(next)) if next.as_char() == ':')
            }
            TokenTree::Ident(ident) => ident == "as" && has_ident(ty, param),
            _ => false,
        };
        if projects {
            return true;
        }
    }
    false
}

/// The parameters with a bound `?Sized`, here or in the where-clause.
fn unsized_params(generics: &Generics) -> Vec<Ident> {
    let is_relaxed = |bounds: &dyn ToTokens| {
        let mut tokens = bounds.to_token_stream().into_iter();
        tokens.any(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '?'))
    };
    let declared = generics.type_params().filter(|param| {
        let clause = generics.where_clause.iter();
        let mut predicates = clause.flat_map(|clause| &clause.predicates);
        is_relaxed(&param.bounds)
            || predicates.any(|predicate| {
                let tokens = predicate.to_token_stream();
                has_ident(&tokens, &plain(&param.ident)) && is_relaxed(&tokens)
            })
    });
    declared.map(|param| param.ident.clone()).gather()
}

/// The parameters and predicates without `?Sized`.
fn of_size(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    let sized = |bounds: &mut Punctuated<TypeParamBound, Token![+]>| {
        let kept = bounds.iter().filter(|bound| {
            let mut tokens = bound.to_token_stream().into_iter();
            !matches!(tokens.next(), Some(TokenTree::Punct(punct)) if punct.as_char() == '?')
        });
        let kept: Vec<_> = kept.cloned().gather();
        bounds.clear();
        bounds.extend(kept);
    };
    for param in generics.type_params_mut() {
        sized(&mut param.bounds);
    }
    if let Some(clause) = &mut generics.where_clause {
        for predicate in &mut clause.predicates {
            if let WherePredicate::Type(predicate) = predicate {
                sized(&mut predicate.bounds);
            }
        }
    }
    generics
}

/// Whether a parameter has a bound other than `?Sized`.
fn is_bounded(param: &Ident, of_size: &Generics) -> bool {
    let declared = of_size
        .type_params()
        .any(|declared| declared.ident == *param && !declared.bounds.is_empty());
    let mut predicates = of_size
        .where_clause
        .iter()
        .flat_map(|clause| &clause.predicates);
    declared
        || predicates.any(|predicate| {
            let is_empty = matches!(predicate, WherePredicate::Type(of) if of.bounds.is_empty());
            !is_empty && has_ident(&predicate.to_token_stream(), &plain(param))
        })
}

pub(super) fn without_default(param: &GenericParam) -> GenericParam {
    let mut param = param.clone();
    match &mut param {
        GenericParam::Type(param) => param.default = None,
        GenericParam::Const(param) => param.default = None,
        GenericParam::Lifetime(_) => {}
    }
    param
}

fn without_bounds(param: &GenericParam) -> GenericParam {
    let mut param = param.clone();
    match &mut param {
        GenericParam::Lifetime(param) => param.bounds.clear(),
        GenericParam::Type(param) => param.bounds.clear(),
        GenericParam::Const(_) => {}
    }
    param
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn params(item: &syn::ItemStruct) -> Params {
        Params::new(&item.ident, &item.generics, None)
    }

    /// Compares with text, without spaces and the commas before a closing `>`,
    /// which make no difference.
    #[track_caller]
    fn same(actual: impl ToTokens, expected: &str) {
        let text = actual.to_token_stream().to_string().replace(' ', "");
        assert_eq!(text.replace(",>", ">"), expected.replace(' ', ""));
    }

    #[test]
    fn parameters_are_repeated() {
        let params = params(&parse_quote! {
            struct S<'d, T: Clone + 'd = u8, const N: usize = 3> where T: Copy { t: &'d T }
        });
        same(params.this(), "S<'d, T, N>");
        same(
            params.with_guard(),
            "<'__guard, 'd, T: Clone + 'd, const N: usize>",
        );
        same(
            params.of_declaration(),
            "<'__guard, 'd, T: Clone + 'd = u8, const N: usize = 3>",
        );
        same(
            params.of_alias(),
            "<'__guard, 'd, T = u8, const N: usize = 3>",
        );
        same(params.arguments(&quote!('_)), "<'_, 'd, T, N>");
        same(params.where_clause(&quote!()), "where T: Copy,");
    }

    #[test]
    fn without_parameters_nothing_is_repeated() {
        let params = params(&parse_quote!(
            struct S {
                t: u8,
            }
        ));
        same(params.this(), "S");
        same(params.of_impl(), "<>");
        same(params.with_guard(), "<'__guard>");
        same(params.where_clause(&quote!()), "");
    }

    #[test]
    fn self_is_named() {
        let params = params(&parse_quote! {
            struct S<T> where Self: Sized, Option<Self>: Clone { t: T }
        });
        same(
            params.where_clause(&quote!()),
            "where S<T>: Sized, Option<S<T>>: Clone,",
        );
        same(
            params.outside(&parse_quote!(Option<Box<Self>>)),
            "Option<Box<S<T>>>",
        );
        same(
            params.outside(&parse_quote!(Vec<Self::Item>)),
            "Vec<<S<T>>::Item>",
        );
    }
}
