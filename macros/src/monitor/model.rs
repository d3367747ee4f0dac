//! The model of an impl under `#[monitor]`: its methods, and the locks that they hold.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, GenericParam, Lifetime, LifetimeParam, Meta, PathArguments, TypePath};

use super::elided::Named;
use super::forms::Forms;
use super::holding::Holding;
use super::parse::{Arguments, Block, Item};
use crate::diagnostics::Errors;
use crate::gather::Gather;
use crate::names::{Krate, camel_case, plain, public};
use crate::section::{self, Function, Mode, OwnLock, Section};

/// An impl whose methods are analysed together.
pub(super) struct Monitor {
    /// Everything but the items.
    pub(super) block: Block,
    pub(super) members: Vec<Member>,
    /// The path to the runtime crate.
    pub(super) krate: Krate,
    /// The struct has no derive.
    pub(super) is_plain: bool,
}

pub(super) enum Member {
    Method(Box<Method>),
    Other(TokenStream),
}

/// A fn with a body.
pub(super) struct Method {
    pub(super) function: Function,
    /// The section of `#[synchronized]`, if the method has one.
    pub(super) section: Option<Section>,
    /// The two forms, if the method has them.
    pub(super) forms: Option<Forms>,
    /// With `#[holding]`: a method of the view alone.
    pub(super) holding: Option<Holding>,
    /// Its attribute does not fit, which has been reported: it is left out.
    pub(super) is_wrong: bool,
}

impl Monitor {
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
        let mut members: Vec<Member> = members.gather();
        report_same_names(&mut members, errors);
        let krate = arguments.krate.clone();
        Monitor {
            block,
            members,
            krate,
            is_plain: arguments.is_plain,
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
        of_monitor: &Arguments,
        errors: &Errors,
    ) -> Self {
        let Arguments {
            krate, is_plain, ..
        } = of_monitor;
        if let Some(attribute) = take_holding(&mut function, errors) {
            let holding = if *is_plain {
                errors.at(
                    &attribute,
                    "a method under `#[holding(..)]` is one of a view, which takes a \
                     `#[derive(Guarded)]` on the struct: here, write it as a method of what the \
                     lock has inside",
                );
                None
            } else {
                Holding::new(&function, &attribute, self_ty, errors)
            };
            return Method {
                function,
                section: None,
                forms: None,
                is_wrong: holding.is_none(),
                holding,
            };
        }
        let Some(attribute) = synchronized(&mut function.attrs) else {
            return Method {
                function,
                section: None,
                forms: None,
                holding: None,
                is_wrong: false,
            };
        };
        let arguments = match &attribute.meta {
            Meta::List(list) => list.tokens.clone(),
            _ => TokenStream::new(),
        };
        let (section, is_right) = section::of_method(arguments.clone(), &function);
        if krate.is_given() && !section.has_crate() {
            add_crate(synchronized(&mut function.attrs), krate);
        }
        let forms = (is_right && !is_plain)
            .then(|| Forms::new(&function, &section, &arguments, self_ty, krate))
            .flatten();
        Method {
            function,
            section: Some(section),
            forms,
            holding: None,
            is_wrong: false,
        }
    }

    pub(super) fn name(&self) -> &Ident {
        &self.function.sig.ident
    }

    /// Whether its wait to enter has a timeout.
    pub(super) fn gives_up(&self) -> bool {
        self.section.as_ref().is_some_and(Section::gives_up)
    }

    /// The locks that the body holds.
    pub(super) fn own_locks(&self) -> Vec<OwnLock> {
        match (&self.holding, &self.section) {
            (Some(holding), _) => vec![holding.lock.clone()],
            (None, Some(section)) => section.own_locks(),
            (None, None) => Vec::new(),
        }
    }

    /// The lock of the view that has the method, and its mode.
    pub(super) fn lock_of_view(&self) -> Option<&OwnLock> {
        match (&self.holding, &self.forms) {
            (Some(holding), _) => Some(&holding.lock),
            (None, Some(forms)) => Some(&forms.lock),
            (None, None) => None,
        }
    }
}

/// The attribute, which stays in place: `#[synchronized]` expands as it does
/// elsewhere. If there are two, nothing is known about the method.
fn synchronized(attrs: &mut [Attribute]) -> Option<&mut Attribute> {
    let mut found = attrs.iter_mut().filter(|attr| {
        let last = attr.path().segments.last();
        last.is_some_and(|last| last.ident == "synchronized")
    });
    let only = found.next();
    only.filter(|_| found.next().is_none())
}

