//! Elided lifetimes.

use syn::{
    AngleBracketedGenericArguments, GenericArgument, Lifetime, Path, PathArguments, Type,
    TypeParamBound, TypePath,
};

/// Replaces `'_`, and writes a lifetime for a reference without one. Those in a
/// `Fn(&T) -> &T` are not changed.
pub(super) struct Named<'n>(pub(super) &'n mut dyn FnMut() -> Lifetime);

impl Named<'_> {
    pub(super) fn in_type(&mut self, ty: &mut Type) {
        match ty {
            Type::Reference(ty) => {
                match &mut ty.lifetime {
                    Some(lifetime) => self.in_lifetime(lifetime),
                    none => *none = Some((self.0)()),
                }
                self.in_type(&mut ty.elem);
            }
            Type::Path(ty) => self.in_type_path(ty),
            Type::TraitObject(ty) => ty.bounds.iter_mut().for_each(|bound| self.in_bound(bound)),
            Type::ImplTrait(ty) => ty.bounds.iter_mut().for_each(|bound| self.in_bound(bound)),
            Type::Tuple(ty) => ty.elems.iter_mut().for_each(|ty| self.in_type(ty)),
            Type::Array(ty) => self.in_type(&mut ty.elem),
            Type::Slice(ty) => self.in_type(&mut ty.elem),
            Type::Ptr(ty) => self.in_type(&mut ty.elem),
            Type::Paren(ty) => self.in_type(&mut ty.elem),
            Type::Group(ty) => self.in_type(&mut ty.elem),
            _ => {}
        }
    }

    pub(super) fn in_type_path(&mut self, ty: &mut TypePath) {
        if let Some(base) = &mut ty.qself {
            self.in_type(&mut base.ty);
        }
        self.in_path(&mut ty.path);
    }

    fn in_path(&mut self, path: &mut Path) {
        for segment in &mut path.segments {
            if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                self.in_arguments(arguments);
            }
        }
    }

    fn in_arguments(&mut self, arguments: &mut AngleBracketedGenericArguments) {
        for argument in &mut arguments.args {
            match argument {
                GenericArgument::Lifetime(lifetime) => self.in_lifetime(lifetime),
                GenericArgument::Type(ty) => self.in_type(ty),
                GenericArgument::AssocType(assoc) => {
                    if let Some(arguments) = &mut assoc.generics {
                        self.in_arguments(arguments);
                    }
                    self.in_type(&mut assoc.ty);
                }
                GenericArgument::Constraint(constraint) => {
                    constraint
                        .bounds
                        .iter_mut()
                        .for_each(|bound| self.in_bound(bound));
                }
                _ => {}
            }
        }
    }

    fn in_bound(&mut self, bound: &mut TypeParamBound) {
        match bound {
            TypeParamBound::Lifetime(lifetime) => self.in_lifetime(lifetime),
            TypeParamBound::Trait(bound) => self.in_path(&mut bound.path),
            _ => {}
        }
    }

    fn in_lifetime(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = (self.0)();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proc_macro2::Span;
    use quote::{ToTokens, quote};
    use syn::parse_quote;

    #[track_caller]
    fn named(mut ty: Type, expected: Type) {
        Named(&mut || Lifetime::new("'g", Span::call_site())).in_type(&mut ty);
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
    fn whatever_the_type_is_made_of() {
        named(
            parse_quote!((&u8, [&u8; 3], *const &u8)),
            parse_quote!((&'g u8, [&'g u8; 3], *const &'g u8)),
        );
        named(
            parse_quote!(&(dyn Table<&u8, Row<'_> = &u8, Key: Ord<&u8>> + '_)),
            parse_quote!(&'g (dyn Table<&'g u8, Row<'g> = &'g u8, Key: Ord<&'g u8>> + 'g)),
        );
        named(
            parse_quote!((impl Table<'_>, <&u8 as Table<'_>>::Row)),
            parse_quote!((impl Table<'g>, <&'g u8 as Table<'g>>::Row)),
        );
        // The form of a type that has passed through a macro of the user's.
        let inner = quote!(&u8);
        let group = proc_macro2::Group::new(proc_macro2::Delimiter::None, inner);
        named(parse_quote!(#group), parse_quote!(&'g u8));
    }

    #[test]
    fn others_stay() {
        let ty: Type = parse_quote!((&'a str, Box<dyn Fn(&u8) -> &u8>, fn(&u8) -> &'static u8));
        named(ty.clone(), ty);
    }
}
