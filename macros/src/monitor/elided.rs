//! Lifetimes that are not written.

use syn::visit_mut::{self, VisitMut};
use syn::{Lifetime, ParenthesizedGenericArguments, Type, TypeFnPtr, TypePath, TypeReference};

/// Writes a lifetime where there is `'_`, or a reference without one. What
/// belongs to a `Fn(&T) -> &T` stays as it is.
pub(super) struct Named<F: FnMut() -> Lifetime>(pub(super) F);

impl<F: FnMut() -> Lifetime> Named<F> {
    pub(super) fn in_type(name: F, ty: &mut Type) {
        Named(name).visit_type_mut(ty);
    }

    pub(super) fn in_path(name: F, path: &mut TypePath) {
        Named(name).visit_type_path_mut(path);
    }
}

impl<F: FnMut() -> Lifetime> VisitMut for Named<F> {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = (self.0)();
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if reference.lifetime.is_none() {
            reference.lifetime = Some((self.0)());
        }
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proc_macro2::Span;
    use quote::ToTokens;
    use syn::parse_quote;

    #[track_caller]
    fn named(mut ty: Type, expected: Type) {
        Named::in_type(|| Lifetime::new("'g", Span::call_site()), &mut ty);
        assert_eq!(
            ty.to_token_stream().to_string(),
            expected.to_token_stream().to_string()
        );
    }

    #[test]
    fn lifetimes_are_named_wherever_they_are_elided() {
        named(parse_quote!(&str), parse_quote!(&'g str));
        named(
            parse_quote!(Result<Vec<&'_ [&mut u8]>, Box<dyn Error + '_>>),
            parse_quote!(Result<Vec<&'g [&'g mut u8]>, Box<dyn Error + 'g>>),
        );
    }

    #[test]
    fn others_stay() {
        let ty: Type = parse_quote!((&'a str, Box<dyn Fn(&u8) -> &u8>, fn(&u8) -> &'static u8));
        named(ty.clone(), ty);
    }
}