/// Removes `#[holding(..)]`, which only `#[monitor]` understands.
fn take_holding(function: &mut Function, errors: &Errors) -> Option<Attribute> {
    let is_holding = |attr: &Attribute| {
        let last = attr.path().segments.last();
        last.is_some_and(|last| last.ident == "holding")
    };
    let index = function.attrs.iter().position(is_holding)?;
    let attribute = function.attrs.remove(index);
    while let Some(second) = function.attrs.iter().position(is_holding) {
        let second = function.attrs.remove(second);
        errors.at(
            second,
            "a method holds one lock of a view: remove one `#[holding(..)]`",
        );
    }
    if let Some(synchronized) = synchronized(&mut function.attrs) {
        errors.at(
            &*synchronized,
            "a method under `#[holding(..)]` acquires nothing: remove one of the two attributes",
        );
    }
    Some(attribute)
}

/// Reports a method of the view alone with the same name as a held form. The first is left
/// out.
fn report_same_names(members: &mut [Member], errors: &Errors) {
    let synchronized: Vec<_> = members
        .iter()
        .filter_map(|member| match member {
            Member::Method(method) => method.section.as_ref().map(|_| plain(method.name())),
            Member::Other(_) => None,
        })
        .gather();
    for member in members {
        let Member::Method(method) = member else {
            continue;
        };
        let name = method.name();
        if method.holding.is_some() && synchronized.contains(&plain(name)) {
            errors.at(
                name,
                format!(
                    "there is a `#[synchronized]` method `{name}`, which is a method of the view, \
                     too: give one of them another name"
                ),
            );
            method.holding = None;
            method.is_wrong = true;
        }
    }
}

/// Passes the path of the impl on to its methods.
fn add_crate(attribute: Option<&mut Attribute>, krate: &Krate) {
    if let Some(Meta::List(list)) = attribute.map(|attribute| &mut attribute.meta) {
        let arguments = &list.tokens;
        list.tokens = quote!(crate = #krate, #arguments);
    }
}

/// Names the elided lifetimes in the path of the struct, so that
/// the types of views can name them too.
fn name_lifetimes(block: &mut Block) {
    let mut names = Vec::new();
    let mut fresh = || {
        let name = format!("'__elided{}", names.len());
        let lifetime = Lifetime::new(&name, Span::call_site());
        names.push(lifetime.clone());
        lifetime
    };
    Named(&mut fresh).in_type_path(&mut block.self_ty);
    for (index, lifetime) in names.into_iter().enumerate() {
        let param = GenericParam::Lifetime(LifetimeParam::new(lifetime));
        block.generics.params.insert(index, param);
    }
}

/// The path of the struct, which is also that of its macro.
pub(super) fn struct_path(self_ty: &TypePath) -> TokenStream {
    let mut path = self_ty.path.clone();
    if let Some(last) = path.segments.last_mut() {
        last.arguments = PathArguments::None;
    }
    path.into_token_stream()
}

/// The type of a view: see [`view_path`]. The macro of the struct selects the view of a read
/// section:
///
/// ```text
/// Account!(rw cfg { AccountCfgReadHeld<'g> } { AccountCfgHeld<'g> })
/// ```
///
/// The second is that of an exclusive lock.
pub(super) fn view_type(
    self_ty: &TypePath,
    lock: &Ident,
    mode: Mode,
    lifetime: &TokenStream,
) -> TokenStream {
    let exclusive = view_path(self_ty, lock, Mode::Exclusive, lifetime);
    match mode {
        Mode::Exclusive => exclusive,
        Mode::Shared => {
            let path = struct_path(self_ty);
            let shared = view_path(self_ty, lock, Mode::Shared, lifetime);
            quote!(#path!(rw #lock { #shared } { #exclusive }))
        }
    }
}

/// The path of a view next to that of the struct: `bank::AccountLedgerHeld<'g, T>`
/// for `bank::Account<T>`.
fn view_path(self_ty: &TypePath, lock: &Ident, mode: Mode, lifetime: &TokenStream) -> TokenStream {
    let mut path = self_ty.path.clone();
    let Some(last) = path.segments.last_mut() else {
        return TokenStream::new();
    };
    let suffix = match mode {
        Mode::Exclusive => "Held",
        Mode::Shared => "ReadHeld",
    };
    last.ident = view_name(&plain(&last.ident), lock, suffix, last.ident.span());
    let arguments = match std::mem::replace(&mut last.arguments, PathArguments::None) {
        PathArguments::AngleBracketed(arguments) => arguments.args.into_token_stream(),
        _ => TokenStream::new(),
    };
    quote!(#path <#lifetime, #arguments>)
}

/// `AccountLedgerHeld`.
pub(super) fn view_name(struct_name: &str, lock: &Ident, suffix: &str, span: Span) -> Ident {
    format_ident!(
        "{struct_name}{}{suffix}",
        camel_case(&plain(lock)),
        span = public(span)
    )
}
