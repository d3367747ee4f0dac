//! One lock of a section, and how it is acquired.
//!
//! Entering a lock takes two steps. *Wait* acquires an async lock, and does nothing for a sync
//! lock. *Finish* makes the guard, and acquires a sync lock: its guard is not `Send`, and must
//! not exist while the section waits.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::inside::Inside;
use super::site::{Site, Wait};
use super::watching;
use crate::names::{self, Krate, hygienic, plain, unsafe_};
use crate::section::misnamed;
use crate::section::model::{Lock, LockExpr, Section};
use crate::section::parse::Mode;

/// A lock, and the names of the locals that it needs.
pub(super) struct Acquisition<'s> {
    pub(super) model: &'s Lock,
    pub(super) krate: &'s Krate,
    index: Literal,
    base: Ident,
    /// The local that refers to the lock or to its struct.
    lock: Ident,
    pub(super) entry_type: Ident,
    /// The result of *wait*.
    pub(super) waited: Ident,
    /// With several locks: the result of the current step.
    pub(super) slot: Ident,
    pub(super) guard: Ident,
    view: Ident,
    /// What `atomic` needs: the copy, what it restores, and the rollback.
    pub(super) snapshot: Ident,
    pub(super) restorable: Ident,
    pub(super) rollback: Ident,
    /// The lease, if the lock can be lost.
    pub(super) lease: Ident,
    key: Literal,
    /// The description of the section, if the wait for this lock makes it.
    pub(super) describe: Option<TokenStream>,
    /// The section is written in the body of another one.
    is_nested: bool,
    /// The section has no other lock.
    is_alone: bool,
    /// The thread is in the section until the section ends.
    runs_inside: bool,
    /// The thread is in the section in parts of its body.
    runs_in_parts: bool,
}

impl<'s> Acquisition<'s> {
    pub(super) fn new(index: usize, lock: &'s Lock, section: &'s Section, listed: &Inside) -> Self {
        let (krate, is_nested) = (&section.options.krate, section.enclosing.is_some());
        let span = hygienic(lock.span());
        let local = |name: &str| format_ident!("__{name}{index}", span = span);
        let key = match (&lock.expr, lock.mode) {
            (LockExpr::Field { field, .. }, Mode::Exclusive) => names::key(&plain(field)),
            (LockExpr::Field { field, .. }, Mode::Shared) => {
                names::key(&format!("read:{}", plain(field)))
            }
            // Only a field can be a lock that a derive knows.
            (LockExpr::Value(_), _) => 0,
        };
        Acquisition {
            model: lock,
            krate,
            index: Literal::usize_suffixed(index),
            base: local("base"),
            lock: local("lock"),
            entry_type: local("type"),
            waited: local("waited"),
            slot: local("slot"),
            guard: local("guard"),
            view: local("view"),
            snapshot: local("snapshot"),
            restorable: local("restorable"),
            rollback: local("rollback"),
            lease: local("lease"),
            key: names::key_literal(key),
            describe: None,
            is_nested,
            is_alone: section.locks.len() == 1,
            runs_inside: matches!(listed, Inside::Throughout),
            runs_in_parts: matches!(listed, Inside::Partly(_)),
        }
    }

    /// The place of the compiler's messages about the lock.
    pub(super) fn span(&self) -> Span {
        hygienic(self.model.span())
    }

    pub(super) fn private(&self) -> TokenStream {
        self.krate.private_at(self.span())
    }

    /// Whether `atomic` has data to restore.
    pub(super) fn is_rolled_back(&self, section: &Section) -> bool {
        section.options.atomic.is_some() && self.model.mode == Mode::Exclusive
    }

