//! Generated names, their spans and keys, and operations on tokens.

use proc_macro2::{Delimiter, Group, Ident, Literal, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Path};

use crate::gather::Gather;

/// The keyword `unsafe`, with the span of the macro: with a span of the user's tokens, it
/// would be refused under `#![forbid(unsafe_code)]`.
pub(crate) fn unsafe_() -> TokenStream {
    quote_spanned!(Span::mixed_site()=> unsafe)
}

/// The path by which expansions reach the runtime crate: `::async_monitor`, or
/// the path that the user has written behind `crate =`.
#[derive(Clone, Default)]
pub(crate) struct Krate(Option<TokenStream>);

impl Krate {
    /// The crate by the user's path.
    pub(crate) fn at_path(path: &Path) -> Self {
        Krate(Some(path.to_token_stream()))
    }

    /// Whether it is the user's path.
    pub(crate) fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// The module of the items that expansions use, at `span`: the compiler's messages
    /// about the rest of the path then point there.
    pub(crate) fn private_at(&self, span: Span) -> TokenStream {
        let path = self.at(span);
        quote_spanned!(span=> #path::__private)
    }

    /// The crate, at `span`.
    pub(crate) fn at(&self, span: Span) -> TokenStream {
        match &self.0 {
            Some(path) => located_at(path.clone(), span),
            None => quote_spanned!(span=> ::async_monitor),
        }
    }
}

impl ToTokens for Krate {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.0 {
            Some(path) => path.to_tokens(tokens),
            None => tokens.extend(quote!(::async_monitor)),
        }
    }
}

/// The value of `crate = ::path`. Another value is parsed all the same, so that the
/// arguments behind it are understood.
pub(crate) fn crate_path(input: ParseStream<'_>) -> syn::Result<Path> {
    let value: Expr = input.parse()?;
    Path::parse_mod_style
        .parse2(value.to_token_stream())
        .map_err(|_| {
            syn::Error::new_spanned(
                &value,
                "`crate` says by which path this crate reaches async-monitor, and this is not \
                 a path: write `crate = ::path`",
            )
        })
}

/// The expression without `&` and parentheses around it, which do not change the
/// place that it names.
pub(crate) fn peeled(expr: &Expr) -> &Expr {
    match expr {
        Expr::Reference(reference) if reference.mutability.is_none() => peeled(&reference.expr),
        Expr::Paren(paren) => peeled(&paren.expr),
        Expr::Group(group) => peeled(&group.expr),
        other => other,
    }
}

/// The tokens, without the spaces that printing puts between them.
pub(crate) fn text(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string().replace(' ', "")
}

/// The tokens, with spaces where an expression is usually written with them.
pub(crate) fn spaced(tokens: TokenStream) -> String {
    let mut text = String::new();
    // Whether an operand comes next: after an operator, or at the beginning.
    let mut before_operand = true;
    let mut joint = false;
    for token in tokens {
        match token {
            TokenTree::Punct(punct) => {
                let char = punct.as_char();
                let is_tight = matches!(char, '.' | '?' | ',' | ';' | ':' | '\'');
                let is_prefix =
                    before_operand && !joint && matches!(char, '*' | '&' | '!' | '-' | '|' | '#');
                let is_macro = char == '!' && !before_operand && punct.spacing() == Spacing::Alone;
                let is_behind_keyword =
                    is_prefix && text.ends_with(|last: char| last.is_alphanumeric());
                if is_behind_keyword || !(is_tight || is_prefix || is_macro || joint) {
                    text.push(' ');
                }
                text.push(char);
                joint = punct.spacing() == Spacing::Joint;
                if matches!(char, ',' | ';') || !(is_tight || is_prefix || is_macro || joint) {
                    text.push(' ');
                }
                before_operand = !matches!(char, '.' | '?' | ':');
            }
            TokenTree::Group(group) => {
                let inner = spaced(group.stream());
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => (if before_operand { "{ " } else { " { " }, " }"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                text.push_str(&inner);
                text.push_str(close);
                (before_operand, joint) = (false, false);
            }
            TokenTree::Ident(_) | TokenTree::Literal(_) => {
                let last = text.chars().last();
                if last
                    .is_some_and(|last| last.is_alphanumeric() || matches!(last, '_' | ')' | '}'))
                {
                    text.push(' ');
                }
                let word = token.to_string();
                text.push_str(&word);
                before_operand = matches!(word.as_str(), "if" | "match" | "in" | "return");
                joint = false;
            }
        }
    }
    text
}

/// The same tokens, with the place of `span`.
fn located_at(tokens: TokenStream, span: Span) -> TokenStream {
    let moved = tokens.into_iter().map(|mut token| {
        token.set_span(token.span().located_at(span));
        token
    });
    moved.gather()
}

/// The name without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// `a_name` as `AName`.
pub(crate) fn camel_case(name: &str) -> String {
    let mut capitalized = String::new();
    for word in name.split('_') {
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            capitalized.push_str(&first.to_uppercase().to_string());
            capitalized.push_str(letters.as_str());
        }
    }
    capitalized
}

