//! A section with a timeout on the wait to enter.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::acquisition::{Acquisition, Leave};
use super::several::{finish, wait_in_order};
use super::site::{Site, Wait, allow_unreachable, braced, never_ends};
use super::watching;
use crate::gather::Gather;
use crate::names::hygienic;
use crate::section::control_flow::Outcome;
use crate::section::model::{Section, Timeout};

/// Expands to, in a fn:
///
/// ```text
/// let __limit: ::core::time::Duration = DURATION;
/// let (__waited,) = match timeout(__limit, Enter::<0x1234>::wait(..)).await {
///     Ok(__acquired) => (infallible(__acquired),),
///     Err(__elapsed) => {
///         __section.__timed_out();
///         return FromElapsed::from_elapsed(__elapsed);
///     }
/// };
/// let mut __guard = __type.__finish::<0x1234>(__waited);
/// // `rest`
/// ```
///
/// (The limit is a statement of its own, so that temporaries of the expression end
/// there: in the `match`, they would be kept for the body.) A block cannot be left by
/// a `return` of ours: there, the rest is in the first arm, inside of an `Ok`, and
/// the second arm is `Err(__elapsed)`. `end` says how the rest ends: if it never does, the `Ok`
/// would be unreachable.
pub(super) fn expand(
    section: &Section,
    timeout: &Timeout,
    locks: &[Acquisition<'_>],
    site: Site<'_>,
    snapshots: &TokenStream,
    rest: TokenStream,
    outcome: Outcome,
) -> TokenStream {
    let krate = &section.options.krate;
    let span = hygienic(timeout.name.span());
    let private = krate.private_at(span);
    let (acquired, elapsed) = (
        Ident::new("__acquired", span),
        Ident::new("__elapsed", span),
    );
    let (entering, unwrapped) = enter(section, locks, &acquired);
    let section_local = watching::section_local(span);
    let timed_out = quote_spanned!(span=> (&#section_local).__timed_out(););
    let value = &timeout.limit;
    let limit = Ident::new("__limit", span);
    let declared = quote_spanned!(span=> let #limit: ::core::time::Duration = #value;);
    let result = match site.wait() {
        Wait::Await => quote_spanned!(span=> #private::timeout(#limit, #entering).await),
        Wait::Park => quote_spanned!(span=> #private::block_on_for(#limit, #entering)),
    };
    let waited: Vec<_> = locks.iter().map(|lock| &lock.waited).gather();
    let finished = finish(section, locks, &|lock| lock.waited.to_token_stream());
    let (ok, err) = (
        quote_spanned!(span=> ::core::result::Result::Ok),
        quote_spanned!(span=> ::core::result::Result::Err),
    );
    match site {
        Site::Fn { .. } => quote_spanned! {span=>
            #declared
            #snapshots
            let (#(#waited,)*) = match #result {
                #ok(#acquired) => #unwrapped,
                #err(#elapsed) => {
                    #timed_out
                    return #private::FromElapsed::from_elapsed(#elapsed);
                }
            };
            #finished
            #rest
        },
        Site::Block { .. } => {
            let rest = braced(rest, span);
            let allow = allow_unreachable(outcome, span);
            let (value, late) = if outcome == Outcome::Never {
                (
                    never_ends(&rest, span),
                    quote_spanned!(span=> #private::late(#elapsed, || ::core::unreachable!())),
                )
            } else {
                (
                    quote_spanned!(span=> #allow #ok(#rest)),
                    quote_spanned!(span=> #err::<_, #krate::Elapsed>(#elapsed)),
                )
            };
            quote_spanned! {span=>
                #declared
                match #result {
                    #ok(#acquired) => {
                        #snapshots
                        let (#(#waited,)*) = #unwrapped;
                        #finished
                        #value
                    }
                    #err(#elapsed) => {
                        #timed_out
                        #late
                    }
                }
            }
        }
    }
}

/// Expands to the future that waits for all locks, and to the tuple of the results of *wait*,
/// made from its value `__acquired`. For several locks, the future is:
///
/// ```text
/// async {
///     // what `wait_in_order` expands to
///     Ok::<_, Infallible>((taken(__slot0), taken(__slot1)))
/// }
/// ```
fn enter(
    section: &Section,
    locks: &[Acquisition<'_>],
    acquired: &Ident,
) -> (TokenStream, TokenStream) {
    let span = hygienic(Span::call_site());
    let private = section.options.krate.private_at(span);
    if let [one] = locks {
        let unwrapped = match section.options.when {
            Some(_) => acquired.to_token_stream(),
            None => one.unwrapped(&acquired.to_token_stream(), Leave::Return),
        };
        return (one.entering(section), quote!((#unwrapped,)));
    }
    let site = Site::Block { wait: Wait::Await };
    let in_order = wait_in_order(locks, site, Leave::Err);
    let slots = locks.iter().map(|lock| &lock.slot);
    // Without a `?`, the type of an error would be unknown.
    let can_fail = locks.iter().any(|lock| lock.model.question.is_some());
    let error = if can_fail {
        quote!(_)
    } else {
        quote!(::core::convert::Infallible)
    };
    let future = quote_spanned! {span=>
        async {
            #in_order
            ::core::result::Result::Ok::<_, #error>((#(#private::taken(#slots),)*))
        }
    };
    let unwrapped = if can_fail {
        quote_spanned! {span=>
            match #acquired {
                ::core::result::Result::Ok(__guards) => __guards,
                ::core::result::Result::Err(__returned) => return __returned,
            }
        }
    } else {
        quote_spanned!(span=> #private::infallible(#acquired))
    };
    (future, unwrapped)
}
