//! Suggestions for misspelled or misplaced arguments.

use proc_macro2::TokenTree;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Expr, ExprCall, ExprMethodCall, Ident, Token, token};

use super::options::SectionOption;
use crate::gather::Gather;
use crate::names::{is_near, name_in, plain, text};

/// `let x = lock` and `mut lock`.
pub(super) fn keyword(input: ParseStream<'_>) -> syn::Result<()> {
    let message = if input.peek(Token![let]) {
        "a lock is bound without a `let`: write `name = lock`"
    } else if input.peek(Token![mut]) && input.peek2(Ident::peek_any) {
        "what a lock guards can be changed without a `mut`: write the lock alone, or `name = lock`"
    } else {
        return Ok(());
    };
    Err(input.error(message))
}

/// Looks for a misspelled option, and skips it, so that the arguments behind
/// it are understood.
pub(super) fn option(input: ParseStream<'_>) -> Option<syn::Error> {
    let error = misspelled(input)?;
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            break;
        }
    }
    Some(error)
}

fn misspelled(input: ParseStream<'_>) -> Option<syn::Error> {
    let ahead = input.fork();
    let name = ahead.call(Ident::parse_any).ok()?;
    let has_value = ahead.peek(Token![=]) && !ahead.peek(Token![==]);
    let is_alone = ahead.is_empty() || ahead.peek(Token![,]);
    let error = |message: String| Some(syn::Error::new(name.span(), message));
    match SectionOption::named(&name) {
        // Perhaps it begins a path, `crate::LOCK`.
        Some(SectionOption::Crate) => return None,
        Some(option) if option.takes_value() => {
            let is_path = ahead.peek(Token![.]) || ahead.peek(Token![::]);
            if has_value || is_path {
                return None;
            }
            return error(format!(
                "`{name}` is an option with a value: write `{}`",
                option.example()
            ));
        }
        Some(_) => {
            let is_switch =
                has_value && ahead.parse::<Token![=]>().is_ok() && ahead.peek(syn::LitBool);
            return is_switch.then(|| {
                error(format!(
                    "`{name}` is an option without a value: write `{name}`"
                ))
            })?;
        }
        None => {}
    }
    let meant = SectionOption::ALL.into_iter().find(|option| {
        if has_value {
            is_option_with_value(&plain(&name), *option)
        } else {
            is_near(&plain(&name), option.name())
        }
    })?;
    if has_value {
        return error(format!(
            "`{name}` is not an option: write `{}`, or if a lock is meant, bind it by another name",
            meant.example()
        ));
    }
    (is_alone && !meant.takes_value()).then(|| {
        error(format!(
            "`{name}` is not an option: write `{}`, or if a lock is meant, `self.{name}` or \
             `name = {name}`",
            meant.example()
        ))
    })?
}

/// Whether `name = value` must mean the option: `timout`, `wehn` and `krate`, but
/// neither `then` nor `crates`, which may well be names of locks.
fn is_option_with_value(name: &str, option: SectionOption) -> bool {
    let letters = |word: &str| word.to_lowercase().replace('_', "");
    let has_letters_of = |word: &str, other: &str| {
        let count = |word: &str, letter| word.chars().filter(|other| *other == letter).count();
        let mut letters = other.chars();
        word.len() == other.len()
            && letters.all(|letter| count(word, letter) == count(other, letter))
    };
    if option == SectionOption::Crate {
        return name == "krate";
    }
    let option = option.name();
    let is_shorter = name.len() < option.len();
    is_near(name, option) && (is_shorter || has_letters_of(&letters(name), &letters(option)))
}

/// The message for an expression without a name, which may be a misunderstanding.
pub(super) fn nameless(expr: &Expr) -> String {
    let without_arguments = match expr {
        Expr::Await(expr) => return nameless(&expr.base),
        Expr::MethodCall(call) if call.args.is_empty() => acquired_by(call),
        Expr::Call(call) if call.args.is_empty() => called(call),
        Expr::Call(call) => several(call),
        Expr::Tuple(syn::ExprTuple { elems, .. }) | Expr::Array(syn::ExprArray { elems, .. }) => {
            let locks = elems.iter().map(text).gather::<Vec<_>>().join(", ");
            Some(format!(
                "several locks are written without brackets: write `{locks}`"
            ))
        }
        _ => None,
    };
    without_arguments.unwrap_or_else(|| {
        "what this leads to has no name in the body: write `name = ` in front of it".to_owned()
    })
}

/// `account.acquire_ledger()`, `account.ledger.lock()`.
fn acquired_by(call: &ExprMethodCall) -> Option<String> {
    let method = plain(&call.method);
    let receiver = text(&call.receiver);
    let lock = match method.as_str() {
        "acquire" | "lock" => receiver,
        "read" | "write" => format!("{method}({receiver})"),
        _ => {
            let (verb, lock) = method.split_once('_')?;
            match verb {
                "acquire" => format!("{receiver}.{lock}"),
                "read" | "write" => format!("{verb}({receiver}.{lock})"),
                _ => return None,
            }
        }
    };
    Some(format!(
        "the section acquires the lock itself: write `{lock}`, or if the method returns a lock, \
         `name = ` in front of it"
    ))
}

/// `ledger()`.
fn called(call: &ExprCall) -> Option<String> {
    let function = text(&call.func);
    Some(format!(
        "a lock is named, not called: write `{function}`, or if the fn returns a lock, \
         `name = {function}()`"
    ))
}

/// `read(a, b)`.
fn several(call: &ExprCall) -> Option<String> {
    let mode = text(&call.func);
    if mode != "read" && mode != "write" {
        return None;
    }
    let each = call
        .args
        .iter()
        .map(|lock| format!("{mode}({})", text(lock)));
    let each = each.gather::<Vec<_>>().join(", ");
    Some(format!("`{mode}` is about one lock: write `{each}`"))
}

/// An expression that is not a lock, whatever the types.
pub(super) fn not_a_lock(expr: &Expr) -> String {
    if let Expr::Lit(syn::ExprLit {
        lit: syn::Lit::Str(name),
        ..
    }) = expr
    {
        if let Some(name) = name_in(&name.value(), name.span()) {
            return format!("a lock is named without quotes: write `{name}`");
        }
    }
    "this is not a lock: write the name of a field, or an expression that leads to a lock"
        .to_owned()
}

/// The error for other tokens in place of the block of `with_lock!`.
pub(super) fn no_block(input: ParseStream<'_>) -> syn::Result<()> {
    let message = if input.peek(Token![|]) || input.peek(Token![||]) {
        "the block is not a closure: write `{ .. }` alone, in which the lock is bound by its name"
    } else if input.peek(Token![async]) || input.peek(Token![move]) {
        "the block is part of the fn around it: write `{ .. }` alone, in which `.await` works"
    } else {
        return Ok(());
    };
    Err(input.error(message))
}

/// The error for a missing comma between two arguments, or in front of the block.
pub(super) fn no_comma(input: ParseStream<'_>) -> syn::Error {
    let what = if input.peek(Token![=>]) || input.peek(Token![;]) {
        "arguments are separated by commas: write `,`"
    } else if input.peek(token::Brace) {
        "a comma is missing in front of the block: write `, {`"
    } else {
        "expected a comma between two arguments: write `,`"
    };
    input.error(what)
}