/// The binding name of a lock. That of a static is in lower case, as no pattern can bind
/// the name of a static. `None` if there is no such name.
pub(crate) fn binding(ident: &Ident) -> Option<Ident> {
    if !is_in_capitals(ident) {
        return Some(ident.clone());
    }
    // The lower-case name may be a keyword, even if the name in capitals is not.
    word(&plain(ident).to_lowercase(), ident.span())
}

/// The name in a text. `None` if it is not a name, or not in ASCII.
///
/// Only a name is parsed: for a text that cannot be tokens, the compiler reports an error
/// by itself, without a result for the macro.
pub(crate) fn name_in(text: &str, span: Span) -> Option<Ident> {
    let is_first = |char: char| char.is_ascii_alphabetic() || char == '_';
    let is_name = text.starts_with(is_first)
        && text
            .chars()
            .all(|char| is_first(char) || char.is_ascii_digit());
    if is_name { word(text, span) } else { None }
}

/// The word as an identifier, with `r#` if it is a keyword. `None` if it cannot be one.
fn word(text: &str, span: Span) -> Option<Ident> {
    match text {
        "_" | "self" | "Self" | "super" | "crate" => None,
        _ => Some(
            syn::parse_str::<Ident>(text)
                .map_or_else(|_| Ident::new_raw(text, span), |_| Ident::new(text, span)),
        ),
    }
}

/// Whether the name looks like that of a static.
pub(crate) fn is_in_capitals(ident: &Ident) -> bool {
    let name = plain(ident);
    name.contains(char::is_uppercase) && !name.contains(char::is_lowercase)
}

/// The number that stands for a lock in types: an FNV-1a hash, of 128 bits so that no
/// two names collide.
pub(crate) fn key(name: &str) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    name.bytes().fold(OFFSET, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(PRIME)
    })
}

/// A key as code. All but zero have the same length: `section/mend.rs` says why.
pub(crate) fn key_literal(key: u128) -> Literal {
    let width = if key == 0 { 1 } else { 39 };
    let digits = format!("{key:0width$}u128");
    digits
        .parse()
        .unwrap_or_else(|_| Literal::u128_suffixed(key))
}

/// Whether one name was probably meant by the other: one letter makes the
/// difference, or the order of two, or underscores and capitals.
pub(crate) fn is_near(name: &str, meant: &str) -> bool {
    if name == meant {
        return false;
    }
    let folded = |name: &str| -> Vec<char> {
        let letters = name.chars().filter(|letter| *letter != '_');
        letters.flat_map(char::to_lowercase).gather()
    };
    let (name, meant) = (folded(name), folded(meant));
    let same = name.iter().zip(&meant).take_while(|(a, b)| a == b).count();
    let after = |word: &[char], count: usize| -> Vec<char> {
        word.iter().skip(same + count).copied().gather()
    };
    let swapped: Vec<char> = after(&name, 1)
        .first()
        .into_iter()
        .chain(name.get(same))
        .copied()
        .chain(after(&name, 2))
        .gather();
    after(&name, 1) == after(&meant, 1)
        || after(&name, 0) == after(&meant, 1)
        || after(&name, 1) == after(&meant, 0)
        || swapped == after(&meant, 0)
}

/// The name, at the place of `span`. (`Ident::new` would panic on one with `r#`.)
pub(crate) fn located(name: &Ident, span: Span) -> Ident {
    let mut name = name.clone();
    name.set_span(span);
    name
}

/// The place of `span`, for names and tokens that are the macro's own: users
/// cannot name such locals, and no lint checks them. Items of the user's are in scope
/// nevertheless, also constants, whose names no pattern can bind: so every binding
/// is called `__something`.
pub(crate) fn hygienic(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

/// The place of `span`, for names that users can use.
pub(crate) fn public(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// Whether the identifier is anywhere in the tokens.
pub(crate) fn has_ident(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => has_ident(&group.stream(), name),
        TokenTree::Ident(ident) => plain(&ident) == name,
        _ => false,
    })
}

