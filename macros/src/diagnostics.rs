//! Errors are collected, so that one compilation shows all mistakes of an item.

use std::cell::RefCell;
use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

use crate::gather::Gather;

/// The mistakes found in one item.
///
/// A collector must be [`finish`](Self::finish)ed: one that is dropped unread
/// would lose errors, and panics in debug builds.
pub(crate) struct Errors {
    found: RefCell<Option<Vec<syn::Error>>>,
    /// What was half typed, and has a meaning all the same.
    mended: RefCell<Vec<syn::Error>>,
}

impl Errors {
    pub(crate) fn new() -> Self {
        Errors {
            found: RefCell::new(Some(Vec::new())),
            mended: RefCell::default(),
        }
    }

    /// Reports a mistake at `tokens`, which should be the smallest wrong part.
    /// The message says what is wrong, then what to write instead.
    pub(crate) fn at(&self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Reports a mistake that the parser found.
    pub(crate) fn push(&self, error: syn::Error) {
        if let Some(found) = self.found.borrow_mut().as_mut() {
            found.push(error);
        }
    }

    /// Reports the mistake, if it is one.
    pub(crate) fn ok<T>(&self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Reports what is half typed, and returns the error that stands in for it. It is reported
    /// along with the mistakes, and is none.
    pub(crate) fn mended(&self, at: Span, message: String) -> TokenStream {
        let error = syn::Error::new(at, message);
        let stands_in = error.to_compile_error();
        self.mended.borrow_mut().push(error);
        stands_in
    }

    /// Whether there are no mistakes.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.borrow().as_ref().is_none_or(Vec::is_empty)
    }

    /// The first mistake as a `compile_error!`, if there is one.
    pub(crate) fn first(&self) -> Option<TokenStream> {
        let found = self.found.borrow();
        let first = found.as_ref()?.first()?.clone().into_iter().next()?;
        Some(first.to_compile_error())
    }

    /// Takes over the mistakes of another collector. Returns whether it had none.
    pub(crate) fn all_of(&self, other: Errors) -> bool {
        let found = other.found.take().unwrap_or_default();
        let is_right = found.is_empty();
        found.into_iter().for_each(|error| self.push(error));
        self.mended.borrow_mut().append(&mut other.mended.take());
        is_right
    }

    /// One `compile_error!` for each mistake, and for what is half typed.
    pub(crate) fn finish(self) -> TokenStream {
        self.found
            .take()
            .unwrap_or_default()
            .iter()
            .chain(&self.mended.take())
            .map(syn::Error::to_compile_error)
            .gather()
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            debug_assert!(self.found.get_mut().is_none(), "errors were not reported");
        }
    }
}

/// For the unit tests.
#[cfg(test)]
impl Errors {
    pub(crate) fn messages(self) -> Vec<String> {
        let found = self.found.take().unwrap_or_default();
        found.iter().map(syn::Error::to_string).gather()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_errors_are_reported() {
        let errors = Errors::new();
        errors.at(quote::quote!(a), "first");
        errors.at(quote::quote!(b), "second");
        assert!(!errors.is_empty());
        let output = errors.finish().to_string();
        assert!(output.contains("first") && output.contains("second"));
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "errors were not reported")]
    fn an_unread_collector_panics() {
        Errors::new();
    }
}
