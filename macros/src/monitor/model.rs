//! What an impl under `#[monitor]` is: methods, and the locks they hold.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::spanned::Spanned;
use syn::{Attribute, GenericParam, Lifetime, LifetimeParam, Meta, PathArguments, TypePath};

use super::elided::Named;
use super::forms::Forms;
use super::parse::{Arguments, Block, Item};
use crate::diagnostics::Errors;
use crate::names::{Krate, camel_case, plain, public};
use crate::section::{self, Function, Mode, OwnLock, Section, SynchronizedAttribute};

/// An impl whose methods are looked at together.
pub(super) struct Monitor {
    /// Everything but the items.
    pub(super) block: Block,
    pub(super) members: Vec<Member>,
    /// How expansions reach the runtime crate.
    pub(super) krate: Krate,
}

pub(super) enum Member {
    Method(Box<Method>),
    Other(TokenStream),
}

/// A fn with a body.
pub(super) struct Method {
    pub(super) function: Function,
    /// What `#[synchronized]` says, where it is written.
    pub(super) section: Option<Section>,
    /// Where the method has two forms: what they are made of.
    pub(super) forms: Option<Forms>,
}

impl Monitor {
    /// Reports the mistakes of the sections.
    pub(super) fn new(mut block: Block, arguments: &Arguments, errors: &Errors) -> Self {
        name_lifetimes(&mut block);
        let items = std::mem::take(&mut block.items);
        let members = items.into_iter().map(|item| match item {
            Item::Method(function) => {
                let method = Method::new(*function, &block.self_ty, arguments, errors);
                Member::Method(Box::new(method))
            }
            Item::Other(tokens) => Member::Other(tokens),
        });
        let members = members.collect();
        let krate = arguments.krate.clone();
        Monitor {
            block,
            members,
            krate,
        }
    }

    pub(super) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.members.iter().filter_map(|member| match member {
            Member::Method(method) => Some(&**method),
            Member::Other(_) => None,
        })
    }

    /// The name of the struct.
    pub(super) fn struct_name(&self) -> String {
        let last = self.block.self_ty.path.segments.last();
        last.map_or_else(String::new, |last| plain(&last.ident))
    }
}

impl Method {
    fn new(
        mut function: Function,
        self_ty: &TypePath,
        arguments: &Arguments,
        errors: &Errors,
    ) -> Self {
        let Some(attribute) = take_synchronized(&mut function.attrs) else {
            return Method {
                function,
                section: None,
                forms: None,
            };
        };
        let own = Errors::new();
        let section = section::of_method(&attribute, &function, &arguments.krate, &own);
        let is_right = own.is_empty();
        errors.absorb(own);
        let forms = is_right
            .then(|| Forms::new(&function, &section, self_ty))
            .flatten();
        Method {
            function,
            section: Some(section),
            forms,
        }
    }

    pub(super) fn name(&self) -> &Ident {
        &self.function.sig.ident
    }

    /// The locks that the body holds.
    pub(super) fn own_locks(&self) -> Vec<OwnLock> {
        self.section
            .as_ref()
            .map_or_else(Vec::new, Section::own_locks)
    }
}

/// Takes the attribute out of the list, and returns its arguments. Where there
/// are two, they are left to themselves.
fn take_synchronized(attrs: &mut Vec<Attribute>) -> Option<SynchronizedAttribute> {
    let is_synchronized = |attr: &&Attribute| {
        let last = attr.path().segments.last();
        last.is_some_and(|last| last.ident == "synchronized")
    };
    let found = match attrs.iter().filter(is_synchronized).collect::<Vec<_>>()[..] {
        [only] => SynchronizedAttribute {
            place: only.path().span(),
            arguments: match &only.meta {
                Meta::List(list) => list.tokens.clone(),
                Meta::Path(_) => TokenStream::new(),
                Meta::NameValue(_) => return None,
            },
        },
        _ => return None,
    };
    attrs.retain(|attr| !is_synchronized(&attr));
    Some(found)
}

/// Gives names to the lifetimes that the path of the struct leaves out, so that
/// the types of views can name them too.
fn name_lifetimes(block: &mut Block) {
    let mut names = Vec::new();
    let fresh = || {
        let name = format!("'__elided{}", names.len());
        let lifetime = Lifetime::new(&name, Span::call_site());
        names.push(lifetime.clone());
        lifetime
    };
    Named::in_path(fresh, &mut block.self_ty);
    for (index, lifetime) in names.into_iter().enumerate() {
        let param = GenericParam::Lifetime(LifetimeParam::new(lifetime));
        block.generics.params.insert(index, param);
    }
}

/// The path of a view next to that of the struct: `bank::AccountLedgerHeld<'g, T>`
/// for `bank::Account<T>`.
pub(super) fn view_path(
    self_ty: &TypePath,
    lock: &Ident,
    mode: Mode,
    lifetime: &TokenStream,
) -> TokenStream {
    let mut path = self_ty.path.clone();
    let Some(last) = path.segments.last_mut() else {
        return TokenStream::new();
    };
    let suffix = match mode {
        Mode::Exclusive => "Held",
        Mode::Shared => "ReadHeld",
    };
    last.ident = view_name(&last.ident, lock, suffix);
    let arguments = match std::mem::replace(&mut last.arguments, PathArguments::None) {
        PathArguments::AngleBracketed(arguments) => arguments.args.into_token_stream(),
        _ => TokenStream::new(),
    };
    quote!(#path <#lifetime, #arguments>)
}

/// `AccountLedgerHeld`.
pub(super) fn view_name(ident: &Ident, lock: &Ident, suffix: &str) -> Ident {
    format_ident!(
        "{}{}{suffix}",
        plain(ident),
        camel_case(&plain(lock)),
        span = public(ident.span())
    )
}
