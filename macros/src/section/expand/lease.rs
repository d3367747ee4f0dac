//! A section of locks that can be lost: those that are written with a `?`.
//!
//! Its body is a future of its own, which is dropped if a lock is lost while the body waits. A body
//! that does not suspend cannot be dropped, and is followed by a last check.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::acquisition::{Acquisition, Leave};
use super::atomic;
use super::site::{Site, Wait, allow_unreachable, braced, never_ends};
use crate::gather::Gather;
use crate::names::hygienic;
use crate::section::control_flow::{self, Outcome};
use crate::section::model::Section;

/// Whether a lock can be lost. A lock at which the section waits for a condition cannot.
pub(super) fn can_be_lost(section: &Section) -> bool {
    let mut locks = section.locks.iter();
    section.options.when.is_none() && locks.any(|lock| lock.question.is_some())
}

fn losable<'l, 's>(
    section: &'l Section,
    locks: &'l [Acquisition<'s>],
) -> impl DoubleEndedIterator<Item = &'l Acquisition<'s>> {
    let can_be_lost = can_be_lost(section);
    let locks = locks.iter();
    locks.filter(move |lock| can_be_lost && lock.model.question.is_some())
}

/// Expands to, behind the guards:
///
/// ```text
/// let mut __lease = {
///     let __lease = __type.__lease::<0x1234>(&__guard);
///     leases(&__lease).__held(__lease)
/// };
/// ```
pub(super) fn declare(section: &Section, locks: &[Acquisition<'_>]) -> TokenStream {
    let declared = losable(section, locks).map(|lock| {
        let (span, private, lease) = (lock.span(), lock.private(), &lock.lease);
        let of_guard = lock.lease_of_guard();
        quote_spanned! {span=>
            let mut #lease = {
                let __lease = #of_guard;
                #private::leases(&__lease).__held(__lease)
            };
        }
    });
    declared.gather()
}

/// Expands to, in a fn, with `return` if the lock is lost:
///
/// ```text
/// let __value: Result<i64, LockError> = {
///     let __acquired = __lease.__while_held(async { /* as for `atomic` */ }).await;
///     // what `Acquisition::unwrapped` expands to
/// };
/// __value
/// ```
///
/// or, if the body does not suspend:
///
/// ```text
/// let __value: Result<i64, LockError> = without_await::<..>(|| { /* the statements */ });
/// { let __acquired = __lease.__vouched(); /* the same */ };
/// __value
/// ```
///
/// A block is the same, without the types. If it awaits, and is left before its end, it expands as
/// without a lease, and the bound of `__lease.__is_left()` checks whether that is allowed.
pub(super) fn body(
    section: &Section,
    locks: &[Acquisition<'_>],
    site: Site<'_>,
    statements: TokenStream,
) -> TokenStream {
    let rollback = atomic::rollback(section);
    let span = hygienic(Span::call_site());
    let private = section.options.krate.private_at(span);
    let commits = |value: TokenStream| match &rollback {
        Some(rollback) => rollback.commit(&value),
        None => value,
    };
    let value = quote_spanned!(span=> __value);
    let suspends = site.wait() == Wait::Await
        && section.options.no_await.is_none()
        && control_flow::may_suspend(&statements, false);
    match site {
        Site::Fn { output, braces, .. } => {
            let colon = output.map(|output| quote_spanned!(span=> : #output));
            let (run, checked) = if suspends {
                let body = atomic::as_future(section, span, output, statements, braces);
                (within(section, locks, body), TokenStream::new())
            } else {
                let run = atomic::as_closure(&private, span, output, statements, braces);
                (run, vouched(section, locks))
            };
            let committed = commits(value);
            quote_spanned! {span=>
                let __value #colon = #run;
                #checked
                #committed
            }
        }
        Site::Block { .. } => {
            let outcome = control_flow::outcome(&statements);
            let exits = control_flow::find_all_exits(&statements);
            if suspends && exits.is_empty() && outcome != Outcome::Never {
                let moved = atomic::moved(section, span);
                let inside = braced(quote!(#moved #statements), span);
                let run = within(section, locks, quote_spanned!(span=> async #inside));
                let committed = commits(value);
                return quote_spanned!(span=> let __value = #run; #committed);
            }
            let mut bounds = TokenStream::new();
            if suspends {
                for lock in losable(section, locks) {
                    let lease = &lock.lease;
                    bounds.extend(exits.iter().enumerate().map(|(number, exit)| {
                        let (at, number) = (hygienic(*exit), Literal::usize_suffixed(number));
                        quote_spanned!(at=> #lease.__is_left::<#number>();)
                    }));
                }
            }
            // No statement follows that would be unreachable.
            if control_flow::ends_by_leaving(&statements) {
                let statements = braced(statements, span).into_token_stream();
                return quote!(#bounds #statements);
            }
            let statements = braced(statements, span);
            if outcome == Outcome::Never {
                let never = braced(never_ends(&statements, span), span).into_token_stream();
                return quote!(#bounds #never);
            }
            let checked = vouched(section, locks);
            let committed = commits(value);
            let allow = allow_unreachable(outcome, span);
            let allow_check = &allow;
            quote_spanned! {span=>
                #bounds
                #allow_check
                let __value = #statements;
                #checked
                #committed
            }
        }
    }
}

/// The value of the body, or a return.
fn within(section: &Section, locks: &[Acquisition<'_>], body: TokenStream) -> TokenStream {
    let mut future = body;
    for lock in losable(section, locks) {
        let lease = &lock.lease;
        future = quote_spanned!(lock.span()=> #lease.__while_held(#future));
    }
    let mut value = quote_spanned!(hygienic(Span::call_site())=> #future.await);
    for lock in losable(section, locks).rev() {
        value = lock.unwrapped(&value, Leave::Return);
    }
    value
}

/// A return, if a lock is lost by now.
fn vouched(section: &Section, locks: &[Acquisition<'_>]) -> TokenStream {
    let checks = losable(section, locks).map(|lock| {
        let lease = &lock.lease;
        let held = quote_spanned!(lock.span()=> #lease.__vouched());
        let unwrapped = lock.unwrapped(&held, Leave::Return);
        quote_spanned!(lock.span()=> #unwrapped;)
    });
    checks.gather()
}
