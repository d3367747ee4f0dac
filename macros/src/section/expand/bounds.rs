//! The bounds on the types of the locks, at the user's tokens: see `suspend_mode` in the runtime
//! crate.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote_spanned;

use super::acquisition::Acquisition;
use super::several::suspend_mode;
use super::site::{Site, Wait};
use crate::gather::Gather;
use crate::names::hygienic;
use crate::section::control_flow::{self, AwaitedIn};
use crate::section::model::Section;

/// Expands to, in front of the acquisitions:
///
/// ```text
/// __type0.__suspend_mode().__parks();
/// __type0.__suspend_mode().__with(&__type1).__is_bounded();
/// __type0.__suspend_mode().__with(&__type1).__may_suspend::<0>();
/// ```
///
/// the first for each lock of a plain fn without `blocking` (with it, `__may_park`), the second for
/// a `timeout` without `when`, and the last one for each `.await`. All of them come before the body:
/// a block around an operand would end its temporaries.
pub(super) fn bounds(
    section: &Section,
    locks: &[Acquisition<'_>],
    site: Site<'_>,
    statements: &TokenStream,
) -> TokenStream {
    let options = &section.options;
    let suspend_mode = suspend_mode(locks);
    let require = |at: Span, bound: &str, number: Option<usize>| {
        let (span, bound) = (hygienic(at), Ident::new(bound, hygienic(at)));
        let (suspend_mode, number) = (&suspend_mode, number.map(Literal::usize_suffixed));
        let number = number.map(|number| quote_spanned!(span=> ::<#number>));
        quote_spanned!(span=> #suspend_mode.#bound #number ();)
    };
    let mut bounds = TokenStream::new();
    if site.wait() == Wait::Park {
        let bound = match options.blocking {
            None => "__parks",
            Some(_) => "__may_park",
        };
        bounds.extend(locks.iter().map(|lock| {
            let (span, entry_type) = (lock.span(), &lock.entry_type);
            let bound = Ident::new(bound, span);
            quote_spanned!(span=> #entry_type.__suspend_mode().#bound();)
        }));
    }
    if let Some(timeout) = options.timeout.as_ref().filter(|_| options.when.is_none()) {
        bounds.extend(require(timeout.name.span(), "__is_bounded", None));
    }
    if site.wait() == Wait::Await {
        let awaits = control_flow::find_all_awaits(statements);
        let required = awaits.iter().enumerate().map(|(index, (at, awaited_in))| {
            let bound = match awaited_in {
                AwaitedIn::Body => "__may_suspend",
                AwaitedIn::NestedSection => "__may_nest",
            };
            require(*at, bound, Some(index))
        });
        bounds.extend(required.gather::<Vec<_>>());
    }
    bounds
}
