//! `#[guarded(..)]` on the struct: what else is derived.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, Meta, Path, Token, token};

use crate::diagnostics::Errors;
use crate::gather::Gather;
use crate::names::{Krate, is_near, plain};

/// The options in the attributes of the struct.
#[derive(Default)]
pub(super) struct Options {
    /// How to reach the runtime crate: `crate = ::path`.
    pub(super) krate: Krate,
    /// `new`: a constructor.
    pub(super) new: Option<Span>,
    /// `debug`: `Debug` that shows guarded data.
    pub(super) debug: Option<Span>,
    /// `snapshot(Debug, Clone)`: clones of guarded data, and their derives.
    pub(super) snapshot: Option<Snapshot>,
}

pub(super) struct Snapshot {
    pub(super) span: Span,
    pub(super) derives: Vec<Path>,
}

const NAMES: [&str; 4] = ["crate", "debug", "new", "snapshot"];

const USAGE: &str = "`guarded` takes `new`, `debug`, `snapshot`, `snapshot(Debug, ..)` and \
                     `crate = ::path`";

impl Options {
    /// Adds the options of an attribute. Reports unknown ones.
    pub(super) fn add(&mut self, attribute: &Attribute, errors: &Errors) {
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                self.add_one(input, errors)?;
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        let parsed = match &attribute.meta {
            Meta::List(list) if !list.tokens.is_empty() => list.parse_args_with(parser),
            _ => Err(syn::Error::new_spanned(
                attribute,
                format!("`guarded` without an argument: {USAGE}"),
            )),
        };
        errors.ok(parsed);
    }

    fn add_one(&mut self, input: ParseStream<'_>, errors: &Errors) -> syn::Result<()> {
        let Ok(name) = input.call(Ident::parse_any) else {
            return Err(input.error(USAGE));
        };
        let is_second = match plain(&name).as_str() {
            "crate" => {
                const PATH: &str = "`crate` says by which path this crate reaches async-monitor: \
                                    write `crate = ::path`";
                let error = |_| syn::Error::new(name.span(), PATH);
                input.parse::<Token![=]>().map_err(error)?;
                let path = input.call(Path::parse_mod_style).map_err(error)?;
                let is_second = self.krate.is_given();
                self.krate = Krate::at_path(&path);
                is_second
            }
            "new" => self.new.replace(name.span()).is_some(),
            "debug" => self.debug.replace(name.span()).is_some(),
            "snapshot" => {
                let mut derives = Vec::new();
                if input.peek(token::Paren) {
                    let content;
                    syn::parenthesized!(content in input);
                    let paths = Punctuated::<Path, Token![,]>::parse_terminated_with(
                        &content,
                        Path::parse_mod_style,
                    )?;
                    derives = paths.into_iter().gather();
                }
                let span = name.span();
                self.snapshot.replace(Snapshot { span, derives }).is_some()
            }
            other => {
                let near = NAMES.iter().find(|known| is_near(other, known));
                let advice = near.map_or_else(
                    || format!("{USAGE}; the lock of a field is named by `#[guarded_by(lock)]`"),
                    |near| format!("write `{near}`"),
                );
                errors.at(&name, format!("`{name}` is not an argument here: {advice}"));
                // Its value is ignored.
                while !input.is_empty() && !input.peek(Token![,]) {
                    input.parse::<proc_macro2::TokenTree>()?;
                }
                return Ok(());
            }
        };
        if is_second {
            errors.at(&name, format!("`{name}` is written twice: remove one"));
        }
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(input.error(format!("`{name}` takes no value: {USAGE}")));
        }
        Ok(())
    }
}
