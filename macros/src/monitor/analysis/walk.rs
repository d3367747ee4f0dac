//! The acquisitions and calls of a body, and the locks held meanwhile.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprCall, Local, Macro, Member, Pat, Stmt, Token, Type};

use super::Condition;
use crate::gather::Gather;
use crate::names::{name_in, plain};
use crate::section::{self, Mode, OwnLock};

/// Something that a body does.
pub(super) struct Event {
    pub(super) kind: EventKind,
    /// The smallest token that stands for it.
    pub(super) token: Ident,
    /// The locks held at that moment, the last acquired first.
    pub(super) held: Vec<OwnLock>,
}

#[derive(Clone)]
pub(super) enum EventKind {
    /// Waits for locks: for several at a time, in an unknown order.
    Acquire(Vec<Acquired>),
    /// Calls a method of the impl, and runs it to its end.
    Call(String),
    /// Calls a method of that name on the view of the lock.
    OnView(OwnLock, String),
}

impl Event {
    /// The smallest token that stands for the acquisition of one of the locks.
    pub(super) fn token_of<'e>(&'e self, lock: &'e Acquired) -> &'e Ident {
        match &self.kind {
            EventKind::Acquire(locks) if locks.len() > 1 => &lock.field,
            _ => &self.token,
        }
    }
}

/// A lock that is waited for.
#[derive(Clone)]
pub(super) struct Acquired {
    pub(super) field: Ident,
    pub(super) mode: Mode,
    /// The wait has a timeout.
    pub(super) gives_up: bool,
    pub(super) condition: Option<Condition>,
}

/// The methods of the impl, and whether a call has to be awaited.
#[derive(Default)]
pub(super) struct Methods(Vec<(String, bool)>);

impl Methods {
    pub(super) fn add(&mut self, name: &Ident, is_async: bool) {
        self.0.push((plain(name), is_async));
    }

    /// `None` if it is not a method of the impl.
    fn is_async(&self, name: &Ident) -> Option<bool> {
        let name = plain(name);
        let mut methods = self.0.iter();
        let (_, is_async) = methods.find(|(method, _)| *method == name)?;
        Some(*is_async)
    }
}

/// The events of a body that holds `held` from its beginning.
pub(super) fn events(
    body: &TokenStream,
    held: Vec<OwnLock>,
    methods: &Methods,
    struct_name: &str,
) -> Vec<Event> {
    let mut walk = Walk {
        methods,
        struct_name,
        held,
        events: Vec::new(),
        locals: Vec::new(),
        scopes: Vec::new(),
    };
    section::walk(body, &mut walk);
    walk.events
}

struct Walk<'m> {
    methods: &'m Methods,
    struct_name: &'m str,
    held: Vec<OwnLock>,
    events: Vec<Event>,
    /// The locals in scope, the latest last, and the effects of awaiting them.
    locals: Vec<(String, Option<Awaited>)>,
    /// The number of locals at the beginning of each enclosing scope.
    scopes: Vec<usize>,
}

/// The effects of awaiting a future.
#[derive(Clone)]
struct Awaited {
    kind: EventKind,
    token: Ident,
}

impl Awaited {
    fn acquires(acquired: Acquired, token: &Ident) -> Self {
        Awaited {
            kind: EventKind::Acquire(vec![acquired]),
            token: token.clone(),
        }
    }

    fn calls(method: &Ident) -> Self {
        Awaited {
            kind: EventKind::Call(plain(method)),
            token: method.clone(),
        }
    }
}

