//! The code by which the runtime watches a section: the description of the section, and when it
//! runs. In builds that do not watch, all of it is zero-sized types and empty calls.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote_spanned;

use super::acquisition::Acquisition;
use super::inside::{Inside, Statement, Step};
use super::several;
use super::site::{Site, Wait};
use super::within::{Local, Nesting, Place, Uses, within};
use crate::names::{hygienic, spaced, unsafe_};
use crate::section::model::Section;

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
    let mode = several::suspend_mode(locks);
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
