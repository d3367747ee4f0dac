//! What a section that is `atomic` does besides: keep a copy of what its locks
//! guard, and put it back unless the body succeeds.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::expand::{Acquisition, Site, Wait, braced};
use super::model::Section;
use crate::gather::Gather;
use crate::names::{has_ident, own};

/// Expands to, in front of the guards:
///
/// ```text
/// let mut __saved = None;
/// let __armed = ::async_monitor::__private::Armed::new();
/// ```
///
/// What is declared first is dropped last: with no lock held.
pub(super) fn storage(section: &Section, locks: &[Acquisition<'_>]) -> TokenStream {
    let Some(atomic) = &section.options.atomic else {
        return TokenStream::new();
    };
    let span = own(atomic.span());
    let private = section.options.krate.private_at(span);
    let armed = armed(atomic);
    let undone = locks.iter().filter(|lock| lock.is_undone(section));
    let saved = undone.map(|lock| &lock.saved);
    quote_spanned! {span=>
        #(let mut #saved = ::core::option::Option::None;)*
        let #armed = #private::Armed::new();
    }
}

/// Expands to, behind the guards and in front of the views:
///
/// ```text
/// let mut __restorable = __kind.__restorable(&mut __guard);
/// let mut __undo = __restorable.__undo(&mut __saved, &__armed);
/// ```
///
/// for each lock: when the section is left, all is put back before any lock is
/// released.
pub(super) fn undo(section: &Section, locks: &[Acquisition<'_>]) -> TokenStream {
    let Some(atomic) = &section.options.atomic else {
        return TokenStream::new();
    };
    let armed = armed(atomic);
    let undone = locks.iter().filter(|lock| lock.is_undone(section));
    let code = undone.map(|lock| {
        let Acquisition {
            kind,
            guard,
            saved,
            restorable,
            undo,
            ..
        } = lock;
        let span = lock.span();
        quote_spanned! {span=>
            let mut #restorable = #kind.__restorable(&mut #guard);
            let mut #undo = #restorable.__undo(&mut #saved, &#armed);
        }
    });
    code.gather()
}

/// Expands to, in a fn:
///
/// ```text
/// let __outcome: Result<i64, Overdraft> = async {
///     let ledger = ledger;
///     let _ = &ledger;
///     if let Some(__return) = None::<Result<i64, Overdraft>> {
///         return __return;
///     }
///     // the user's statements
/// }
/// .await;
/// settled(__outcome, &__armed, |__outcome| verdict(__outcome).__has_failed())
/// ```
///
/// so that a `return` and a `?` end there. The `if` never does: it tells the type
/// of the block, which could not be written. The binding is moved: were it borrowed
/// where the statements only read, `Send` would take data that is `Sync`. In a block, where they are left to
/// mean what they mean outside, the statements are the argument of `settled`: by
/// its signature, they are expected to have the type that the block is.
pub(super) fn body(
    section: &Section,
    atomic: &Ident,
    site: Site<'_>,
    statements: TokenStream,
) -> TokenStream {
    let span = own(atomic.span());
    let Site::Fn { wait, output } = site else {
        let settled = settled(section, atomic, &braced(statements, span));
        return settled;
    };
    if wait == Wait::Block {
        return settled(section, atomic, &braced(statements, span));
    }
    let typed = output.map(|output| {
        quote_spanned! {span=>
            if let ::core::option::Option::Some(__return) =
                ::core::option::Option::None::<#output>
            {
                return __return;
            }
        }
    });
    let colon = output.map(|output| quote_spanned!(span=> : #output));
    let moved = section.locks.iter().map(|lock| {
        let binding = &lock.binding;
        quote_spanned!(span=> let #binding = #binding; let _ = &#binding;)
    });
    let block = braced(quote!(#(#moved)* #typed #statements), span);
    let settled = settled(section, atomic, &quote_spanned!(span=> __outcome));
    quote_spanned! {span=>
        let __outcome #colon = async #block.await;
        #settled
    }
}

/// `settled(value, ..)`: the value of the section, which decides whether it is
/// undone.
pub(super) fn settled(section: &Section, atomic: &Ident, value: &impl ToTokens) -> TokenStream {
    let span = own(atomic.span());
    let private = section.options.krate.private_at(span);
    let armed = armed(atomic);
    quote_spanned! {span=>
        #private::settled(#value, &#armed, |__outcome| {
            #private::verdict(__outcome).__has_failed()
        })
    }
}

/// Whether something can be seen in the statements that often does not return.
fn may_diverge(statements: &TokenStream) -> bool {
    const NAMES: [&str; 8] = [
        "panic",
        "unreachable",
        "todo",
        "unimplemented",
        "loop",
        "exit",
        "abort",
        "resume_unwind",
    ];
    NAMES.iter().any(|name| has_ident(statements, name))
}

fn armed(atomic: &Ident) -> Ident {
    Ident::new("__armed", own(atomic.span()))
}