impl Walk<'_> {
    fn push(&mut self, kind: EventKind, token: &Ident) {
        self.events.push(Event {
            kind,
            token: token.clone(),
            held: self.held.clone(),
        });
    }

    /// The value of the expression, a future, is awaited.
    fn awaited(&mut self, expr: &Expr) {
        // An `async` block that is awaited runs here.
        if let Expr::Async(block) = peeled(expr) {
            let statements = &block.block.stmts;
            section::walk(&quote!(#(#statements)*), self);
        } else if let Some(awaited) = self.future(expr) {
            self.push(awaited.kind, &awaited.token);
        }
    }

    /// The effects of awaiting the value of the expression, a future.
    fn future(&self, expr: &Expr) -> Option<Awaited> {
        match peeled(expr) {
            Expr::Path(path) => {
                let name = plain(path.path.get_ident()?);
                let mut locals = self.locals.iter().rev();
                let (_, awaited) = locals.find(|(local, _)| *local == name)?;
                awaited.clone()
            }
            Expr::Reference(reference) => self.future(&reference.expr),
            Expr::Macro(mac) => {
                let is_pin = mac.mac.path.segments.last()?.ident == "pin";
                self.future(&mac.mac.parse_body().ok().filter(|_| is_pin)?)
            }
            Expr::MethodCall(call) => self
                .call(&call.receiver, &call.method, "")
                .or_else(|| self.future(same_future(&call.method, &call.receiver)?)),
            Expr::Call(call) => match wrapped(call) {
                Some(wrapped) => self.future(wrapped),
                None => {
                    let (receiver, method) = self.associated(call)?;
                    self.call(receiver, method, "")
                }
            },
            _ => None,
        }
    }

    /// The effects of a method of the object, or of one of its fields: when its future is
    /// awaited, or, with a `suffix`, in the call.
    fn call(&self, receiver: &Expr, method: &Ident, suffix: &str) -> Option<Awaited> {
        let acquired = if is_self(receiver) {
            if let Some(is_async) = self.methods.is_async(method) {
                return (is_async == suffix.is_empty()).then(|| Awaited::calls(method));
            }
            generated(method, suffix)
        } else {
            of_field(receiver, method, suffix)
        };
        acquired.map(|acquired| Awaited::acquires(acquired, method))
    }

    /// `self` and `m` in `Self::m(self, ..)`, or
    /// `&self.l` and `acquire` in `Lock::acquire(&self.l)`.
    fn associated<'e>(&self, call: &'e ExprCall) -> Option<(&'e Expr, &'e Ident)> {
        let Expr::Path(path) = peeled(&call.func) else {
            return None;
        };
        let mut segments = path.path.segments.iter().rev();
        let method = &segments.next()?.ident;
        let ty = match &path.qself {
            None => &segments.next()?.ident,
            Some(qself) if qself.position == 0 => match &*qself.ty {
                Type::Path(ty) => &ty.path.segments.last()?.ident,
                _ => return None,
            },
            Some(_) => return None,
        };
        let receiver = call.args.first()?;
        let is_own = ty == "Self" || plain(ty) == self.struct_name;
        (is_own == is_self(receiver)).then_some((receiver, method))
    }

    /// A call that is not awaited: a plain method, or one that parks the thread.
    fn called(&mut self, receiver: &Expr, method: &Ident) {
        if let Some(called) = self.call(receiver, method, "_blocking") {
            self.push(called.kind, &called.token);
        } else if let Some(acquired) = self.sync_acquisition(receiver, method) {
            self.push(EventKind::Acquire(vec![acquired]), method);
        }
    }

    /// `self.acquire_state()` or `self.state.lock()`, which acquires in the call if the derive
    /// knows the lock as a sync lock.
    fn sync_acquisition(&self, receiver: &Expr, method: &Ident) -> Option<Acquired> {
        let acquired = if !is_self(receiver) {
            of_field(receiver, method, "")
        } else if self.methods.is_async(method).is_none() {
            generated(method, "")
        } else {
            None
        };
        let acquired = acquired?;
        Some(Acquired {
            condition: Some((quote!(sync), acquired.field.clone())),
            ..acquired
        })
    }

    /// `ledger.deposit(..)`, where `ledger` is the binding of a section.
    fn on_view(&mut self, receiver: &Expr, method: &Ident) {
        let Expr::Path(path) = peeled(receiver) else {
            return;
        };
        let Some(name) = path.path.get_ident().map(plain) else {
            return;
        };
        let is_hidden = self.locals.iter().any(|(local, _)| *local == name);
        let mut held = self.held.iter().rev();
        let lock = held.find(|lock| plain(&lock.binding) == name).cloned();
        if let Some(lock) = lock.filter(|_| !is_hidden) {
            self.push(EventKind::OnView(lock, plain(method)), method);
        }
    }

    /// `with_lock!(self.ledger, { .. })`.
    fn section(&mut self, mac: &Macro, name: &Ident) {
        let Some((section, body)) = section::in_block(mac.tokens.clone()) else {
            return;
        };
        let locks = section.own_locks();
        let acquired: Vec<_> = locks
            .iter()
            .map(|lock| Acquired {
                field: lock.field.clone(),
                mode: lock.mode,
                gives_up: section.gives_up(),
                condition: None,
            })
            .gather();
        // With several locks, each is reported at its own name.
        let token = match locks.as_slice() {
            [only] => &only.field,
            _ => name,
        };
        if !acquired.is_empty() {
            self.push(EventKind::Acquire(acquired), token);
        }
        let outside = (self.held.len(), self.locals.len());
        self.held.extend(locks);
        let others = section.other_bindings().into_iter();
        self.locals.extend(others.map(|name| (plain(&name), None)));
        section::walk(&body, self);
        self.held.truncate(outside.0);
        self.locals.truncate(outside.1);
    }

    /// `join!(first, second)`: all of them are awaited.
    fn join(&mut self, mac: &Macro) {
        let parse = Punctuated::<Expr, Token![,]>::parse_terminated;
        let arguments = parse.parse2(mac.tokens.clone()).unwrap_or_default();
        for argument in &arguments {
            self.awaited(argument);
        }
    }
}

