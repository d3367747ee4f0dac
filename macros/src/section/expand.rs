//! A section: the statements that acquire its locks, around those of the user.

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::expand_atomic;
use super::lexical;
use super::model::{Lock, Place, Section};
use super::parse::Mode;
use crate::gather::Gather;
use crate::names::{Krate, key, own, plain};

/// Where a section stands.
#[derive(Clone, Copy)]
pub(super) enum Site<'f> {
    /// It is the body of a fn, which is left by `return`.
    Fn {
        wait: Wait,
        /// What the fn returns, where that can be written in its body.
        output: Option<&'f TokenStream>,
    },
    /// It is a block, in a fn that is not known.
    Block,
}

/// How to wait for a lock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Await,
    /// Where there is an error already, because the fn is not async: everything
    /// else should still have its type.
    Block,
}

impl Site<'_> {
    /// The value of a future, here.
    fn awaited(self, future: &TokenStream, span: Span, private: &TokenStream) -> TokenStream {
        match self {
            Site::Fn {
                wait: Wait::Block, ..
            } => quote_spanned!(span=> #private::block_on(#future)),
            _ => quote_spanned!(span=> #future.await),
        }
    }
}

/// Expands to, for one lock:
///
/// ```text
/// let __base = &self;
/// let (__kind, __entered) = {
///     let __entry = probe::<_, 0x1234>(__base).__select(&__base.ledger).__settle();
///     (kind(&__entry), __entry.__entered())
/// };
/// let mut __guard = granted(Enter::<0x1234>::acquire(__entered).await);
/// let mut __view = __kind.__view(&mut __guard);
/// let ledger = __view.__bind();
/// let _ = &ledger;
/// // `statements`
/// ```
///
/// The names belong to the macro, so that the statements can do nothing to the
/// guard. With a `timeout`, the guard comes from:
///
/// ```text
/// let __limit: ::core::time::Duration = DURATION;
/// let mut __guard = match timeout(__limit, Enter::<0x1234>::acquire(..)).await {
///     Ok(__acquired) => granted(__acquired),
///     Err(__elapsed) => return FromElapsed::from_elapsed(__elapsed),
/// };
/// ```
///
/// (A statement of its own, so that temporaries of the expression end there: in the
/// `match`, they would be kept for the body.) In a block, which cannot be left by a `return` of ours, all of the rest is in
/// the first arm, inside of an `Ok`, and the second is `Err(__elapsed)`.
pub(super) fn section(section: &Section, site: Site<'_>, statements: TokenStream) -> TokenStream {
    let krate = &section.options.krate;
    let locks: Vec<_> = section
        .locks
        .iter()
        .enumerate()
        .map(|(index, lock)| Acquisition::new(index, lock, krate))
        .gather();
    let entries: TokenStream = locks.iter().map(Acquisition::entry).gather();
    let storage = expand_atomic::storage(section, &locks);
    let inside = inside(section, &locks, site, statements);
    let Some(timeout) = &section.options.timeout else {
        let guards = acquire(section, &locks, site);
        return quote!(#entries #storage #guards #inside);
    };

    let span = own(timeout.name.span());
    let private = krate.private_at(span);
    let (entering, settled) = enter_in_time(section, &locks);
    let limit = &timeout.limit;
    let until = Ident::new("__limit", span);
    let limit = quote_spanned!(span=> let #until: ::core::time::Duration = #limit;);
    let future = quote_spanned!(span=> #private::timeout(#until, #entering));
    let result = site.awaited(&future, span, &private);
    let guards = locks.iter().map(|lock| &lock.guard);
    let (ok, err) = (
        quote_spanned!(span=> ::core::result::Result::Ok),
        quote_spanned!(span=> ::core::result::Result::Err),
    );
    let (acquired, elapsed) = (
        Ident::new("__acquired", span),
        Ident::new("__elapsed", span),
    );
    match site {
        Site::Fn { .. } => quote_spanned! {span=>
            #entries
            #limit
            #storage
            let (#(mut #guards,)*) = match #result {
                #ok(#acquired) => #settled,
                #err(#elapsed) => return #private::FromElapsed::from_elapsed(#elapsed),
            };
            #inside
        },
        Site::Block => {
            let inside = braced(inside, span);
            quote_spanned! {span=>
                #entries
                #limit
                match #result {
                    #ok(#acquired) => {
                        #storage
                        let (#(mut #guards,)*) = #settled;
                        #ok(#inside)
                    }
                    #err(#elapsed) => #err::<_, #krate::Elapsed>(#elapsed),
                }
            }
        }
    }
}

/// What comes after the guards.
fn inside(
    section: &Section,
    locks: &[Acquisition<'_>],
    site: Site<'_>,
    statements: TokenStream,
) -> TokenStream {
    let undo = expand_atomic::undo(section, locks);
    let bind: TokenStream = locks.iter().map(|lock| lock.bind(section)).gather();
    let body = body(section, site, statements);
    quote!(#undo #bind #body)
}

/// The user's statements, under the options that are about them.
///
/// Under `no_await`, in a fn, they expand to:
///
/// ```text
/// ::async_monitor::__private::without_await::<i64>(|| {
///     *ledger.balance += amount;
///     *ledger.balance
/// })
/// ```
///
/// so that the compiler finds an `.await` that a macro hides. Those that can be
/// seen have been reported: the compiler need not say it again.
fn body(section: &Section, site: Site<'_>, statements: TokenStream) -> TokenStream {
    let options = &section.options;
    let output = match site {
        Site::Fn { output, .. } => output,
        Site::Block => None,
    };
    let no_await = options.no_await.as_ref().filter(|_| {
        matches!(site, Site::Fn { .. }) && lexical::suspensions(&statements).is_empty()
    });
    let Some(no_await) = no_await else {
        return match &options.atomic {
            Some(atomic) => expand_atomic::body(section, atomic, site, statements),
            None => statements,
        };
    };
    let span = own(no_await.span());
    let private = options.krate.private_at(span);
    let output = output.map_or_else(|| quote!(_), ToTokens::to_token_stream);
    let statements = braced(statements, span);
    let value = quote_spanned!(span=> #private::without_await::<#output>(|| #statements));
    match &options.atomic {
        Some(atomic) => expand_atomic::settled(section, atomic, &value),
        None => value,
    }
}

/// In braces that belong to the macro: the compiler would have something to say
/// about the user's.
pub(super) fn braced(tokens: TokenStream, span: Span) -> Group {
    let mut group = Group::new(Delimiter::Brace, tokens);
    group.set_span(own(span));
    group
}

/// Expands to statements that declare the guards, without a `timeout`.
fn acquire(section: &Section, locks: &[Acquisition<'_>], site: Site<'_>) -> TokenStream {
    match locks {
        [one] => {
            let (span, private) = (one.span(), one.private());
            let guard = &one.guard;
            let future = one.entering(section);
            let result = site.awaited(&future, span, &private);
            let acquired = match section.options.when {
                Some(_) => result,
                None => one.settled(&result, Leave::Return),
            };
            quote_spanned!(span=> let mut #guard = #acquired;)
        }
        several => {
            let in_order = acquire_in_order(several, site, Leave::Return);
            let taken = several.iter().map(|lock| {
                let (span, private) = (own(Span::call_site()), lock.private());
                let Acquisition { slot, guard, .. } = lock;
                quote_spanned!(span=> let mut #guard = #private::taken(#slot);)
            });
            quote!(#in_order #(#taken)*)
        }
    }
}

/// Expands to the future that acquires all locks, and to the tuple of their
/// guards that its value, `__acquired`, becomes. For several locks, the future is:
///
/// ```text
/// async {
///     // what `acquire_in_order` expands to
///     Ok::<_, Infallible>((taken(__slot0), taken(__slot1)))
/// }
/// ```
fn enter_in_time(section: &Section, locks: &[Acquisition<'_>]) -> (TokenStream, TokenStream) {
    let span = own(Span::call_site());
    let private = section.options.krate.private_at(span);
    let at_timeout = section.options.timeout.as_ref();
    let acquired = Ident::new(
        "__acquired",
        at_timeout.map_or(span, |timeout| own(timeout.name.span())),
    );
    if let [one] = locks {
        let settled = match section.options.when {
            Some(_) => acquired.into_token_stream(),
            None => one.settled(&acquired.into_token_stream(), Leave::Return),
        };
        return (one.entering(section), quote!((#settled,)));
    }
    let site = Site::Block;
    let in_order = acquire_in_order(locks, site, Leave::Err);
    let slots = locks.iter().map(|lock| &lock.slot);
    // Without a `?`, nothing says what an error would be.
    let can_fail = locks.iter().any(|lock| lock.lock.question.is_some());
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
    let settled = if can_fail {
        quote_spanned! {span=>
            match #acquired {
                ::core::result::Result::Ok(__guards) => __guards,
                ::core::result::Result::Err(__returned) => return __returned,
            }
        }
    } else {
        quote_spanned!(span=> #private::granted(#acquired))
    };
    (future, settled)
}

/// Expands to:
///
/// ```text
/// let (mut __slot0, mut __slot1) = (None, None);
/// for __next in in_order([(id of __entered0, "from.ledger"), (id of __entered1, "to.ledger")]) {
///     match __next {
///         0usize => __slot0 = Some(..),
///         _ => __slot1 = Some(..),
///     }
/// }
/// ```
fn acquire_in_order(locks: &[Acquisition<'_>], site: Site<'_>, leave: Leave) -> TokenStream {
    let slots: Vec<_> = locks.iter().map(|lock| &lock.slot).gather();
    let nones = locks.iter().map(|_| quote!(::core::option::Option::None));
    let ids = locks.iter().map(Acquisition::named_id);
    let arms = locks.iter().enumerate().map(|(index, lock)| {
        let pattern = if index + 1 == locks.len() {
            quote!(_)
        } else {
            Literal::usize_suffixed(index).into_token_stream()
        };
        let result = site.awaited(&lock.acquire(), lock.span(), &lock.private());
        let (slot, acquired) = (&lock.slot, lock.settled(&result, leave));
        quote!(#pattern => #slot = ::core::option::Option::Some(#acquired),)
    });
    let span = own(Span::call_site());
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

/// How a section is left where an acquisition has failed.
#[derive(Clone, Copy)]
enum Leave {
    /// By `return`, from the fn.
    Return,
    /// By `return Err(..)`, from the future that acquires all locks.
    Err,
}

/// A lock, and the names of the locals that it needs.
pub(super) struct Acquisition<'s> {
    lock: &'s Lock,
    krate: &'s Krate,
    base: Ident,
    entered: Ident,
    pub(super) kind: Ident,
    slot: Ident,
    pub(super) guard: Ident,
    view: Ident,
    /// What `atomic` needs: the copy, and who puts it back.
    pub(super) saved: Ident,
    pub(super) restorable: Ident,
    pub(super) undo: Ident,
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
            entered: local("entered"),
            kind: local("kind"),
            slot: local("slot"),
            guard: local("guard"),
            view: local("view"),
            saved: local("saved"),
            restorable: local("restorable"),
            undo: local("undo"),
            key: Literal::u128_suffixed(key),
        }
    }

    /// Where messages of the compiler about the lock point to.
    pub(super) fn span(&self) -> Span {
        own(self.lock.span())
    }

    fn private(&self) -> TokenStream {
        self.krate.private_at(self.span())
    }

    /// Whether `atomic` has something to put back.
    pub(super) fn is_undone(&self, section: &Section) -> bool {
        section.options.atomic.is_some() && self.lock.mode == Mode::Exclusive
    }

    /// `let (__kind, __entered) = ..;`: finds out what kind of lock it is, and what
    /// is entered. Of both, the future of a section keeps nothing while it waits.
    fn entry(&self) -> TokenStream {
        let (object, entered, kind, key) = (&self.base, &self.entered, &self.kind, &self.key);
        let (span, private) = (self.span(), self.private());
        let settle = match self.lock.mode {
            Mode::Exclusive => quote_spanned!(span=> __settle),
            Mode::Shared => quote_spanned!(span=> __settle_shared),
        };
        match &self.lock.place {
            Place::Field { base, field, .. } => quote_spanned! {span=>
                let #object = &#base;
                let (#kind, #entered) = {
                    let __entry = #private::probe::<_, #key>(#object)
                        .__select(&#object.#field)
                        .#settle();
                    (#private::kind(&__entry), __entry.__entered())
                };
            },
            Place::Value(value) => quote_spanned! {span=>
                let #object = &#value;
                let (#kind, #entered) = {
                    let __entry = #private::value(#object).#settle();
                    (#private::kind(&__entry), __entry.__entered())
                };
            },
        }
    }

    /// `Enter::<0x1234>`: the trait by which the section is entered.
    fn enter(&self) -> TokenStream {
        let (span, private, key) = (self.span(), self.private(), &self.key);
        match self.lock.mode {
            Mode::Exclusive => quote_spanned!(span=> #private::Enter::<#key>),
            Mode::Shared => quote_spanned!(span=> #private::EnterShared::<#key>),
        }
    }

    /// `Enter::acquire(..)`: the future of the guard, or of an error.
    fn acquire(&self) -> TokenStream {
        let (span, enter, entered) = (self.span(), self.enter(), &self.entered);
        quote_spanned!(span=> #enter::acquire(#entered))
    }

    /// The future that enters the section.
    fn entering(&self, section: &Section) -> TokenStream {
        match &section.options.when {
            Some(when) => self.acquire_when(&when.condition),
            None => self.acquire(),
        }
    }

    /// `granted(..)`, or where there is a `?`:
    ///
    /// ```text
    /// {
    ///     let __acquired = ..;
    ///     match failure(&__acquired).__settle(__acquired) {
    ///         Ok(__guard) => __guard,
    ///         Err(__returned) => return __returned,
    ///     }
    /// }
    /// ```
    ///
    /// which is not a `?` so that it can stand in any fn where nothing can fail.
    fn settled(&self, result: &TokenStream, leave: Leave) -> TokenStream {
        let (span, private) = (self.span(), self.private());
        let Some(question) = self.lock.question else {
            return quote_spanned!(span=> #private::granted(#result));
        };
        let at_question = own(question.span);
        let private = self.krate.private_at(at_question);
        let settle = quote_spanned!(at_question=> #private::failure(&__acquired).__settle);
        let returned = match leave {
            Leave::Return => quote_spanned!(span=> __returned),
            Leave::Err => quote_spanned!(span=> ::core::result::Result::Err(__returned)),
        };
        quote_spanned! {span=>
            {
                let __acquired = #result;
                match #settle(__acquired) {
                    ::core::result::Result::Ok(__guard) => __guard,
                    ::core::result::Result::Err(__returned) => return #returned,
                }
            }
        }
    }

    /// Expands to:
    ///
    /// ```text
    /// enter_when::<_, 0x1234, _>(__entered, |__guard| {
    ///     let __view = __kind.__look(__guard);
    ///     let ledger = __view.__bind_shared();
    ///     *ledger.balance >= amount
    /// })
    /// ```
    ///
    /// The condition sees the binding by shared reference.
    fn acquire_when(&self, condition: &TokenStream) -> TokenStream {
        let Acquisition {
            entered,
            kind,
            guard,
            view,
            key,
            ..
        } = self;
        let (span, private) = (self.span(), self.private());
        let binding = &self.lock.binding;
        let enter_when = match self.lock.mode {
            Mode::Exclusive => quote!(enter_when),
            Mode::Shared => quote!(enter_shared_when),
        };
        quote_spanned! {span=>
            #private::#enter_when::<_, #key, _>(#entered, |#guard| {
                let #view = #kind.__look(#guard);
                let #binding = #view.__bind_shared();
                let _ = &#binding;
                #condition
            })
        }
    }

    /// `(id, "the expression as it is written")`.
    fn named_id(&self) -> TokenStream {
        let (span, enter, entered) = (self.span(), self.enter(), &self.entered);
        let written = &self.lock.written;
        quote_spanned! {span=>
            (#enter::id(#entered), ::core::stringify!(#written))
        }
    }

    /// Binds what the lock leads to, and uses it: a section that needs nothing
    /// but the exclusion is no mistake.
    fn bind(&self, section: &Section) -> TokenStream {
        let Acquisition {
            kind,
            guard,
            view,
            undo,
            ..
        } = self;
        let (span, binding) = (self.span(), &self.lock.binding);
        let bind = match self.lock.mode {
            Mode::Exclusive => quote!(__bind),
            Mode::Shared => quote!(__bind_shared),
        };
        let guard = if self.is_undone(section) {
            quote_spanned!(span=> #undo.__guard())
        } else {
            quote_spanned!(span=> &mut #guard)
        };
        quote_spanned! {span=>
            let mut #view = #kind.__view(#guard);
            // Not every kind of view is changed by what follows.
            let _ = &mut #view;
            let #binding = #view.#bind();
            let _ = &#binding;
        }
    }
}
