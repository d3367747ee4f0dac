//! All locks of a section: how they are acquired together.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::acquisition::{Acquisition, Leave};
use super::site::Site;
use crate::gather::Gather;
use crate::names::hygienic;
use crate::section::model::Section;

/// Expands to statements that declare the guards, without a `timeout`.
pub(super) fn acquire(section: &Section, locks: &[Acquisition<'_>], site: Site<'_>) -> TokenStream {
    match locks {
        [one] => {
            let (span, private) = (one.span(), one.private());
            let waited = match section.options.when {
                Some(_) => site.awaited(&one.entering(section), span, &private),
                None => one.unwrapped(&one.wait_result(site), Leave::Return),
            };
            let name = &one.waited;
            let finish = finish(section, locks, &|lock| lock.waited.to_token_stream());
            // Two statements, so that the receiver of `__finish` is not kept across the await.
            quote_spanned!(span=> let #name = #waited; #finish)
        }
        several => {
            let in_order = wait_in_order(several, site, Leave::Return);
            let guards = finish(section, several, &|lock| {
                let (span, private, slot) =
                    (hygienic(Span::call_site()), lock.private(), &lock.slot);
                quote_spanned!(span=> #private::taken(#slot))
            });
            quote!(#in_order #guards)
        }
    }
}

/// Expands to *finish* for the results of *wait* in `__waited`:
///
/// ```text
/// let (mut __guard0, mut __guard1) = if __type0.__suspend_mode().__with(&__type1).__acquires_last() {
///     let (mut __waited0, mut __waited1) = (Some(__waited0), Some(__waited1));
///     let (mut __slot0, mut __slot1) = (None, None);
///     for __next in in_order([ids]) {
///         match __next {
///             0usize => __slot0 = Some(__type0.__finish::<0x1234>(taken(__waited0.take()))),
///             _ => __slot1 = Some(..),
///         }
///     }
///     (taken(__slot0), taken(__slot1))
/// } else {
///     (__type0.__finish::<0x1234>(__waited0), ..)
/// };
/// ```
///
/// It acquires the sync locks, after all async locks and in the order of their ids, and has no
/// `.await`.
pub(super) fn finish(
    section: &Section,
    locks: &[Acquisition<'_>],
    waited_of: &dyn Fn(&Acquisition<'_>) -> TokenStream,
) -> TokenStream {
    let span = hygienic(Span::call_site());
    let private = section.options.krate.private_at(span);
    let guards = locks.iter().map(|lock| &lock.guard);
    if let [one] = locks {
        let waited = waited_of(one);
        return one.let_guard_listed(&match section.options.when {
            Some(_) => waited,
            None => one.finish_unwatched(&waited),
        });
    }
    let waited: Vec<_> = locks.iter().map(|lock| &lock.waited).gather();
    let slots: Vec<_> = locks.iter().map(|lock| &lock.slot).gather();
    let nones = locks.iter().map(|_| quote!(::core::option::Option::None));
    let ids = locks.iter().map(Acquisition::named_id);
    let arms = locks.iter().enumerate().map(|(index, lock)| {
        let (pattern, waited, slot) = (pattern(index, locks), &lock.waited, &lock.slot);
        let taken = quote_spanned!(span=> #private::taken(#waited.take()));
        let finished = lock.finish_listed(&lock.finish_unwatched(&taken));
        quote!(#pattern => #slot = ::core::option::Option::Some(#finished),)
    });
    let sources = locks.iter().map(waited_of);
    let at_once = locks
        .iter()
        .map(|lock| lock.finish_listed(&lock.finish_unwatched(&waited_of(lock))));
    let suspend_mode = suspend_mode(locks);
    let next = Ident::new("__next", span);
    quote_spanned! {span=>
        let (#(mut #guards,)*) = if #suspend_mode.__acquires_last() {
            #(let mut #waited = ::core::option::Option::Some(#sources);)*
            let (#(mut #slots,)*) = (#(#nones,)*);
            for #next in #private::in_order([#(#ids,)*]) {
                match #next {
                    #(#arms)*
                }
            }
            (#(#private::taken(#slots),)*)
        } else {
            (#(#at_once,)*)
        };
    }
}

/// Expands to `__type0.__suspend_mode().__with(&__type1)`: the combined mode of the locks, which
/// says whether the section may suspend.
pub(super) fn suspend_mode(locks: &[Acquisition<'_>]) -> TokenStream {
    let mut mode = TokenStream::new();
    for (index, lock) in locks.iter().enumerate() {
        let (span, entry_type) = (hygienic(Span::call_site()), &lock.entry_type);
        mode.extend(match index {
            0 => quote_spanned!(span=> #entry_type.__suspend_mode()),
            _ => quote_spanned!(span=> .__with(&#entry_type)),
        });
    }
    mode
}

/// The match pattern for the lock with this index.
fn pattern(index: usize, locks: &[Acquisition<'_>]) -> TokenStream {
    if index + 1 == locks.len() {
        quote!(_)
    } else {
        Literal::usize_suffixed(index).into_token_stream()
    }
}

/// Expands to:
///
/// ```text
/// let (mut __slot0, mut __slot1) = (None, None);
/// for __next in in_order([(id of __lock0, "from.ledger"), (id of __lock1, "to.ledger")]) {
///     match __next {
///         0usize => __slot0 = Some(..),
///         _ => __slot1 = Some(..),
///     }
/// }
/// ```
/// This is *wait*, in the order of the ids.
pub(super) fn wait_in_order(
    locks: &[Acquisition<'_>],
    site: Site<'_>,
    leave: Leave,
) -> TokenStream {
    let slots: Vec<_> = locks.iter().map(|lock| &lock.slot).gather();
    let nones = locks.iter().map(|_| quote!(::core::option::Option::None));
    let ids = locks.iter().map(Acquisition::named_id);
    let arms = locks.iter().enumerate().map(|(index, lock)| {
        let pattern = pattern(index, locks);
        let (slot, waited) = (&lock.slot, lock.unwrapped(&lock.wait_result(site), leave));
        quote!(#pattern => #slot = ::core::option::Option::Some(#waited),)
    });
    let span = hygienic(Span::call_site());
    let private = locks.first().map(|lock| lock.krate.private_at(span));
    let next = Ident::new("__next", span);
    quote_spanned! {span=>
        let (#(mut #slots,)*) = (#(#nones,)*);
        for #next in #private::in_order([#(#ids,)*]) {
            match #next {
                #(#arms)*
            }
        }
    }
}