impl section::Visit for Walk<'_> {
    fn statement(&mut self, statement: &Stmt) -> bool {
        !starts_with_cfg(statement)
    }

    fn bound(&mut self, local: &Local) {
        let pat = match &local.pat {
            Pat::Type(pat) => &pat.pat,
            pat => pat,
        };
        if let Pat::Ident(pat) = pat {
            let value = local.init.as_ref();
            let awaited = value.and_then(|value| self.future(&value.expr));
            self.locals.push((plain(&pat.ident), awaited));
        } else {
            // None of the names is a known future.
            let mut names = Vec::new();
            section::collect_idents(pat.to_token_stream(), &mut names);
            let names = names.iter().map(|name| (plain(name), None));
            self.locals.extend(names);
        }
    }

    fn enter(&mut self, _: &Expr) {
        self.scopes.push(self.locals.len());
    }

    // The arguments come first.
    fn leave(&mut self, expr: &Expr) {
        if let Some(outside) = self.scopes.pop() {
            self.locals.truncate(outside);
        }
        match expr {
            Expr::Await(expr) => self.awaited(&expr.base),
            Expr::MethodCall(call) => {
                self.called(&call.receiver, &call.method);
                self.on_view(&call.receiver, &call.method);
            }
            Expr::Call(call) => {
                if is_block_on(call) {
                    call.args.iter().for_each(|future| self.awaited(future));
                } else if let Some((receiver, method)) = self.associated(call) {
                    self.called(receiver, method);
                }
            }
            _ => {}
        }
    }

    fn mac(&mut self, mac: &Macro) -> bool {
        match mac.path.segments.last() {
            Some(last) if last.ident == "with_lock" => {
                self.section(mac, &last.ident);
                false
            }
            Some(last) if last.ident == "join" || last.ident == "try_join" => {
                self.join(mac);
                false
            }
            _ => section::is_known_macro(mac),
        }
    }
}

/// The expression without wrappers that do not change its meaning.
fn peeled(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(paren) => peeled(&paren.expr),
        Expr::Group(group) => peeled(&group.expr),
        other => other,
    }
}

/// Whether it is the object: `self`, `&self`, `(*self)`.
fn is_self(expr: &Expr) -> bool {
    match peeled(expr) {
        Expr::Path(path) => path.path.is_ident("self"),
        Expr::Reference(reference) => is_self(&reference.expr),
        Expr::Unary(unary) => matches!(unary.op, syn::UnOp::Deref(_)) && is_self(&unary.expr),
        _ => false,
    }
}

