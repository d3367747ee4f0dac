//! From tokens to arguments.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, Token, token};

use super::options::{OptionArgument, SectionOption};
use super::{mend, suggest};
use crate::diagnostics::Errors;
use crate::gather::Gather;
use crate::names::crate_path;

/// One argument, between two commas.
pub(super) enum Argument {
    Lock(LockArgument),
    Option(OptionArgument),
    /// A misspelled option, with an error that says what to write instead.
    Wrong(syn::Error),
}

/// `name = read(lock)?`, or parts of it.
pub(super) struct LockArgument {
    pub(super) name: Option<Ident>,
    pub(super) mode: Mode,
    pub(super) expr: Expr,
    pub(super) question: Option<Token![?]>,
}

/// The mode in which a lock is held.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Mode {
    Exclusive,
    Shared,
}

/// The arguments of `#[synchronized]`.
pub(super) fn attribute(tokens: TokenStream, errors: &Errors) -> Vec<Argument> {
    let parser = |input: ParseStream<'_>| {
        let mut arguments = Vec::new();
        while !input.is_empty() {
            let result = argument(input).and_then(|argument| {
                arguments.push(argument);
                separator(input)
            });
            if errors.ok(result).is_none() {
                // The rest cannot be understood.
                input.parse::<TokenStream>()?;
            }
        }
        Ok(arguments)
    };
    errors
        .ok(parser.parse2(mend::mended(tokens, errors)))
        .unwrap_or_default()
}

/// Marks the block of a possible `with_lock!` as nested in a section, whose local
/// `__section` is known at `span`.
///
/// The mark is `use {{}, {}};`, which does nothing if the macro is one of the user's. It does
/// not name the local, so that such a macro gets no access to it.
pub(super) fn mark_enclosing(arguments: TokenStream, span: Span) -> TokenStream {
    let mut arguments: Vec<TokenTree> = arguments.into_iter().gather();
    if let Some((at, block)) = block_of(&arguments) {
        let statements = block.stream();
        let marked = quote_spanned!(span=> use {{}, {}};);
        let mut marked = Group::new(Delimiter::Brace, quote!(#marked #statements));
        marked.set_span(block.span());
        arguments[at] = TokenTree::Group(marked);
    }
    arguments.into_iter().gather()
}

/// The local of the enclosing section, by the mark in the block of a `with_lock!`; and the
/// arguments without the mark.
pub(super) fn take_enclosing_mark(arguments: TokenStream) -> (Option<Ident>, TokenStream) {
    let mut tokens: Vec<TokenTree> = arguments.into_iter().gather();
    let Some((at, block)) = block_of(&tokens) else {
        return (None, tokens.into_iter().gather());
    };
    let mut statements = block.stream().into_iter();
    let mark: Vec<TokenTree> = statements.by_ref().take(3).gather();
    let section = match &mark[..] {
        [
            TokenTree::Ident(word),
            TokenTree::Group(nothing),
            TokenTree::Punct(_),
        ] if word == "use" && nothing.stream().to_string() == quote!({}, {}).to_string() => {
            Ident::new("__section", word.span())
        }
        _ => return (None, tokens.into_iter().gather()),
    };
    let mut unmarked = Group::new(Delimiter::Brace, statements.gather());
    unmarked.set_span(block.span());
    tokens[at] = TokenTree::Group(unmarked);
    (Some(section), tokens.into_iter().gather())
}

/// The block that ends the arguments.
fn block_of(arguments: &[TokenTree]) -> Option<(usize, Group)> {
    let is_comma =
        matches!(arguments.last(), Some(TokenTree::Punct(last)) if last.as_char() == ',');
    let at = arguments.len().checked_sub(1 + usize::from(is_comma))?;
    match arguments.get(at)? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
            Some((at, group.clone()))
        }
        _ => None,
    }
}

