//! An `atomic` section keeps a snapshot of the data of its locks, and rolls
//! back to it unless the body commits.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::acquisition::{Acquisition, used};
use super::site::{Site, Wait, allow_unreachable, braced, braced_as_written, in_scope, never_ends};
use crate::gather::Gather;
use crate::names::{Krate, hygienic};
use crate::section::control_flow::{self, Outcome};
use crate::section::model::Section;

/// The common code of a rollback: of sections, and of the held forms of
/// `#[monitor]`.
pub(crate) struct Rollback {
    /// The place of the compiler's messages: the option.
    pub(crate) span: Span,
    pub(crate) private: TokenStream,
    /// Whether the body has committed.
    pub(crate) committed: Ident,
}

impl Rollback {
    pub(crate) fn new(atomic: &Ident, krate: &Krate) -> Self {
        let span = hygienic(atomic.span());
        Rollback {
            span,
            private: krate.private_at(span),
            committed: Ident::new("__committed", span),
        }
    }

    /// Expands to:
    ///
    /// ```text
    /// let mut __snapshot = None;
    /// let __committed = ::async_monitor::__private::Committed::new();
    /// ```
    ///
    /// Comes before the guards. Locals are dropped in reverse order, so the snapshots are
    /// dropped with no lock held.
    pub(crate) fn snapshots<'i>(&self, snapshots: impl Iterator<Item = &'i Ident>) -> TokenStream {
        let Rollback {
            span,
            private,
            committed,
        } = self;
        quote_spanned! {*span=>
            #(let mut #snapshots = ::core::option::Option::None;)*
            let #committed = #private::Committed::new();
        }
    }

    /// Expands to:
    ///
    /// ```text
    /// commit(value, &__committed, |__value| outcome(__value).__is_success())
    /// ```
    ///
    /// which is the value of the section, and decides whether the section is rolled back.
    pub(crate) fn commit(&self, value: &impl ToTokens) -> TokenStream {
        let Rollback {
            span,
            private,
            committed,
        } = self;
        quote_spanned! {*span=>
            #private::commit(#value, &#committed, |__value| {
                #private::outcome(__value).__is_success()
            })
        }
    }
}

/// The rollback of the section, if it is `atomic`.
pub(super) fn rollback(section: &Section) -> Option<Rollback> {
    let atomic = section.options.atomic.as_ref()?;
    Some(Rollback::new(atomic, &section.options.krate))
}

/// Expands to the statements before the guards.
pub(super) fn snapshots(section: &Section, locks: &[Acquisition<'_>]) -> TokenStream {
    let Some(rollback) = rollback(section) else {
        return TokenStream::new();
    };
    let written = locks.iter().filter(|lock| lock.is_rolled_back(section));
    rollback.snapshots(written.map(|lock| &lock.snapshot))
}

/// Expands to, behind the guards and in front of the views:
///
/// ```text
/// let mut __restorable = __type.__restorable(&mut __guard);
/// let mut __rollback = __restorable.__rollback(&mut __snapshot, &__committed);
/// ```
///
/// for each lock: when the section is left, all data is restored before any lock is
/// released.
pub(super) fn rollbacks(section: &Section, locks: &[Acquisition<'_>]) -> TokenStream {
    let Some(Rollback { committed, .. }) = rollback(section) else {
        return TokenStream::new();
    };
    let written = locks.iter().filter(|lock| lock.is_rolled_back(section));
    let code = written.map(|lock| {
        let Acquisition {
            entry_type,
            guard,
            snapshot,
            restorable,
            rollback,
            ..
        } = lock;
        let span = lock.span();
        quote_spanned! {span=>
            let mut #restorable = #entry_type.__restorable(&mut #guard);
            let mut #rollback = #restorable.__rollback(&mut #snapshot, &#committed);
        }
    });
    code.gather()
}

/// Expands to, in a fn:
///
/// ```text
/// let __value: Result<i64, Overdraft> = async {
///     {
///         let ledger = ledger;
///         let _ = &ledger;
///         if let Some(__return) = None::<Result<i64, Overdraft>> {
///             return __return;
///         }
///         { ; /* the user's statements */ }
///     }
/// }
/// .await;
/// commit(__value, &__committed, |__value| outcome(__value).__is_success())
/// ```
///
/// so that a `return` and a `?` end there; if the body cannot suspend, a closure does that.
/// The `if` never returns: it tells the compiler the type
/// of the block, which could not be written. The binding is moved: if statements that only
/// read borrowed it, `Send` would require data that is `Sync`. In `with_lock!`,
/// `return` and `?` keep their outer meaning, and the statements are the argument
/// of `commit`: by its signature, they are expected to have the type of the block.
/// If they never end, nothing commits, and the call would be unreachable.
pub(super) fn body(
    section: &Section,
    rollback: &Rollback,
    site: Site<'_>,
    statements: TokenStream,
) -> TokenStream {
    let span = rollback.span;
    let Site::Fn {
        wait,
        output,
        braces,
        ..
    } = site
    else {
        let outcome = control_flow::outcome(&statements);
        let statements = braced(statements, span);
        if outcome == Outcome::Never {
            return braced(never_ends(&statements, span), span).into_token_stream();
        }
        let committed = rollback.commit(&statements);
        let allow = allow_unreachable(outcome, span);
        return quote!(#allow #committed);
    };
    // Under a sync lock, the body must not be a future; under others, the outer future is
    // smaller without it.
    if wait == Wait::Park || !control_flow::may_suspend(&statements, false) {
        let run = as_closure(&rollback.private, span, output, statements, braces);
        return rollback.commit(&run);
    }
    let colon = output.map(|output| quote_spanned!(span=> : #output));
    let block = as_future(section, span, output, statements, braces);
    let committed = rollback.commit(&quote_spanned!(span=> __value));
    quote_spanned! {span=>
        let __value #colon = #block.await;
        #committed
    }
}

/// Expands to the value of statements that do not suspend, in which a `return` and a `?` end:
///
/// ```text
/// without_await::<Result<i64, Overdraft>>(|| { /* the user's statements */ })
/// ```
pub(super) fn as_closure(
    private: &TokenStream,
    span: Span,
    output: Option<&TokenStream>,
    statements: TokenStream,
    braces: Span,
) -> TokenStream {
    let output = output.map_or_else(|| quote!(_), ToTokens::to_token_stream);
    let statements = braced_as_written(statements, braces);
    quote_spanned!(span=> #private::without_await::<#output>(|| #statements))
}

/// Expands to the future of statements, in which a `return` and a `?` end: see [`body`].
pub(super) fn as_future(
    section: &Section,
    span: Span,
    output: Option<&TokenStream>,
    statements: TokenStream,
    braces: Span,
) -> TokenStream {
    let typed = output.map(|output| {
        quote_spanned! {span=>
            if let ::core::option::Option::Some(__return) =
                ::core::option::Option::None::<#output>
            {
                return __return;
            }
        }
    });
    let moved = moved(section, span);
    let scope = in_scope(quote!(#moved #typed), statements, braces);
    let block = braced_as_written(scope, braces);
    quote_spanned!(span=> async #block)
}

/// Expands to the bindings once more, which moves them into a future.
pub(super) fn moved(section: &Section, span: Span) -> TokenStream {
    let moved = section.locks.iter().map(|lock| {
        let (binding, used) = (&lock.binding, used(lock, span));
        quote_spanned!(span=> let #binding = #binding; #used)
    });
    moved.gather()
}
