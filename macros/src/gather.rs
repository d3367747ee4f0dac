//! `collect`, for a few items.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};

/// Iterators whose items are gathered one by one.
///
/// `collect` is made for many items: it is some hundred lines of code, compiled
/// again for each iterator, in every build that depends on this crate.
pub(crate) trait Gather: Iterator + Sized {
    fn gather<C: Gathered<Self::Item>>(self) -> C {
        let mut gathered = C::default();
        for item in self {
            gathered.add(item);
        }
        gathered
    }
}

impl<I: Iterator> Gather for I {}

/// A collection that items can be gathered into.
pub(crate) trait Gathered<T>: Default {
    fn add(&mut self, item: T);
}

impl<T> Gathered<T> for Vec<T> {
    fn add(&mut self, item: T) {
        self.push(item);
    }
}

impl Gathered<TokenStream> for TokenStream {
    fn add(&mut self, item: TokenStream) {
        item.to_tokens(self);
    }
}

impl Gathered<TokenTree> for TokenStream {
    fn add(&mut self, item: TokenTree) {
        self.append(item);
    }
}
