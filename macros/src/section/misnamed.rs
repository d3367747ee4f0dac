//! A lock whose name was probably misspelled: the body never uses it, and uses a name that is
//! nearly the same and that it binds nowhere.
//!
//! The compiler looks for names before it looks at types. So it would find the name in the
//! body first, and propose the misspelled one as a cure.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::GenericParam;

use super::control_flow::is_known_name;
use super::function::Function;
use super::model::{Lock, Section};
use crate::gather::Gather;
use crate::names::{hygienic, is_near, located, plain};

/// Binds such a lock by the name that the body uses, and notes the other one. In a fn, that name
/// can mean nothing else but an item: hence what a fn is used for does not count. (A static or a
/// constant in lower case, nearly named like a lock that is not used, would be taken for it.)
pub(super) fn rename(section: &mut Section, function: &Function) {
    let mut others: Vec<String> = function.bound_names().into_iter().map(plain).gather();
    for param in &function.sig.generics.params {
        if let GenericParam::Const(param) = param {
            others.push(plain(&param.ident));
        }
    }
    for (index, used) in misspelled(section, &function.body, &others) {
        if let Some(lock) = section.locks.get_mut(index) {
            lock.not_used = Some(std::mem::replace(&mut lock.binding, used));
        }
    }
}

/// In a block, the name that the body uses may be a local of the fn around it. There, such a
/// lock is bound by a name that the compiler does not propose.
pub(super) fn hide(section: &mut Section, body: &TokenStream) {
    for (index, _) in misspelled(section, body, &[]) {
        if let Some(lock) = section.locks.get_mut(index) {
            lock.binding = located(&lock.binding, hygienic(lock.binding.span()));
        }
    }
}

/// The locks, and what the body uses in place of each.
fn misspelled(section: &Section, body: &TokenStream, others: &[String]) -> Vec<(usize, Ident)> {
    let statements = section.seen_by(body);
    let mut found: Vec<(usize, Ident)> = Vec::new();
    for (index, lock) in section.locks.iter().enumerate() {
        let is_taken = |name: &String| {
            let is_binding = |lock: &Lock| plain(&lock.binding) == *name;
            others.contains(name)
                || section.locks.iter().any(is_binding)
                || found.iter().any(|(_, found)| plain(found) == *name)
        };
        if lock.is_named || is_mentioned(&statements, &plain(&lock.binding)) {
            continue;
        }
        let mut names = Vec::new();
        names_near(&statements, &plain(&lock.binding), &mut names);
        let used = names.into_iter().find(|name| {
            let name = plain(name);
            !is_taken(&name) && Uses::of(&name, &statements).are_of_a_local()
        });
        found.extend(used.map(|used| (index, used)));
    }
    found
}

/// Whether the name is in the tokens, or in a text there: `"{ledger}"`.
fn is_mentioned(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => is_mentioned(&group.stream(), name),
        TokenTree::Ident(ident) => plain(&ident) == name,
        TokenTree::Literal(literal) => literal.to_string().contains(name),
        TokenTree::Punct(_) => false,
    })
}

fn names_near(tokens: &TokenStream, name: &str, names: &mut Vec<Ident>) {
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) => names_near(&group.stream(), name, names),
            TokenTree::Ident(ident) => {
                let text = plain(&ident);
                let is_local = text.starts_with(|first: char| first.is_lowercase());
                if is_local && is_near(&text, name) && !names.contains(&ident) {
                    names.push(ident);
                }
            }
            _ => {}
        }
    }
}

/// How a name is used in statements.
#[derive(Default)]
struct Uses {
    /// As only a value with fields, elements or contents is: `ledger.balance`, `ledger[0]`,
    /// `*ledger`.
    of_contents: bool,
    /// In a way that may bind it, or that an item is used.
    unclear: bool,
}

impl Uses {
    fn of(name: &str, statements: &TokenStream) -> Self {
        let mut uses = Uses::default();
        uses.look(name, statements, false);
        uses
    }

    fn are_of_a_local(&self) -> bool {
        self.of_contents && !self.unclear
    }