/// The arguments of `with_lock!`, and the statements in its block.
pub(super) fn block(tokens: TokenStream, errors: &Errors) -> (Vec<Argument>, TokenStream) {
    let parser = |input: ParseStream<'_>| {
        let mut arguments = Vec::new();
        loop {
            if input.is_empty() {
                return Err(syn::Error::new(
                    input.span(),
                    "`with_lock!` without a block: write what is done while the lock is held, \
                     `with_lock!(account.ledger, { .. })`",
                ));
            }
            if input.peek(token::Brace) {
                let content;
                syn::braced!(content in input);
                let body = content.parse::<TokenStream>()?;
                input.parse::<Option<Token![,]>>()?;
                if !input.is_empty() {
                    return Err(input.error(
                        "the block is the last argument of `with_lock!`: write the locks in front \
                         of it",
                    ));
                }
                return Ok((arguments, body));
            }
            suggest::no_block(input)?;
            arguments.push(argument(input)?);
            separator(input)?;
        }
    };
    match errors.ok(parser.parse2(mend::mended(tokens, errors))) {
        Some(parsed) => parsed,
        None => (Vec::new(), TokenStream::new()),
    }
}

/// Of wrong arguments: the tokens in front of the last block, and the block.
pub(super) fn last_block(tokens: TokenStream) -> (TokenStream, TokenStream) {
    let mut arguments: Vec<TokenTree> = tokens.into_iter().gather();
    let is_block = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    let mut block = TokenStream::new();
    if let Some(at) = arguments.iter().rposition(is_block) {
        if let Some(TokenTree::Group(group)) = arguments.drain(at..).next() {
            block = group.stream();
        }
    }
    (arguments.into_iter().gather(), block)
}

fn separator(input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() || input.parse::<Option<Token![,]>>()?.is_some() {
        Ok(())
    } else {
        Err(suggest::no_comma(input))
    }
}

fn argument(input: ParseStream<'_>) -> syn::Result<Argument> {
    suggest::keyword(input)?;
    if let Some(error) = suggest::option(input) {
        return Ok(Argument::Wrong(error));
    }
    let mut name = None;
    if input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]) {
        let ident = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        if let Some(option) = SectionOption::named(&ident).filter(|option| option.takes_value()) {
            return option_argument(option, ident, input).map(Argument::Option);
        }
        // A binding must be a name, and not a keyword.
        name = Some(syn::parse2(quote::ToTokens::to_token_stream(&ident))?);
    } else if input.peek(Ident) && (input.peek2(Token![,]) || is_last(input)) {
        let ident: Ident = input.fork().parse()?;
        if let Some(option) = SectionOption::named(&ident).filter(|option| !option.takes_value()) {
            let name = input.parse()?;
            return option_argument(option, name, input).map(Argument::Option);
        }
    }
    Ok(Argument::Lock(lock(input.parse()?, name)))
}

/// The value of the option, if it takes one.
fn option_argument(
    option: SectionOption,
    name: Ident,
    input: ParseStream<'_>,
) -> syn::Result<OptionArgument> {
    Ok(match option {
        SectionOption::When => OptionArgument::When(name, input.parse()?),
        SectionOption::Timeout => OptionArgument::Timeout(name, input.parse()?),
        SectionOption::Atomic => OptionArgument::Atomic(name),
        SectionOption::NoAwait => OptionArgument::NoAwait(name),
        SectionOption::Blocking => OptionArgument::Blocking(name),
        SectionOption::Crate => OptionArgument::Crate(name, crate_path(input)?),
    })
}

/// Whether there is one token left.
fn is_last(input: ParseStream<'_>) -> bool {
    let rest = input.fork();
    rest.parse::<Ident>().is_ok() && rest.is_empty()
}

/// Looks for `?`, and for `read(..)` and `write(..)`.
fn lock(expr: Expr, name: Option<Ident>) -> LockArgument {
    let (expr, question) = match expr {
        Expr::Try(expr) => (*expr.expr, Some(expr.question_token)),
        other => (other, None),
    };
    let (expr, mode) = match expr {
        Expr::Call(mut call) if call.args.len() == 1 => match mode_of(&call.func) {
            Some(mode) => match call.args.pop() {
                Some(argument) => (argument, mode),
                None => (Expr::Call(call), Mode::Exclusive),
            },
            None => (Expr::Call(call), Mode::Exclusive),
        },
        other => (other, Mode::Exclusive),
    };
    LockArgument {
        name,
        mode,
        expr,
        question,
    }
}

fn mode_of(function: &Expr) -> Option<Mode> {
    let Expr::Path(path) = function else {
        return None;
    };
    if path.path.is_ident("read") {
        Some(Mode::Shared)
    } else if path.path.is_ident("write") {
        Some(Mode::Exclusive)
    } else {
        None
    }
}