/// Replaces the identifiers for which `replacement` returns tokens, also inside of groups.
/// `replacement` also gets the tokens after the identifier.
pub(crate) fn replace_idents(
    tokens: TokenStream,
    replacement: &impl Fn(&Ident, Option<&TokenTree>) -> Option<TokenStream>,
) -> TokenStream {
    let mut replaced = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) => match replacement(&ident, tokens.peek()) {
                Some(other) => replaced.extend(other),
                None => ident.to_tokens(&mut replaced),
            },
            TokenTree::Group(group) => {
                let stream = replace_idents(group.stream(), replacement);
                let mut other = Group::new(group.delimiter(), stream);
                other.set_span(group.span());
                other.to_tokens(&mut replaced);
            }
            other => other.to_tokens(&mut replaced),
        }
    }
    replaced
}

/// `Self` becomes `Account<T>`, and `Self::Item` becomes `<Account<T>>::Item`.
pub(crate) fn replace_self(tokens: TokenStream, this: &TokenStream) -> TokenStream {
    replace_idents(tokens, &|ident, next| {
        if ident != "Self" {
            return None;
        }
        let is_path = matches!(next, Some(TokenTree::Punct(punct)) if punct.as_char() == ':'
            && punct.spacing() == proc_macro2::Spacing::Joint);
        Some(if is_path {
            quote!(<#this>)
        } else {
            this.clone()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::format_ident;

    #[test]
    fn names_become_types() {
        assert_eq!(camel_case("ledger"), "Ledger");
        assert_eq!(camel_case("a_long__name_"), "ALongName");
        assert_eq!(camel_case("cfg2"), "Cfg2");
        assert_eq!(camel_case(&plain(&format_ident!("r#type"))), "Type");
    }

    #[test]
    fn statics_are_bound_in_lower_case() {
        for (name, bound) in [
            ("GLOBAL_STATE", Some("global_state")),
            ("Mixed", Some("Mixed")),
            ("ledger", Some("ledger")),
            ("r#type", Some("r#type")),
            ("TYPE", Some("r#type")),
            ("SELF", None),
            ("SUPER", None),
            ("CRATE", None),
        ] {
            let found = binding(&syn::parse_str(name).expect("a name"));
            assert_eq!(found.map(|name| name.to_string()).as_deref(), bound);
        }
    }

    #[test]
    fn names_are_found_in_text() {
        for (text, name) in [
            ("ledger", Some("ledger")),
            ("_a1", Some("_a1")),
            ("type", Some("r#type")),
            ("self", None),
            ("_", None),
            ("", None),
            ("1e", None),
            ("it's", None),
            ("/* ", None),
            ("a b", None),
            ("r#a", None),
        ] {
            let found = name_in(text, Span::call_site());
            assert_eq!(found.map(|name| name.to_string()).as_deref(), name);
        }
    }

    #[test]
    fn names_that_were_meant_are_near() {
        for (name, meant) in [
            ("leger", "ledger"),
            ("ledgers", "ledger"),
            ("ledgar", "ledger"),
            ("wehn", "when"),
            ("noawait", "no_await"),
            ("nowait", "no_await"),
            ("Timeout", "timeout"),
        ] {
            assert!(is_near(name, meant), "{name} {meant}");
        }
        for (name, meant) in [("ledger", "ledger"), ("time", "timeout"), ("wait", "when")] {
            assert!(!is_near(name, meant), "{name} {meant}");
        }
    }

    #[test]
    fn keys_are_those_of_fnv_1a() {
        // From the test vectors of the FNV authors.
        assert_eq!(key(""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(key("a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
        assert_ne!(key("cfg"), key("read:cfg"));
    }

    #[test]
    fn identifiers_are_replaced_in_groups_too() {
        let tokens = quote!(self.a[self.b](x));
        let replaced = replace_idents(tokens, &|ident, _| {
            (ident == "self").then(|| quote!(__self))
        });
        assert_eq!(
            replaced.to_string(),
            quote!(__self.a[__self.b](x)).to_string()
        );
    }
}

#[cfg(test)]
mod spaces {
    use super::spaced;

    #[test]
    fn expressions_are_spaced_as_usual() {
        for expression in [
            "*ledger.balance >= amount",
            "!queue.items.is_empty() && *queue.open",
            "*left.from > -5",
            "matches!(*state.phase, Phase::Open | Phase::Closing)",
            "items[0] == first",
            "if *a { b } else { c }",
        ] {
            let tokens = expression.parse().expect("tokens");
            assert_eq!(spaced(tokens), expression);
        }
    }
}
