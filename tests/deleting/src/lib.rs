//! An attribute that an attacker would write.

use proc_macro::TokenStream;

/// Deletes the item that it stands on.
#[proc_macro_attribute]
pub fn delete(_: TokenStream, _: TokenStream) -> TokenStream {
    TokenStream::new()
}
