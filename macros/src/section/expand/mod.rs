//! A section: the statements that acquire its locks, around those of the user.
//! Nothing here can fail.
//!
//! | file | what |
//! |---|---|
//! | `function`, `block` | `#[synchronized]` and `with_lock!`, which call the rest |
//! | `acquisition` | one lock: its locals, how it is acquired and bound |
//! | `several` | the locks of a section together |
//! | `bounds` | the bounds on the types of the locks |
//! | `timeout` | acquisition with a timeout |
//! | `atomic` | the snapshot, and the rollback |
//! | `unresolved` | the bindings if the locks are not known |
//! | `lease` | the body, for locks that can be lost |
//! | `site` | the differences between a fn and a block |
//! | `watching`, `within`, `operand`, `inside` | the code by which the runtime watches a section |

mod acquisition;
mod atomic;
mod block;
mod bounds;
mod function;
mod inside;
mod lease;
mod operand;
mod several;
mod site;
mod timeout;
mod unresolved;
mod watching;
mod within;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};

use self::acquisition::Acquisition;
pub(crate) use self::atomic::Rollback;
pub(super) use self::block::{expand as block, expand_unresolved as unresolved_block};
pub(super) use self::function::{expand as function, expand_unresolved as unresolved_function};
use self::inside::Inside;
use self::site::{Site, braced_as_written, in_scope};
use self::within::Uses;
use super::control_flow;
use super::model::Section;
use crate::gather::Gather;
use crate::names::hygienic;

/// Expands to, for one lock:
///
/// ```text
/// let (__type, __lock) = {
///     // finds out the type of `self`, and then
///     let __found = probe::<_, 0x1234>(__base, __branch).__select(&self.ledger).__resolve();
///     // borrows what it needs, and then
///     let __entry = entry(__found, __object, __branch);
///     (entry_type(&__entry), __entry.__lock())
/// };
/// // what `bounds` expands to
/// // what `watching` expands to
/// let __waited = infallible('__at_once: {
///     if !__section.__enters_listed(acquires_last) {
///         if let Some(__waited) = Enter::<0x1234>::at_once(__lock, &__SITE) {
///             break '__at_once Ok(__waited);
///         }
///     }
///     // describes the section, and then
///     __section.__entering(0, acquires_last, Enter::<0x1234>::wait(__lock)).await
/// });
/// let __asking = unsafe { __section.__finish(0, acquires_last) };
/// let mut __guard = __type.__finish::<0x1234>(__waited);
/// __asking.__acquired();
/// let mut __view = __type.__view(&mut __guard);
/// let ledger = __view.__bind();
/// let _ = &ledger;
/// // `statements`, see `in_scope`
/// ```
///
/// The names belong to the macro, so that the statements have no access to the
/// guard. Real names end in the lock's index (`__type0`).
fn section(section: &Section, site: Site<'_>, statements: TokenStream) -> TokenStream {
    let listed = inside::inside(section, site, &statements);
    let mut locks: Vec<_> = section
        .locks
        .iter()
        .enumerate()
        .map(|(index, lock)| Acquisition::new(index, lock, section, &listed))
        .gather();
    let resolved: TokenStream = locks.iter().map(Acquisition::resolve).gather();
    let snapshots = atomic::snapshots(section, &locks);
    let outcome = control_flow::outcome(&statements);
    let bounds = bounds::bounds(section, &locks, site, &statements);
    let (rest, uses) = after_guards(section, &locks, site, &listed, statements);
    let mut watched = watching::declare(section, &locks, site, uses);
    let describe = watching::describe(section, &locks);
    if watching::is_described_late(section, site, uses) {
        watched.extend(watching::describe_late(&mut locks, &describe, &listed));
    } else {
        watched.extend(describe);
    }
    let written = watching::written_condition(section);
    let entered = match &section.options.timeout {
        Some(timeout) if matches!(site, Site::Block { .. }) => {
            // It expands to one expression, so the constant has to come first.
            watched.extend(written);
            timeout::expand(section, timeout, &locks, site, &snapshots, rest, outcome)
        }
        Some(timeout) => {
            let rest = quote!(#written #rest);
            timeout::expand(section, timeout, &locks, site, &snapshots, rest, outcome)
        }
        None => {
            let guards = several::acquire(section, &locks, site);
            quote!(#snapshots #guards #written #rest)
        }
    };
    quote!(#resolved #bounds #watched #entered)
}

/// The code after the guards, and how it refers to the section.
fn after_guards(
    section: &Section,
    locks: &[Acquisition<'_>],
    site: Site<'_>,
    listed: &Inside,
    statements: TokenStream,
) -> (TokenStream, Uses) {
    let leases = lease::declare(section, locks);
    let rollbacks = atomic::rollbacks(section, locks);
    let bind: TokenStream = locks.iter().map(|lock| lock.bind(section)).gather();
    let (watched, statements, uses) =
        watching::statements(section, locks, site, listed, statements);
    let body = if lease::can_be_lost(section) {
        lease::body(section, locks, site, statements)
    } else {
        body(section, site, statements)
    };
    (quote!(#watched #leases #rollbacks #bind #body), uses)
}

/// The user's statements, under the options that apply to them.
fn body(section: &Section, site: Site<'_>, statements: TokenStream) -> TokenStream {
    if let Some(body) = body_without_await(section, site, &statements) {
        return body;
    }
    match atomic::rollback(section) {
        Some(rollback) => atomic::body(section, &rollback, site, statements),
        None => match site {
            Site::Fn { braces, .. } => in_scope(TokenStream::new(), statements, braces),
            Site::Block { .. } => statements,
        },
    }
}

/// Under `no_await`, in a fn, the statements expand to:
///
/// ```text
/// ::async_monitor::__private::without_await::<i64>(|| {
///     *ledger.balance += amount;
///     *ledger.balance
/// })
/// ```
///
/// so that the compiler finds an `.await` that a macro hides. Visible ones have
/// been reported already, and are not reported again.
fn body_without_await(
    section: &Section,
    site: Site<'_>,
    statements: &TokenStream,
) -> Option<TokenStream> {
    let options = &section.options;
    let no_await = options.no_await.as_ref()?;
    let Site::Fn { output, braces, .. } = site else {
        return None;
    };
    if !control_flow::find_suspensions(statements).is_empty() {
        return None;
    }
    let span = hygienic(no_await.span());
    let private = options.krate.private_at(span);
    let output = output.map_or_else(|| quote!(_), ToTokens::to_token_stream);
    let statements = braced_as_written(statements.clone(), braces);
    let value = quote_spanned!(span=> #private::without_await::<#output>(|| #statements));
    Some(match atomic::rollback(section) {
        Some(rollback) => rollback.commit(&value),
        None => value,
    })
}