    /// `is_call`: the tokens are the arguments of a call.
    fn look(&mut self, name: &str, tokens: &TokenStream, is_call: bool) {
        let tokens: Vec<TokenTree> = tokens.clone().into_iter().gather();
        let has_bars = tokens.iter().any(|token| is_punct(Some(token), &['|']));
        for (index, token) in tokens.iter().enumerate() {
            let before = |count: usize| index.checked_sub(count).and_then(|at| tokens.get(at));
            let after = |count: usize| tokens.get(index + count);
            match token {
                TokenTree::Group(group) => {
                    let is_call = group.delimiter() == Delimiter::Parenthesis
                        && matches!(before(1), Some(TokenTree::Ident(callee)) if is_callee(callee));
                    let is_macro = match before(2) {
                        Some(TokenTree::Ident(name)) => {
                            is_punct(before(1), &['!']) && !is_known_name(name)
                        }
                        _ => is_ident(before(3), "macro_rules"),
                    };
                    self.unclear |= is_macro && is_mentioned(&group.stream(), name);
                    self.look(name, &group.stream(), is_call);
                }
                TokenTree::Ident(ident) if plain(ident) == name => {
                    if is_punct(before(1), &['.', '\'']) {
                        continue;
                    }
                    let ends = after(1).is_none() || is_punct(after(1), &[',']);
                    let begins = before(1).is_none() || is_punct(before(1), &[',', '&', '*']);
                    let is_lent = is_ident(before(1), "mut") && is_punct(before(2), &['&']);
                    if is_contents(after(1), after(2))
                        || is_punct(before(1), &['*']) && begins_an_operand(before(2))
                    {
                        self.of_contents = true;
                    } else if !(is_call && !has_bars && ends && (begins || is_lent)) {
                        self.unclear = true;
                    }
                }
                _ => {}
            }
        }
    }
}

/// `.field` or `[index]`, and not `..`.
fn is_contents(next: Option<&TokenTree>, after: Option<&TokenTree>) -> bool {
    match next {
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Bracket,
        _ => is_punct(next, &['.']) && !is_punct(after, &['.']) && !is_ident(after, "await"),
    }
}

/// Whether a `*` behind the token is not that of a product.
fn begins_an_operand(before: Option<&TokenTree>) -> bool {
    match before {
        None => true,
        Some(TokenTree::Punct(punct)) => punct.as_char() != '?',
        Some(TokenTree::Ident(ident)) => ident == "return" || ident == "in",
        Some(_) => false,
    }
}

fn is_punct(token: Option<&TokenTree>, chars: &[char]) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if chars.contains(&punct.as_char()))
}

fn is_ident(token: Option<&TokenTree>, name: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == name)
}

/// A fn or a method, and not what a pattern begins with.
fn is_callee(name: &Ident) -> bool {
    let text = plain(name);
    let is_keyword = [
        "if", "in", "let", "match", "move", "mut", "ref", "return", "while",
    ];
    text.starts_with(|first: char| first.is_lowercase() || first == '_')
        && !is_keyword.contains(&text.as_str())
}

/// Expands to, where the lock was renamed:
///
/// ```text
/// {
///     #[diagnostic::on_unimplemented(message = "..", label = "..")]
///     trait __Bound {}
///     impl __Bound for Unknown {}
///     fn __is_bound<__M: __Bound>(_: ModeOf<__M>) {}
///     __is_bound(__type.__suspend_mode());
/// }
/// ```
///
/// which is an error only where the lock exists, and the name in the body does not.
pub(super) fn check(lock: &Lock, entry_type: &Ident, private: &TokenStream) -> TokenStream {
    let Some(name) = &lock.not_used else {
        return TokenStream::new();
    };
    let used = &lock.binding;
    let message = format!("cannot find `{used}` in this section: its lock is bound as `{name}`");
    let label = format!("write `{name}`, or `{used} = ` in front of the lock");
    let (span, at) = (hygienic(name.span()), hygienic(used.span()));
    // At the name in the body, which is what is wrong.
    let entry_type = located(entry_type, at);
    let call = quote_spanned!(at=> __is_bound(#entry_type.__suspend_mode()););
    quote_spanned! {span=>
        {
            #[diagnostic::on_unimplemented(message = #message, label = #label)]
            trait __Bound {}
            impl __Bound for #private::Unknown {}
            fn __is_bound<__M: __Bound>(_: #private::ModeOf<__M>) {}
            #call
        }
    }
}
