//! The code by which the runtime watches a section: the description of the section, and when it
//! runs. In builds that do not watch, all of it is zero-sized types and empty calls.

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::quote_spanned;

use super::acquisition::{self, Acquisition};
use super::inside::{Inside, Statement, Step};
use super::operand;
use super::site::{Site, Wait};
use crate::gather::Gather;
use crate::names::{hygienic, spaced, unsafe_};
use crate::section::model::Section;
use crate::section::parse;

/// The local of the section, for messages of the compiler at `span`.
///
/// Its methods are called as `(&__section).__entered(0)`: a method of a trait of the user's, by
/// the same name, that takes the section itself would come before one that borrows it.
pub(super) fn section_local(span: Span) -> Ident {
    Ident::new("__section", hygienic(span))
}

/// Expands to:
///
/// ```text
/// static __SITE: Site = Site::new(
///     "deposit", file!(), line!(), column!(), "", &[SiteLock::new("ledger", false)],
/// );
/// let __section = unsafe { Section::new() };
/// ```
///
/// in front of the acquisitions. Where a macro in the body gets the local, which may be one of the
/// user's, it is another one from the body on:
///
/// ```text
/// let mut __section = unsafe { __section.__lend() };
/// ```
///
/// SAFETY, of what is generated: the local cannot be named by the user, so it is not moved, and
/// what borrows it is awaited or dropped where it stands. A macro may take what is lent to it out
/// of its tokens (W8 of the runtime), or put it into an `async move`; it ends before the section
/// does. It is described at once, or where it has to wait, and then it is not borrowed elsewhere.
pub(super) fn declare(
    section: &Section,
    locks: &[Acquisition<'_>],
    site: Site<'_>,
    body: Uses,
) -> TokenStream {
    let span = hygienic(Span::call_site());
    let private = section.options.krate.private_at(span);
    let local = section_local(span);
    let name = Literal::string(&site.name());
    let condition = match section.options.when {
        Some(_) => quote_spanned!(span=> __CONDITION),
        None => quote_spanned!(span=> ""),
    };
    let written = locks.iter().map(Acquisition::as_written);
    let unsafe_ = unsafe_();
    let new = quote_spanned!(span=> #unsafe_ { #private::Section::new() });
    let declared = if body.exclusively {
        quote_spanned!(span=> let mut #local = #new;)
    } else {
        quote_spanned!(span=> let #local = #new;)
    };
    quote_spanned! {span=>
        static __SITE: #private::Site = #private::Site::new(
            #name,
            ::core::file!(),
            ::core::line!(),
            ::core::column!(),
            #condition,
            &[#(#written,)*],
        );
        #declared
    }
}

/// Expands to:
///
/// ```text
/// const __CONDITION: &::core::primitive::str = "*ledger.balance >= amount";
/// ```
///
/// behind the condition itself, so that this stands at the same place however long it is: see
/// `mend`.
pub(super) fn written_condition(section: &Section) -> TokenStream {
    let Some(when) = &section.options.when else {
        return TokenStream::new();
    };
    let span = hygienic(Span::call_site());
    let written = Literal::string(&spaced(when.condition.clone()));
    quote_spanned!(span=> const __CONDITION: &::core::primitive::str = #written;)
}

/// Expands to:
///
/// ```text
/// unsafe {
///     __section.__describe(
///         &__SITE,
///         None,
///         [SectionLock::new(__type0.__lock_type(), __lock0, Watched::<0x1234>::watched_id)],
///     )
/// };
/// ```
///
/// SAFETY of the generated code: both lists have the same locks.
pub(super) fn describe(section: &Section, locks: &[Acquisition<'_>]) -> TokenStream {
    let span = hygienic(Span::call_site());
    let local = section_local(span);
    let enclosing = match &section.enclosing {
        Some(enclosing) => {
            quote_spanned!(span=> ::core::option::Option::Some((&mut #enclosing).__enclosing()))
        }
        None => quote_spanned!(span=> ::core::option::Option::None),
    };
    let described = locks.iter().map(Acquisition::described);
    let unsafe_ = unsafe_();
    quote_spanned! {span=>
        #unsafe_ { (&#local).__describe(&__SITE, #enclosing, [#(#described,)*]) };
    }
}

/// Whether the section need not be described before it has to wait: nothing in its body uses
/// it, and it tries its locks first.
pub(super) fn is_described_late(section: &Section, site: Site<'_>, body: Uses) -> bool {
    let options = &section.options;
    let tries = options.when.is_none() && options.timeout.is_none() && section.enclosing.is_none();
    let is_seen = body.await_within || body.awaited || body.nests || site.wait() == Wait::Park;
    tries && !is_seen
}

/// Moves the description of the section into the wait for its lock, or for the first of
/// several. But if the thread is inside of the section in its body, the description may be
/// needed without a wait: then it is returned, to come before.
pub(super) fn describe_late(
    locks: &mut [Acquisition<'_>],
    describe: &TokenStream,
    inside: &Inside,
) -> TokenStream {
    let span = hygienic(Span::call_site());
    let local = section_local(span);
    let early = match inside {
        Inside::Nowhere => TokenStream::new(),
        Inside::Throughout | Inside::Partly(_) => quote_spanned! {span=>
            if (&#local).__is_described_early() {
                #describe
            }
        },
    };
    let describe = match locks {
        [_] if early.is_empty() => describe.clone(),
        _ => quote_spanned! {span=>
            if !(&#local).__is_described() {
                #describe
            }
        },
    };
    for lock in locks {
        lock.describe = Some(describe.clone());
    }
    early
}

/// How a body refers to the section.
#[derive(Clone, Copy, Default)]
pub(super) struct Uses {
    /// By the trait of this name.
    await_within: bool,
    awaited: bool,
    /// As the enclosing section of another one.
    nests: bool,
    /// By what is lent to macros.
    exclusively: bool,
}

/// The code right behind the guards, and the statements: each `.await` of the body is polled
/// within the section, and code that cannot suspend runs inside of it. For a body that cannot
/// suspend:
///
/// ```text
/// let __inside = unsafe { __section.__inside_body(acquires_last, false) };
/// ```
///
/// and around the parts that cannot suspend of a body that may:
///
/// ```text
/// let __inside = unsafe { __section.__in_parts() };
/// self.load().await;
/// unsafe { __inside.__resume(&__section) };
/// *ledger.balance += 1;
/// unsafe { __inside.__pause(&__section) };
/// self.store().await;
/// ```
///
/// SAFETY of the generated code: the code inside does not suspend; the local is dropped at the
/// end of the body. Nobody else has the section meanwhile: a macro that gets it, and may give it to
/// another thread, borrows it mutably, and while that borrow lasts, each of these calls is
/// an error.
pub(super) fn statements(
    section: &Section,
    locks: &[Acquisition<'_>],
    site: Site<'_>,
    inside: &Inside,
    statements: TokenStream,
) -> (TokenStream, TokenStream, Uses) {
    let span = hygienic(Span::call_site());
    let private = section.options.krate.private_at(span);
    let local = section_local(span);
    // Such a section encloses all that runs in its body already, by the list of the thread.
    let nesting = match inside {
        Inside::Throughout => Nesting::ByList,
        Inside::Partly(_) | Inside::Nowhere => Nesting::ByArgument,
    };
    let watch = |local: &Local| {
        let mut found = Uses::default();
        let mut within = |tokens| within(tokens, local, nesting, Place::Body, &mut found);
        let watched = match inside {
            Inside::Partly(statements) => in_parts(statements, &local.name, &mut within),
            Inside::Throughout | Inside::Nowhere => within(statements.clone()),
        };
        (watched, found)
    };
    let mut local = Local {
        name: local,
        is_lent: false,
    };
    let (mut watched, found) = watch(&local);
    if found.exclusively {
        local.is_lent = true;
        watched = watch(&local).0;
    }
    let mut before = TokenStream::new();
    if found.await_within {
        before.extend(quote_spanned!(span=> use #private::AwaitWithin as _;));
    }
    if found.awaited {
        before.extend(quote_spanned!(span=> use #private::Awaited as _;));
    }
    before.extend(declare_inside(locks, site, inside));
    if local.is_lent {
        let (local, unsafe_) = (&local.name, unsafe_());
        before.extend(quote_spanned!(span=> let mut #local = #unsafe_ { (&mut #local).__lend() };));
    }
    (before, watched, found)
}

fn declare_inside(locks: &[Acquisition<'_>], site: Site<'_>, inside: &Inside) -> TokenStream {
    let (span, unsafe_) = (hygienic(Span::call_site()), unsafe_());
    let local = section_local(span);
    let mode = acquisition::suspend_mode(locks);
    let acquires_last = quote_spanned!(span=> #mode.__acquires_last());
    let made = match (inside, site) {
        (Inside::Nowhere, _) => return TokenStream::new(),
        (Inside::Partly(_), _) => quote_spanned!(span=> __in_parts()),
        (
            Inside::Throughout,
            Site::Fn {
                wait: Wait::Park, ..
            },
        ) => quote_spanned!(span=> __inside(#acquires_last)),
        (Inside::Throughout, site) => {
            let parks = site.wait() == Wait::Park;
            quote_spanned!(span=> __inside_body(#acquires_last, #parks))
        }
    };
    let inside = Ident::new("__inside", span);
    quote_spanned!(span=> let #inside = #unsafe_ { (&#local).#made };)
}

/// The statements, with the steps in between.
fn in_parts(
    statements: &[Statement],
    section: &Ident,
    within: &mut dyn FnMut(TokenStream) -> TokenStream,
) -> TokenStream {
    let (span, unsafe_) = (hygienic(Span::call_site()), unsafe_());
    let inside = Ident::new("__inside", span);
    let mut tokens = TokenStream::new();
    for statement in statements {
        tokens.extend(match statement.before {
            Some(Step::Resume) => {
                quote_spanned!(span=> #unsafe_ { (&#inside).__resume(&#section) };)
            }
            Some(Step::Pause) => {
                quote_spanned!(span=> #unsafe_ { (&#inside).__pause(&#section) };)
            }
            None => TokenStream::new(),
        });
        tokens.extend(within(statement.tokens.clone()));
    }
    tokens
}

/// The local of a section, in its body.
struct Local {
    name: Ident,
    /// It is what is lent to macros.
    is_lent: bool,
}

impl Local {
    /// A reference to the section, which no macro gets.
    fn shared(&self, at: Span) -> TokenStream {
        let name = &self.name;
        if self.is_lent {
            let unsafe_ = unsafe_();
            quote_spanned!(hygienic(at)=> #unsafe_ { (&#name).__shared() })
        } else {
            quote_spanned!(at=> &#name)
        }
    }
}

/// How a section in the body knows of this one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    /// The mark in it names this section.
    ByArgument,
    /// By the section list of the thread.
    ByList,
}

/// The location of tokens in a body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Body,
    /// Among the arguments of a macro.
    Arguments,
}

/// Tokens in which `value.await` is `(&__section).__await_within(value).await`, or, where it
/// cannot be told at which token `value` begins, `value.__within(&mut __section).await`: a method
/// of the value, for which the compiler has to know its type. It may be one of the user's, and so
/// gets what a macro gets. And the block of a `with_lock!` has
/// a mark in it, by which that knows the enclosing section (see [`parse::take_enclosing_mark`]).
///
/// What a macro gets may come to run on several threads at a time, as it may be one of the
/// user's, whatever its name. So what is within the section there borrows it mutably, which the
/// compiler lets one do at a time (W2 of the runtime): `value.__within(&mut __section).await`,
/// and the section in its body. Then, elsewhere, `unsafe { __section.__shared() }` takes the place
/// of `&__section`.
///
/// All other tokens stay as they are, and do not run within the section: code that is run
/// separately (closures, `async` blocks, items), and the arguments of macros that may not be
/// expressions, or that show them as text.
fn within(
    tokens: TokenStream,
    section: &Local,
    nesting: Nesting,
    place: Place,
    found: &mut Uses,
) -> TokenStream {
    let tokens: Vec<TokenTree> = tokens.into_iter().gather();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        let skipped = skipped(&tokens[at..], before);
        if skipped > 0 {
            out.extend(tokens[at..at + skipped].iter().cloned());
            at += skipped;
            continue;
        }
        match token {
            TokenTree::Ident(word) if word == "await" && is_dot(before) => {
                out.pop();
                awaited(&mut out, word.span(), section, place, found);
                out.extend(tokens[at - 1..=at].iter().cloned());
            }
            TokenTree::Group(group) => {
                let arguments = group.stream();
                let name = name_of_macro(&tokens[..at]);
                let place = if name.is_some() {
                    Place::Arguments
                } else {
                    place
                };
                let mut changed = Group::new(
                    group.delimiter(),
                    match name {
                        Some(name)
                            if name == "with_lock"
                                && nesting == Nesting::ByArgument
                                && has_block(&arguments) =>
                        {
                            found.nests = true;
                            found.exclusively = true;
                            parse::mark_enclosing(arguments, hygienic(name.span()))
                        }
                        Some(name) if !takes_expressions(name, &arguments) => arguments,
                        None if is_named_by_a_fragment(&tokens[..at]) => arguments,
                        _ => within(arguments, section, nesting, place, found),
                    },
                );
                changed.set_span(group.span());
                out.push(TokenTree::Group(changed));
            }
            _ => out.push(token.clone()),
        }
        at += 1;
    }
    out.into_iter().gather()
}

/// Puts the operand that ends the tokens within the section.
///
/// By the spans of the user's tokens: tools see one expression, as it is written, and what is
/// no future is reported once, at the `await`.
fn awaited(tokens: &mut Vec<TokenTree>, at: Span, section: &Local, place: Place, found: &mut Uses) {
    let start = match place {
        // What is lent within the operand could not be while the section is borrowed for it.
        Place::Body => operand::begins_at(tokens).filter(|start| !lends(&tokens[*start..])),
        Place::Arguments => None,
    };
    let Some(start) = start else {
        found.awaited = true;
        found.exclusively = true;
        let local = &section.name;
        tokens.extend(quote_spanned!(at=> .__within(&mut #local)));
        return;
    };
    found.await_within = true;
    let operand: Vec<TokenTree> = tokens.drain(start..).gather();
    let begin = operand.first().map_or(at, TokenTree::span);
    let mut borrowed = Group::new(Delimiter::Parenthesis, section.shared(begin));
    borrowed.set_span(begin);
    let operand: TokenStream = operand.into_iter().gather();
    tokens.extend(quote_spanned!(at=> #borrowed.__await_within(#operand)));
}

/// Whether the section is lent to something in these tokens, which have it already: by a method,
/// or by a mark.
fn lends(tokens: &[TokenTree]) -> bool {
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Ident(word) if word == "use" => {
            matches!(tokens.get(at + 1), Some(TokenTree::Group(_)))
        }
        TokenTree::Ident(word) => word == "__within",
        TokenTree::Group(group) => {
            let inner: Vec<TokenTree> = group.stream().into_iter().gather();
            lends(&inner)
        }
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Whether a dot comes first: what follows is a field, a method or `await`.
fn is_dot(before: Option<&TokenTree>) -> bool {
    before.is_some_and(|before| is_punct(before, '.'))
}

/// Whether the arguments of a macro are expressions (and patterns for `matches!`), and it shows
/// none of them as text. `dbg!` does, and `assert!` without a message.
fn takes_expressions(name: &Ident, arguments: &TokenStream) -> bool {
    const MACROS: [&str; 18] = [
        "assert_eq",
        "assert_ne",
        "debug_assert_eq",
        "debug_assert_ne",
        "eprint",
        "eprintln",
        "format",
        "format_args",
        "matches",
        "panic",
        "print",
        "println",
        "todo",
        "unimplemented",
        "unreachable",
        "vec",
        "write",
        "writeln",
    ];
    if name == "assert" || name == "debug_assert" {
        let mut rest = arguments.clone().into_iter();
        return rest.any(|token| is_punct(&token, ',')) && rest.next().is_some();
    }
    MACROS.iter().any(|known| name == known)
}

/// The last segment of a macro's path, if its arguments follow.
fn name_of_macro(before: &[TokenTree]) -> Option<&Ident> {
    match before {
        [.., TokenTree::Ident(name), bang] if is_punct(bang, '!') && !is_keyword(name) => {
            Some(name)
        }
        _ => None,
    }
}

/// Whether what follows is the arguments of a macro whose name has come from another macro, as a
/// `$name:path` has: it may be any.
fn is_named_by_a_fragment(before: &[TokenTree]) -> bool {
    match before {
        [.., name, bang] => is_punct(bang, '!') && is_group(name, Delimiter::None),
        _ => false,
    }
}

/// Whether the arguments are those of `with_lock!`, as far as that is its shape: something, a
/// comma, and a block.
fn has_block(arguments: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = arguments.clone().into_iter().gather();
    let is_comma = |token: &TokenTree| is_punct(token, ',');
    let without_comma = match tokens.split_last() {
        Some((last, rest)) if is_comma(last) => rest,
        _ => &tokens[..],
    };
    match without_comma {
        [.., comma, block] => is_comma(comma) && is_group(block, Delimiter::Brace),
        _ => false,
    }
}

/// The number of tokens, from the first on, of code that is run separately. If its end is not
/// known, more is skipped: to the next comma or semicolon, or to the end.
fn skipped(tokens: &[TokenTree], before: Option<&TokenTree>) -> usize {
    let first = match tokens.first() {
        Some(TokenTree::Ident(first)) => first.to_string(),
        Some(token) if is_punct(token, '|') && begins_operand(before) => {
            return closure(tokens);
        }
        _ => return 0,
    };
    match (first.as_str(), tokens.get(1)) {
        ("async", Some(next)) => {
            let is_move = matches!(next, TokenTree::Ident(word) if word == "move");
            let at = 1 + usize::from(is_move);
            match tokens.get(at) {
                Some(block) if is_group(block, Delimiter::Brace) => at + 1,
                Some(bar) if is_punct(bar, '|') => at + closure(&tokens[at..]),
                _ => item(tokens),
            }
        }
        ("move", Some(next)) if is_punct(next, '|') => 1 + closure(&tokens[1..]),
        ("static", Some(next)) if is_punct(next, '|') => 1 + closure(&tokens[1..]),
        ("static", Some(_)) => statement(tokens),
        ("const", Some(next)) if is_group(next, Delimiter::Brace) => 2,
        ("const", Some(TokenTree::Ident(_))) => statement(tokens),
        ("fn" | "impl" | "trait" | "mod" | "struct" | "enum" | "extern", Some(_)) => item(tokens),
        ("macro_rules", Some(bang)) if is_punct(bang, '!') => item(tokens),
        _ => 0,
    }
}

/// Whether an operand follows a token: then a `|` begins a closure.
fn begins_operand(before: Option<&TokenTree>) -> bool {
    match before {
        None => true,
        Some(TokenTree::Ident(word)) => is_keyword(word),
        Some(TokenTree::Punct(punct)) => punct.as_char() != '?',
        // Behind a block, as a statement; behind other groups, it is an operator.
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
        Some(TokenTree::Literal(_)) => false,
    }
}

/// The parameters, and the body up to the end of the expression.
fn closure(tokens: &[TokenTree]) -> usize {
    let params = tokens.iter().skip(1).position(|token| is_punct(token, '|'));
    let body = params.map_or(tokens.len(), |end| end + 2);
    body + statement_length(&tokens[body..])
}

/// Up to and with a block or a semicolon. Braces in a type, as in `Bytes<{ N }>`, are not a block.
fn item(tokens: &[TokenTree]) -> usize {
    let in_a_type = |at: usize| {
        let next = tokens.get(at + 1);
        next.is_some_and(|next| is_punct(next, '>') || is_punct(next, ','))
    };
    let mut numbered = tokens.iter().enumerate();
    let end = numbered.position(|(at, token)| {
        is_punct(token, ';') || is_group(token, Delimiter::Brace) && !in_a_type(at)
    });
    end.map_or(tokens.len(), |end| end + 1)
}

/// Up to and with a semicolon.
fn statement(tokens: &[TokenTree]) -> usize {
    let end = tokens.iter().position(|token| is_punct(token, ';'));
    end.map_or(tokens.len(), |end| end + 1)
}

/// Up to a comma or a semicolon.
fn statement_length(tokens: &[TokenTree]) -> usize {
    let end = tokens
        .iter()
        .position(|token| is_punct(token, ',') || is_punct(token, ';'));
    end.unwrap_or(tokens.len())
}

pub(super) fn is_punct(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}

fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}

/// Keywords in front of an operand.
pub(super) fn is_keyword(ident: &Ident) -> bool {
    const KEYWORDS: [&str; 10] = [
        "break", "else", "if", "in", "let", "match", "move", "return", "while", "yield",
    ];
    KEYWORDS.iter().any(|keyword| ident == keyword)
}

#[cfg(test)]
mod tests {
    use proc_macro2::{Ident, Span, TokenStream};

    use super::{Local, Nesting, Place, Uses, within};

    #[test]
    fn what_is_run_as_a_part_of_the_section_is_watched() {
        for (body, expected) in [
            ("self.a().await", "W(self.a()).await"),
            (
                "self.a().await?.b(1).await",
                "W(W(self.a()).await?.b(1)).await",
            ),
            ("f(a().await).await", "W(f(W(a()).await)).await"),
            ("self.inner.await", "W(self.inner).await"),
            ("(x).await", "(x) M.await"),
            ("(x).y.await", "W((x).y).await"),
            ("let y = x.await;", "let y = W(x).await;"),
            ("..x.await", "..W(x).await"),
            ("unsafe { f() }.await", "unsafe { f() } M.await"),
            ("f::<u8>().await", "f::<u8>() M.await"),
            (
                "if !(a().await) { return !(b().await) }",
                "if !(W(a()).await) { return !(W(b()).await) }",
            ),
            (
                "let f = async { a().await }; f.await; b().await",
                "let f = async { a().await }; W(f).await; W(b()).await",
            ),
            (
                "async move |a, b| c(a, b).await; d().await",
                "async move |a, b| c(a, b).await; W(d()).await",
            ),
            (
                "g(async |x| if x { 0 } else { y().await }, z().await)",
                "g(async |x| if x { 0 } else { y().await }, W(z()).await)",
            ),
            (
                "each(|| with_lock!(x, {})).await",
                "W(each(|| with_lock!(x, {}))).await",
            ),
            ("a | b().await", "a | W(b()).await"),
            (
                "match x { A | B => c().await, _ => 1 }",
                "match x { A | B => W(c()).await, _ => 1 }",
            ),
            (
                "async fn f() -> Result<u8, ()> { a().await } f().await",
                "async fn f() -> Result<u8, ()> { a().await } W(f()).await",
            ),
            (
                "async fn f() -> Bytes<{ N }, { K }> { a().await } f().await",
                "async fn f() -> Bytes<{ N }, { K }> { a().await } W(f()).await",
            ),
            (
                "fn f() { with_lock!(x, blocking, {}) } b().await",
                "fn f() { with_lock!(x, blocking, {}) } W(b()).await",
            ),
            (
                "static X: u8 = with_lock!(x, {}); b().await",
                "static X: u8 = with_lock!(x, {}); W(b()).await",
            ),
            (
                "macro_rules! m { ($f:expr) => { $f().await } } b().await",
                "macro_rules! m { ($f:expr) => { $f().await } } W(b()).await",
            ),
            (
                "with_lock!(a.b, { c().await })",
                "with_lock!(a.b, { use {{}, {}}; c().await })",
            ),
            (
                "with_lock!(a.b, {}).await",
                "with_lock!(a.b, { use {{}, {}}; }) M.await",
            ),
            (
                "async_monitor::with_lock!(a, {},)",
                "async_monitor::with_lock!(a, { use {{}, {}}; },)",
            ),
            ("with_lock!(mine)", "with_lock!(mine)"),
            (
                "select! { x = a().await => {} }",
                "select! { x = a().await => {} }",
            ),
        ] {
            assert_within(body, expected);
        }
    }

    #[test]
    fn arguments_of_macros_that_show_no_text_of_them_are_watched() {
        for (body, expected) in [
            (
                "assert_eq!(a().await, 3, \"{}\", b.await)",
                "assert_eq!(a() M.await, 3, \"{}\", b M.await)",
            ),
            (
                "std::format!(\"{x} {y}\", y = a.await)",
                "std::format!(\"{x} {y}\", y = a M.await)",
            ),
            ("vec![a.await; 3]", "vec![a M.await; 3]"),
            ("f(vec![a.await]).await", "f(vec![a M.await]) M.await"),
            (
                "matches!(a.await, B | C if d.await)",
                "matches!(a M.await, B | C if d M.await)",
            ),
            (
                "assert!(a.await, \"{}\", with_lock!(b, {}))",
                "assert!(a M.await, \"{}\", with_lock!(b, { use {{}, {}}; }))",
            ),
            ("assert!(a.await)", "assert!(a.await)"),
            (
                "debug_assert!(f(a.await, b),)",
                "debug_assert!(f(a.await, b),)",
            ),
            ("dbg!(a.await)", "dbg!(a.await)"),
            ("info!(?a.await)", "info!(?a.await)"),
        ] {
            assert_within(body, expected);
        }
    }

    /// In what is expected, `W` stands for what puts an operand within the section, and `M`
    /// for the method that does.
    #[track_caller]
    fn assert_within(body: &str, expected: &str) {
        let section = Local {
            name: Ident::new("s", Span::call_site()),
            is_lent: false,
        };
        let tokens = body.parse().expect("tokens");
        let mut uses = Uses::default();
        let watched = within(
            tokens,
            &section,
            Nesting::ByArgument,
            Place::Body,
            &mut uses,
        );
        let expected = expected.replace("W(", "(&s).__await_within(");
        let expected = expected.replace(" M", ".__within(&mut s)");
        let expected: TokenStream = expected.parse().expect("tokens");
        assert_eq!(watched.to_string(), expected.to_string());
    }
}
