//! The statements that acquire the locks of a section.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::model::{Lock, Place, Section};
use super::parse::Mode;
use crate::names::{Krate, key, own, plain};

/// How to wait for a lock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Await,
    /// Where there is an error already, because the fn is not async: everything
    /// else should still have its type.
    Block,
}

/// Expands to, for one lock:
///
/// ```text
/// let __base = &self;
/// let __entry = probe::<_, 0x1234>(__base).__select(&__base.ledger).__settle();
/// let mut __guard = granted(Enter::<0x1234>::acquire(__entry.__entered()).await);
/// let mut __view = __entry.__view(&mut __guard);
/// let ledger = __view.__bind();
/// let _ = &ledger;
/// ```
///
/// The names belong to the macro, so that the body can do nothing to the guard.
pub(super) fn prologue(section: &Section, wait: Wait) -> TokenStream {
    let krate = &section.options.krate;
    let locks: Vec<_> = section
        .locks
        .iter()
        .enumerate()
        .map(|(index, lock)| Acquisition::new(index, lock, krate))
        .collect();
    let mut code: TokenStream = locks.iter().map(Acquisition::entry).collect();
    match locks.as_slice() {
        [one] => {
            let acquired = match &section.options.when {
                Some(when) => one.acquired_when(&when.condition, wait),
                None => one.acquired(wait),
            };
            let guard = &one.guard;
            code.extend(quote_spanned!(one.span()=> let mut #guard = #acquired;));
        }
        several => code.extend(acquire_in_order(several, wait, krate)),
    }
    code.extend(locks.iter().map(Acquisition::bind));
    code
}

/// Expands to:
///
/// ```text
/// let (mut __slot0, mut __slot1) = (None, None);
/// for __next in in_order([(id of __entry0, "from.ledger"), (id of __entry1, "to.ledger")]) {
///     match __next {
///         0usize => __slot0 = Some(..),
///         _ => __slot1 = Some(..),
///     }
/// }
/// let mut __guard0 = taken(__slot0);
/// let mut __guard1 = taken(__slot1);
/// ```
fn acquire_in_order(locks: &[Acquisition<'_>], wait: Wait, krate: &Krate) -> TokenStream {
    let slots: Vec<_> = locks.iter().map(|lock| &lock.slot).collect();
    let nones = locks.iter().map(|_| quote!(::core::option::Option::None));
    let ids = locks.iter().map(Acquisition::named_id);
    let arms = locks.iter().enumerate().map(|(index, lock)| {
        let pattern = if index + 1 == locks.len() {
            quote!(_)
        } else {
            Literal::usize_suffixed(index).into_token_stream()
        };
        let (slot, acquired) = (&lock.slot, lock.acquired(wait));
        quote!(#pattern => #slot = ::core::option::Option::Some(#acquired),)
    });
    let span = own(Span::call_site());
    let private = krate.private_at(span);
    let next = Ident::new("__next", span);
    let taken = locks.iter().map(|lock| {
        let Acquisition { slot, guard, .. } = lock;
        quote_spanned!(span=> let mut #guard = #private::taken(#slot);)
    });
    let taken: TokenStream = taken.collect();
    quote_spanned! {span=>
        let (#(mut #slots,)*) = (#(#nones,)*);
        for #next in #private::in_order([#(#ids,)*]) {
            match #next {
                #(#arms)*
            }
        }
        #taken
    }
}

/// A lock, and the names of the locals that it needs.
struct Acquisition<'s> {
    lock: &'s Lock,
    krate: &'s Krate,
    base: Ident,
    entry: Ident,
    slot: Ident,
    guard: Ident,
    view: Ident,
    key: Literal,
}

impl<'s> Acquisition<'s> {
    fn new(index: usize, lock: &'s Lock, krate: &'s Krate) -> Self {
        let span = own(lock.span());
        let local = |name: &str| format_ident!("__{name}{index}", span = span);
        let key = match (&lock.place, lock.mode) {
            (Place::Field { field, .. }, Mode::Exclusive) => key(&plain(field)),
            (Place::Field { field, .. }, Mode::Shared) => key(&format!("read:{}", plain(field))),
            // Only a field can be a lock that a derive knows.
            (Place::Value(_), _) => 0,
        };
        Acquisition {
            lock,
            krate,
            base: local("base"),
            entry: local("entry"),
            slot: local("slot"),
            guard: local("guard"),
            view: local("view"),
            key: Literal::u128_suffixed(key),
        }
    }

    /// Where messages of the compiler about the lock point to.
    fn span(&self) -> Span {
        own(self.lock.span())
    }

    /// `let __entry = ..;`: finds out what kind of lock it is.
    fn entry(&self) -> TokenStream {
        let (object, entry, key) = (&self.base, &self.entry, &self.key);
        let (span, private) = (self.span(), self.krate.private_at(self.span()));
        let settle = match self.lock.mode {
            Mode::Exclusive => quote_spanned!(span=> __settle),
            Mode::Shared => quote_spanned!(span=> __settle_shared),
        };
        match &self.lock.place {
            Place::Field { base, field, .. } => quote_spanned! {span=>
                let #object = &#base;
                let #entry = #private::probe::<_, #key>(#object)
                    .__select(&#object.#field)
                    .#settle();
            },
            Place::Value(value) => quote_spanned! {span=>
                let #object = &#value;
                let #entry = #private::value(#object).#settle();
            },
        }
    }

    /// `Enter::<0x1234>`: the trait by which the section is entered.
    fn enter(&self) -> TokenStream {
        let (span, private, key) = (self.span(), self.krate.private_at(self.span()), &self.key);
        match self.lock.mode {
            Mode::Exclusive => quote_spanned!(span=> #private::Enter::<#key>),
            Mode::Shared => quote_spanned!(span=> #private::EnterShared::<#key>),
        }
    }

    /// `granted(Enter::acquire(..).await)`, or where there is a `?`:
    ///
    /// ```text
    /// {
    ///     let __acquired = Enter::acquire(..).await;
    ///     match failure(&__acquired).__settle(__acquired) {
    ///         Ok(__guard) => __guard,
    ///         Err(__returned) => return __returned,
    ///     }
    /// }
    /// ```
    ///
    /// which is not a `?` so that it can stand in any fn where nothing can fail.
    fn acquired(&self, wait: Wait) -> TokenStream {
        let (span, private) = (self.span(), self.krate.private_at(self.span()));
        let (enter, entry) = (self.enter(), &self.entry);
        let future = quote_spanned!(span=> #enter::acquire(#entry.__entered()));
        let result = match wait {
            Wait::Await => quote_spanned!(span=> #future.await),
            Wait::Block => quote_spanned!(span=> #private::block_on(#future)),
        };
        let Some(question) = self.lock.question else {
            return quote_spanned!(span=> #private::granted(#result));
        };
        let at_question = own(question.span);
        let private = self.krate.private_at(at_question);
        let settle = quote_spanned!(at_question=> #private::failure(&__acquired).__settle);
        quote_spanned! {span=>
            {
                let __acquired = #result;
                match #settle(__acquired) {
                    ::core::result::Result::Ok(__guard) => __guard,
                    ::core::result::Result::Err(__returned) => return __returned,
                }
            }
        }
    }

    /// Expands to:
    ///
    /// ```text
    /// enter_when::<_, 0x1234, _>(__entry.__entered(), |__guard| {
    ///     let mut __view = __entry.__view(__guard);
    ///     let ledger = &*__view.__bind();
    ///     *ledger.balance >= amount
    /// })
    /// .await
    /// ```
    ///
    /// The condition sees the binding by shared reference.
    fn acquired_when(&self, condition: &TokenStream, wait: Wait) -> TokenStream {
        let Acquisition {
            entry,
            guard,
            view,
            key,
            ..
        } = self;
        let (span, private) = (self.span(), self.krate.private_at(self.span()));
        let binding = &self.lock.binding;
        let (enter_when, bind) = match self.lock.mode {
            Mode::Exclusive => (quote!(enter_when), quote!(__bind)),
            Mode::Shared => (quote!(enter_shared_when), quote!(__bind_shared)),
        };
        let future = quote_spanned! {span=>
            #private::#enter_when::<_, #key, _>(#entry.__entered(), |#guard| {
                #[allow(unused_mut)]
                let mut #view = #entry.__view(#guard);
                let #binding = &*#view.#bind();
                let _ = &#binding;
                #condition
            })
        };
        match wait {
            Wait::Await => quote_spanned!(span=> #future.await),
            Wait::Block => quote_spanned!(span=> #private::block_on(#future)),
        }
    }

    /// `(id, "the expression as it is written")`.
    fn named_id(&self) -> TokenStream {
        let (span, enter, entry) = (self.span(), self.enter(), &self.entry);
        let written = &self.lock.written;
        quote_spanned! {span=>
            (#enter::id(#entry.__entered()), ::core::stringify!(#written))
        }
    }

    /// Binds what the lock leads to, and uses it: a section that needs nothing
    /// but the exclusion is no mistake.
    fn bind(&self) -> TokenStream {
        let Acquisition {
            entry, guard, view, ..
        } = self;
        let (span, binding) = (self.span(), &self.lock.binding);
        let bind = match self.lock.mode {
            Mode::Exclusive => quote!(__bind),
            Mode::Shared => quote!(__bind_shared),
        };
        quote_spanned! {span=>
            #[allow(unused_mut)]
            let mut #view = #entry.__view(&mut #guard);
            let #binding = #view.#bind();
            let _ = &#binding;
        }
    }
}
