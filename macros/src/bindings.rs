//! Every name that an expansion binds begins with `__`, unless the user chose it.
//!
//! A pattern with the name of a constant, a static, a unit struct or a const
//! parameter in scope is not a binding. The user may have such items, and no
//! span hides items from an expansion. So the expansion names `__something` all that it
//! binds: locals, parameters, macro variables, lifetimes, generics, and private fields.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Spacing, TokenStream, TokenTree};
use quote::quote;
use syn::visit::{self, Visit};

use crate::names::{binding, plain};

/// Names for users: the field of a view whose lock contains the value.
const PUBLIC: &[&str] = &["value"];

/// A test that must compile beside items with these names without the underscores.
const ITEMS: &str = include_str!("../../tests/ui/pass/items_in_lower_case.rs");

/// The names that the expansion binds, without those of the input and those that begin
/// with `__`. An expansion that is not Rust has none.
pub(crate) fn unreserved(input: &TokenStream, expansion: &TokenStream) -> Vec<String> {
    let is_unreserved = |name: &String| !name.starts_with("__");
    let bound = not_of_the_user(input, expansion);
    bound.into_iter().filter(is_unreserved).collect()
}

/// The names that the expansion binds for which [`ITEMS`] has no item.
pub(crate) fn untested(input: &TokenStream, expansion: &TokenStream) -> Vec<String> {
    let words = ITEMS.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
    let words: BTreeSet<&str> = words.collect();
    let is_untested = |name: &String| !words.contains(name.trim_start_matches('_'));
    let bound = not_of_the_user(input, expansion);
    bound.into_iter().filter(is_untested).collect()
}

fn not_of_the_user(input: &TokenStream, expansion: &TokenStream) -> BTreeSet<String> {
    let mut bound = Bound::default();
    bound.in_tokens(expansion.clone());
    let mut users = BTreeSet::new();
    collect_names(input.clone(), &mut users);
    bound
        .0
        .retain(|name| name != "_" && !users.contains(name) && !is_public(name));
    bound.0
}

fn is_public(name: &str) -> bool {
    PUBLIC.contains(&name)
}

/// The identifiers, and the binding names of statics.
fn collect_names(tokens: TokenStream, names: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect_names(group.stream(), names),
            TokenTree::Ident(ident) => {
                names.insert(plain(&ident));
                names.extend(binding(&ident).as_ref().map(plain));
            }
            _ => {}
        }
    }
}

/// The names that are bound somewhere in the code.
#[derive(Default)]
struct Bound(BTreeSet<String>);

impl Bound {
    fn add(&mut self, ident: &Ident) {
        self.0.insert(plain(ident));
    }

    /// Items, items of an impl, or statements.
    fn in_tokens(&mut self, tokens: TokenStream) {
        let file = syn::parse2::<syn::File>(tokens.clone())
            .or_else(|_| syn::parse2(quote!(impl __Around { #tokens })))
            .or_else(|_| syn::parse2(quote!(fn __around() { #tokens })));
        if let Ok(file) = file {
            self.visit_file(&file);
        }
    }

    /// `$name:kind`.
    fn in_matchers(&mut self, tokens: TokenStream) {
        let mut after_dollar = false;
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match &token {
                TokenTree::Group(group) => self.in_matchers(group.stream()),
                TokenTree::Ident(ident) if after_dollar => {
                    let next = tokens.peek();
                    if matches!(next, Some(TokenTree::Punct(punct)) if punct.as_char() == ':'
                        && punct.spacing() == Spacing::Alone)
                    {
                        self.add(ident);
                    }
                }
                _ => {}
            }
            after_dollar = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '$');
        }
    }
}

impl<'a> Visit<'a> for Bound {
    fn visit_pat_ident(&mut self, pat: &'a syn::PatIdent) {
        self.add(&pat.ident);
        visit::visit_pat_ident(self, pat);
    }

    fn visit_lifetime_param(&mut self, param: &'a syn::LifetimeParam) {
        self.add(&param.lifetime.ident);
    }

    fn visit_label(&mut self, label: &'a syn::Label) {
        self.add(&label.name.ident);
    }

    fn visit_type_param(&mut self, param: &'a syn::TypeParam) {
        self.add(&param.ident);
        visit::visit_type_param(self, param);
    }

    fn visit_const_param(&mut self, param: &'a syn::ConstParam) {
        self.add(&param.ident);
        visit::visit_const_param(self, param);
    }

    fn visit_field(&mut self, field: &'a syn::Field) {
        if let Some(ident) = &field.ident {
            self.add(ident);
        }
        visit::visit_field(self, field);
    }

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.add(&item.sig.ident);
        visit::visit_item_fn(self, item);
    }

    fn visit_item_const(&mut self, item: &'a syn::ItemConst) {
        self.add(&item.ident);
        visit::visit_item_const(self, item);
    }

    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        self.add(&item.ident);
        visit::visit_item_mod(self, item);
    }

    fn visit_impl_item_const(&mut self, item: &'a syn::ImplItemConst) {
        self.add(&item.ident);
        visit::visit_impl_item_const(self, item);
    }

    fn visit_item_macro(&mut self, item: &'a syn::ItemMacro) {
        if let Some(ident) = &item.ident {
            self.add(ident);
            self.in_matchers(item.mac.tokens.clone());
        } else {
            visit::visit_item_macro(self, item);
        }
    }

    /// `Account! { write ledger { .. } { .. } }`: two forms, both of which are code.
    fn visit_macro(&mut self, mac: &'a syn::Macro) {
        for token in mac.tokens.clone() {
            if let TokenTree::Group(group) = token {
                self.in_tokens(group.stream());
            }
        }
    }
}

/// All kinds of bindings are found.
#[test]
fn names_are_found_wherever_they_are_bound() {
    let code = quote! {
        struct S<'b, T, const n: usize> { field: T, tuple: (T,) }
        mod inside {
            fn item(parameter: u8) {
                let (local, Struct { pattern, named: renamed, .. }) = x;
                'label: loop { break 'label }
                for looped in y {}
                match z { arm @ (1 | 2) => |closure, (within,)| 0, _ => async { let deep = 1; } }
                if let Some(maybe) = z {}
            }
        }
        const constant: u8 = 0;
        impl<'a> S<'a> {
            const associated: u8 = 1;
            fn method<R>(&self, argument: impl for<'f> Fn(&'f R)) {}
        }
        macro_rules! rules { ($matched:tt $($several:ident)*) => { $matched } }
        S! { write lock { fn first(one: u8) {} } { fn second(two: u8) {} } }
    };
    let found = unreserved(&TokenStream::new(), &code).join(" ");
    assert_eq!(
        found,
        "R T a argument arm associated b closure constant deep f field first inside item label \
         local looped matched maybe n one parameter pattern renamed rules second several tuple two within"
    );
}

#[test]
fn names_of_the_user_may_be_anything() {
    let input = quote!(
        fn f(mine: u8, GLOBAL: u8) {
            r#type
        }
    );
    let code = quote!(
        fn __f() {
            let (mine, global, r#type, ours, __ours) = x;
        }
    );
    assert_eq!(unreserved(&input, &code), ["ours"]);
}