    /// `let (__type, __lock) = ..;`: resolves the type of the lock, and the lock to
    /// enter. Neither local is stored in the future while it waits.
    ///
    /// A base that is a path may be expanded several times, as a derived lock borrows the whole
    /// struct, and any other lock only its field: `place` in the runtime crate has the steps.
    /// Any other base is evaluated once.
    ///
    /// A read section looks for a reader-writer lock of that name first, and then for any other.
    pub(super) fn resolve(&self) -> TokenStream {
        let (object, lock, entry_type, key) = (&self.base, &self.lock, &self.entry_type, &self.key);
        let (span, private) = (self.span(), self.private());
        let method = match self.model.mode {
            Mode::Exclusive => quote_spanned!(span=> __resolve),
            Mode::Shared => quote_spanned!(span=> __resolve_shared),
        };
        match &self.model.expr {
            LockExpr::Field {
                base,
                path,
                field,
                unnamed,
                ..
            } => {
                let access = match unnamed {
                    Some(unnamed) => unnamed.clone(),
                    None => quote_spanned!(span=> .#field),
                };
                let probe = match self.model.mode {
                    Mode::Exclusive => quote_spanned!(span=> probe::<_, #key>),
                    Mode::Shared => {
                        let any = names::key_literal(names::key(&plain(field)));
                        quote_spanned!(span=> probe_shared::<_, #key, #any>)
                    }
                };
                let (declared, base, path) = match path {
                    Some(path) => (None, quote_spanned!(span=> &#base), path.clone()),
                    None => {
                        let declared = quote_spanned!(span=> let #object = &#base;);
                        let object = object.to_token_stream();
                        (Some(declared), object.clone(), object)
                    }
                };
                quote_spanned! {span=>
                    #declared
                    let (#entry_type, #lock) = {
                        let (__base, __branch) = #private::base();
                        if __branch.__is_executed() {
                            __branch.__reach();
                            __base.__infer(#base);
                        }
                        let __found = #private::#probe(__base, __branch)
                            .__select(&#path #access)
                            .#method();
                        let (__object, __branch) = #private::needed();
                        if __branch.__is_executed() {
                            __branch.__reach();
                            __object.__set(#base);
                        }
                        let __entry = #private::entry(__found, __object, __branch);
                        (#private::entry_type(&__entry), __entry.__lock())
                    };
                }
            }
            LockExpr::Value(value) => quote_spanned! {span=>
                let #object = &#value;
                let (#entry_type, #lock) = {
                    let __entry = #private::value(#object).#method();
                    (#private::entry_type(&__entry), __entry.__lock())
                };
            },
        }
    }

    /// `Enter::<0x1234>`: the trait by which the section is entered.
    fn enter(&self) -> TokenStream {
        let (span, private, key) = (self.span(), self.private(), &self.key);
        match self.model.mode {
            Mode::Exclusive => quote_spanned!(span=> #private::Enter::<#key>),
            Mode::Shared => quote_spanned!(span=> #private::EnterShared::<#key>),
        }
    }

    /// `Enter::wait(..)`: the future of *wait*, or of an error.
    fn wait(&self) -> TokenStream {
        let (span, enter, lock) = (self.span(), self.enter(), &self.lock);
        quote_spanned!(span=> #enter::wait(#lock))
    }

    /// Expands to the result of *wait*, awaited or blocking as the site requires.
    pub(super) fn wait_result(&self, site: Site<'_>) -> TokenStream {
        let (span, enter, lock, index) = (self.span(), self.enter(), &self.lock, &self.index);
        match site.wait() {
            Wait::Await => {
                let waiting = self.wait_listed(&self.wait(), &self.acquires_last());
                self.at_once_or(&quote_spanned!(span=> #waiting.await))
            }
            Wait::Park => {
                let waited = quote_spanned!(span=> #enter::wait_blocking(#lock));
                let acquires_last = self.acquires_last();
                let step = quote_spanned!(span=> __wait(#index, #acquires_last));
                self.at_once_or(&self.call_listed(&step, &waited))
            }
        }
    }

    /// Expands to:
    ///
    /// ```text
    /// '__at_once: {
    ///     if !__section.__enters_listed(__type0.__suspend_mode().__acquires_last()) {
    ///         if let Some(__waited) = Enter::<0x1234>::at_once(__lock0, &__SITE) {
    ///             __section.__entered(0);
    ///             break '__at_once Ok(__waited);
    ///         }
    ///     }
    ///     /* the wait */
    /// }
    /// ```
    ///
    /// so that a section that need not wait is not on the list of its thread for that. It is a
    /// statement of its own, as nothing of it must be kept over an `.await`. If the section is
    /// described late, the description comes in front of the wait. Then `__entered` is left out for
    /// a single lock, unless the section is described early: nobody asks what it holds. In the body
    /// of another section, this expands to the wait only, as the lock order is recorded in any
    /// case.
    fn at_once_or(&self, wait: &TokenStream) -> TokenStream {
        let (span, enter, lock, index) = (self.span(), self.enter(), &self.lock, &self.index);
        let (section, acquires_last) = (watching::section_local(span), self.acquires_last());
        if self.is_nested {
            return wait.clone();
        }
        let describe = &self.describe;
        let entered = match describe {
            Some(_) if self.is_alone && (self.runs_inside || self.runs_in_parts) => {
                quote_spanned! {span=>
                    if (&#section).__is_described_early() {
                        (&#section).__entered(#index);
                    }
                }
            }
            Some(_) if self.is_alone => TokenStream::new(),
            _ => quote_spanned!(span=> (&#section).__entered(#index);),
        };
        quote_spanned! {span=>
            '__at_once: {
                if !(&#section).__enters_listed(#acquires_last) {
                    if let ::core::option::Option::Some(__waited) =
                        #enter::at_once(#lock, &__SITE)
                    {
                        #entered
                        break '__at_once ::core::result::Result::Ok(__waited);
                    }
                }
                #describe
                #wait
            }
        }
    }

    /// `__type.__suspend_mode().__acquires_last()`: the lock is acquired by a call, in *finish*.
    fn acquires_last(&self) -> TokenStream {
        let (span, entry_type) = (self.span(), &self.entry_type);
        quote_spanned!(span=> #entry_type.__suspend_mode().__acquires_last())
    }

    /// `__section.__entering(0, false, future)`: a future that acquires the lock for the section,
    /// or does nothing yet for a sync lock.
    fn wait_listed(&self, future: &TokenStream, acquires_last: &TokenStream) -> TokenStream {
        let (span, section, index) = (
            self.span(),
            watching::section_local(self.span()),
            &self.index,
        );
        quote_spanned!(span=> (&#section).__entering(#index, #acquires_last, #future))
    }

    /// Expands to:
    ///
    /// ```text
    /// {
    ///     let __asking = unsafe { __section.__finish(0, acquires_last) };
    ///     let __acquired = /* the call */;
    ///     __asking.__acquired();
    ///     __acquired
    /// }
    /// ```
    ///
    /// for a call that acquires the lock, or may acquire it. (A closure would count as a
    /// function of its own in coverage.)
    ///
    /// SAFETY of the generated code: nothing suspends in between, and the local is dropped at
    /// the end of the block.
    fn call_listed(&self, step: &TokenStream, call: &TokenStream) -> TokenStream {
        let (span, section) = (self.span(), watching::section_local(self.span()));
        let unsafe_ = unsafe_();
        quote_spanned! {span=>
            {
                let __asking = #unsafe_ { (&#section).#step };
                let __acquired = #call;
                __asking.__acquired();
                __acquired
            }
        }
    }

    /// The second step of entering, which acquires a sync lock.
    pub(super) fn finish_listed(&self, guard: &TokenStream) -> TokenStream {
        self.call_listed(&self.finish_call(), guard)
    }

    /// Expands to:
    ///
    /// ```text
    /// let __asking = unsafe { __section.__finish(0, acquires_last) };
    /// let mut __guard = /* the call */;
    /// __asking.__acquired();
    /// ```
    ///
    /// which is `finish_listed` without a move of the guard: the guard of a sync lock is a few
    /// words and bytes, and a move would load them as one right after they have been stored.
    pub(super) fn let_guard_listed(&self, call: &TokenStream) -> TokenStream {
        let (span, section) = (self.span(), watching::section_local(self.span()));
        let (unsafe_, step, guard) = (unsafe_(), self.finish_call(), &self.guard);
        quote_spanned! {span=>
            let __asking = #unsafe_ { (&#section).#step };
            let mut #guard = #call;
            __asking.__acquired();
        }
    }

    /// `__finish(0, acquires_last)`; or `__finish_inside`, if the thread is in the section until
    /// the section ends.
    fn finish_call(&self) -> TokenStream {
        let (span, index, acquires_last) = (self.span(), &self.index, self.acquires_last());
        if self.runs_inside {
            quote_spanned!(span=> __finish_inside(#index, #acquires_last))
        } else {
            quote_spanned!(span=> __finish(#index, #acquires_last))
        }
    }

    /// `SectionLock::new(..)`: the description of the lock for the runtime.
    pub(super) fn described(&self) -> TokenStream {
        let (span, private, key) = (self.span(), self.private(), &self.key);
        let (entry_type, lock) = (&self.entry_type, &self.lock);
        quote_spanned! {span=>
            #private::SectionLock::new(
                #entry_type.__lock_type(),
                #lock,
                #private::Watched::<#key>::watched_id,
            )
        }
    }

    /// `SiteLock::new("ledger", false)`: the lock as it is written, for the runtime.
    pub(super) fn as_written(&self) -> TokenStream {
        let (span, private, written) = (self.span(), self.private(), &self.model.written);
        let is_read = match self.model.mode {
            Mode::Exclusive => quote_spanned!(span=> false),
            Mode::Shared => quote_spanned!(span=> true),
        };
        quote_spanned! {span=>
            #private::SiteLock::new(::core::stringify!(#written), #is_read)
        }
    }

    /// `__type.__lease::<0x1234>(&__guard)`: the lease, if there is one.
    pub(super) fn lease_of_guard(&self) -> TokenStream {
        let (span, entry_type, key, guard) =
            (self.span(), &self.entry_type, &self.key, &self.guard);
        match self.model.mode {
            Mode::Exclusive => quote_spanned!(span=> #entry_type.__lease::<#key>(&#guard)),
            Mode::Shared => quote_spanned!(span=> #entry_type.__lease_shared::<#key>(&#guard)),
        }
    }

    /// `__type.__finish::<0x1234>(..)`: *finish*, for the result of *wait*.
    pub(super) fn finish_unwatched(&self, waited: &TokenStream) -> TokenStream {
        let (span, entry_type, key) = (self.span(), &self.entry_type, &self.key);
        match self.model.mode {
            Mode::Exclusive => quote_spanned!(span=> #entry_type.__finish::<#key>(#waited)),
            // Not a method, which the compiler would not find where not all is `Sync`.
            Mode::Shared => {
                let private = self.private();
                quote_spanned!(span=> #private::finish_shared::<_, #key>(&#entry_type, #waited))
            }
        }
    }

    /// The future that enters the section: it returns the guard if there is a condition, and
    /// otherwise the result of *wait*.
    pub(super) fn entering(&self, section: &Section) -> TokenStream {
        match &section.options.when {
            Some(when) => {
                let acquires = quote_spanned!(self.span()=> false);
                self.wait_listed(&self.acquire_when(&when.condition), &acquires)
            }
            None => self.wait_listed(&self.wait(), &self.acquires_last()),
        }
    }

    /// `infallible(..)`, or with a `?`:
    ///
    /// ```text
    /// {
    ///     let __acquired = ..;
    ///     match failure(&__acquired).__unwrap_acquired(__acquired) {
    ///         Ok(__guard) => __guard,
    ///         Err(__returned) => return __returned,
    ///     }
    /// }
    /// ```
    ///
    /// It is not a `?`, so that a lock that cannot fail may be acquired in any fn.
    pub(super) fn unwrapped(&self, result: &TokenStream, leave: Leave) -> TokenStream {
        let (span, private) = (self.span(), self.private());
        let Some(question) = self.model.question else {
            return quote_spanned!(span=> #private::infallible(#result));
        };
        let at_question = hygienic(question.span);
        let private = self.krate.private_at(at_question);
        let unwrap = quote_spanned!(at_question=> #private::failure(&__acquired).__unwrap_acquired);
        let returned = match leave {
            Leave::Return => quote_spanned!(span=> __returned),
            Leave::Err => quote_spanned!(span=> ::core::result::Result::Err(__returned)),
        };
        quote_spanned! {span=>
            {
                let __acquired = #result;
                match #unwrap(__acquired) {
                    ::core::result::Result::Ok(__guard) => __guard,
                    ::core::result::Result::Err(__returned) => return #returned,
                }
            }
        }
    }

    /// Expands to:
    ///
    /// ```text
    /// __type.__suspend_mode().__enter_when::<_, _, 0x1234, _>(
    ///     __lock,
    ///     &__type,
    ///     unsafe { ByReference::new() },
    ///     |__type, __guard| {
    ///         let __view = __type.__evaluate(__guard);
    ///         let ref ledger = *__view.__bind_shared();
    ///         *ledger.balance >= amount
    ///     },
    /// )
    /// ```
    ///
    /// The condition sees the binding by shared reference, bound as [`bind`](Self::bind) does it in
    /// a read section. It gets the type of the entry as an argument, as a release may evaluate it
    /// only if it captures nothing. In a read section, that type yields the lock to wait at:
    /// `__type.__conditional(__lock)`.
    ///
    /// SAFETY of the generated code: the closure is not a `move` closure.
    fn acquire_when(&self, condition: &TokenStream) -> TokenStream {
        let Acquisition {
            lock,
            entry_type,
            guard,
            view,
            key,
            ..
        } = self;
        let (span, private, unsafe_) = (self.span(), self.private(), unsafe_());
        let binding = &self.model.binding;
        let (enter_when, place) = match self.model.mode {
            Mode::Exclusive => (quote!(__enter_when), lock.to_token_stream()),
            Mode::Shared => (
                quote!(__enter_shared_when),
                quote_spanned!(span=> #entry_type.__conditional(#lock)),
            ),
        };
        quote_spanned! {span=>
            #entry_type.__suspend_mode().#enter_when::<_, _, #key, _>(
                #place,
                &#entry_type,
                #unsafe_ { #private::ByReference::new() },
                |#entry_type, #guard| {
                    let #view = #entry_type.__evaluate(#guard);
                    let ref #binding = *#view.__bind_shared();
                    let _ = &#binding;
                    #condition
                },
            )
        }
    }

    /// `(id, "the expression as it is written")`.
    pub(super) fn named_id(&self) -> TokenStream {
        let (span, enter, lock) = (self.span(), self.enter(), &self.lock);
        let written = &self.model.written;
        quote_spanned! {span=>
            (#enter::id(#lock), ::core::stringify!(#written))
        }
    }

    /// Binds the guarded data, and uses the binding: a section that needs only
    /// the exclusion is not a mistake.
    pub(super) fn bind(&self, section: &Section) -> TokenStream {
        let Acquisition {
            entry_type,
            guard,
            view,
            rollback,
            ..
        } = self;
        let (span, binding) = (self.span(), &self.model.binding);
        // For the binding of a read section, the compiler would suggest another type; for a `ref`
        // pattern, it suggests nothing.
        let bind = match self.model.mode {
            Mode::Exclusive => quote_spanned!(span=> let #binding = #view.__bind();),
            Mode::Shared => quote_spanned!(span=> let ref #binding = *#view.__bind_shared();),
        };
        let guard = if self.is_rolled_back(section) {
            quote_spanned!(span=> #rollback.__guard())
        } else {
            quote_spanned!(span=> &mut #guard)
        };
        let used = used(self.model, span);
        let check = misnamed::check(self.model, entry_type, &self.private());
        quote_spanned! {span=>
            let mut #view = #entry_type.__view(#guard);
            #bind
            #used
            #check
        }
    }
}

/// Expands to `let _ = &ledger;`, a use of the binding for the compiler, or to
/// `let _ = ledger;` in a read section: a local that has been borrowed is kept over every
/// `.await`, and a future that keeps a `&` is `Send` only if the data is `Sync`.
pub(super) fn used(lock: &Lock, span: Span) -> TokenStream {
    let binding = &lock.binding;
    match lock.mode {
        Mode::Exclusive => quote_spanned!(span=> let _ = &#binding;),
        Mode::Shared => quote_spanned!(span=> let _ = #binding;),
    }
}

/// How a section is left if an acquisition has failed.
#[derive(Clone, Copy)]
pub(super) enum Leave {
    /// By `return`, from the fn.
    Return,
    /// By `return Err(..)`, from the future that acquires all locks.
    Err,
}