/// `fut` in `fut.as_mut()` and the like: awaiting the result awaits `fut`.
fn same_future<'e>(method: &Ident, receiver: &'e Expr) -> Option<&'e Expr> {
    const NAMES: [&str; 5] = ["as_mut", "boxed", "boxed_local", "fuse", "into_future"];
    NAMES.iter().any(|name| method == name).then_some(receiver)
}

/// `fut` in `Box::pin(fut)` or `Pin::new(&mut fut)`, by whatever path.
fn wrapped(call: &ExprCall) -> Option<&Expr> {
    let Expr::Path(path) = peeled(&call.func) else {
        return None;
    };
    let mut segments = path.path.segments.iter().rev();
    let (method, ty) = (&segments.next()?.ident, &segments.next()?.ident);
    let wraps = (ty == "Box" && method == "pin") || (ty == "Pin" && method == "new");
    (wraps && call.args.len() == 1)
        .then(|| call.args.first())
        .flatten()
}

/// `block_on(fut)`, of whatever executor.
fn is_block_on(call: &ExprCall) -> bool {
    matches!(peeled(&call.func), Expr::Path(path)
        if path.path.segments.last().is_some_and(|last| last.ident == "block_on"))
}

/// The lock that a method generated by the derive waits for: `acquire_ledger`,
/// `read_cfg`, `write_cfg`, and with `suffix`.
fn generated(method: &Ident, suffix: &str) -> Option<Acquired> {
    let name = plain(method);
    let name = name.strip_suffix(suffix)?;
    if suffix.is_empty() && name.ends_with("_blocking") {
        return None;
    }
    let (verb, lock) = name.split_once('_')?;
    let (mode, kind) = match verb {
        "acquire" => (Mode::Exclusive, quote!(acquire)),
        "write" => (Mode::Exclusive, quote!(rw)),
        "read" => (Mode::Shared, quote!(rw)),
        _ => return None,
    };
    let field = name_in(lock, method.span())?;
    Some(Acquired {
        condition: Some((kind, field.clone())),
        field,
        mode,
        gives_up: false,
    })
}

/// The lock that a method of a field of `self` waits for: `self.state.lock()`, or
/// `(&self.state).lock()`.
fn of_field(receiver: &Expr, method: &Ident, suffix: &str) -> Option<Acquired> {
    let base = match peeled(receiver) {
        Expr::Reference(reference) => return of_field(&reference.expr, method, suffix),
        Expr::Field(base) => base,
        _ => return None,
    };
    let Member::Named(field) = &base.member else {
        return None;
    };
    if !is_self(&base.base) {
        return None;
    }
    let name = plain(method);
    let name = name.strip_suffix(suffix)?;
    let name = name.strip_suffix("_owned").unwrap_or(name);
    let (mode, condition) = match name {
        // A field that no derive knows may be a semaphore with more permits.
        "acquire" => (Mode::Exclusive, Some((quote!(write), field.clone()))),
        "lock" | "write" => (Mode::Exclusive, None),
        // Excludes other upgradable guards.
        "upgradable_read" => (Mode::Exclusive, None),
        "read" => (Mode::Shared, None),
        _ => return None,
    };
    Some(Acquired {
        field: field.clone(),
        mode,
        gives_up: false,
        condition,
    })
}

/// Whether the statement may be compiled out.
fn starts_with_cfg(statement: &Stmt) -> bool {
    let mut tokens = statement.to_token_stream().into_iter();
    while let (Some(TokenTree::Punct(hash)), Some(TokenTree::Group(attr))) =
        (tokens.next(), tokens.next())
    {
        if hash.as_char() != '#' {
            return false;
        }
        let first = attr.stream().into_iter().next();
        if matches!(first, Some(TokenTree::Ident(ident)) if ident == "cfg") {
            return true;
        }
    }
    false
}
