//! What a body acquires and calls, and what it holds meanwhile.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{Expr, ExprCall, ExprMethodCall, Macro, Member, Stmt};

use super::Condition;
use crate::gather::Gather;
use crate::names::plain;
use crate::section::{self, Mode, OwnLock};

/// Something that a body does.
pub(super) struct Event {
    pub(super) kind: EventKind,
    /// The smallest token that stands for it.
    pub(super) token: Ident,
    /// What is held at that moment, the last first taken.
    pub(super) held: Vec<OwnLock>,
}

pub(super) enum EventKind {
    /// Waits for locks: several at a time in no order that could be known.
    Acquire(Vec<Acquired>),
    /// Calls a method of the impl, and runs it to its end.
    Call(String),
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
    /// Not for ever.
    pub(super) gives_up: bool,
    pub(super) condition: Option<Condition>,
}

/// How the methods of the impl are called: whether they have to be awaited.
#[derive(Default)]
pub(super) struct Methods(Vec<(String, bool)>);

impl Methods {
    pub(super) fn add(&mut self, name: &Ident, is_async: bool) {
        self.0.push((plain(name), is_async));
    }

    /// Nothing, if it is no method of the impl.
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
    };
    section::walk(body, &mut walk);
    walk.events
}

struct Walk<'m> {
    methods: &'m Methods,
    struct_name: &'m str,
    held: Vec<OwnLock>,
    events: Vec<Event>,
}

impl Walk<'_> {
    fn push(&mut self, kind: EventKind, token: &Ident) {
        self.events.push(Event {
            kind,
            token: token.clone(),
            held: self.held.clone(),
        });
    }

    fn acquire(&mut self, acquired: Acquired, token: &Ident) {
        self.push(EventKind::Acquire(vec![acquired]), token);
    }

    /// What happens when the value of the expression, a future, is awaited.
    fn awaited(&mut self, expr: &Expr) {
        match peeled(expr) {
            Expr::MethodCall(call) if is_self(&call.receiver) => {
                if self.methods.is_async(&call.method) == Some(true) {
                    self.push(EventKind::Call(plain(&call.method)), &call.method);
                } else if self.methods.is_async(&call.method).is_none() {
                    if let Some(acquired) = generated(&call.method, "") {
                        self.acquire(acquired, &call.method);
                    }
                }
            }
            Expr::MethodCall(call) => {
                if let Some(acquired) = of_field(call, "") {
                    self.acquire(acquired, &call.method);
                }
            }
            Expr::Call(call) => {
                if let Some(boxed) = boxed(call) {
                    self.awaited(boxed);
                } else if let Some(method) = self.associated(call) {
                    if self.methods.is_async(method) == Some(true) {
                        self.push(EventKind::Call(plain(method)), method);
                    }
                }
            }
            _ => {}
        }
    }

    /// `m` in `Self::m(self)`, with whatever arguments behind it.
    fn associated<'e>(&self, call: &'e ExprCall) -> Option<&'e Ident> {
        let Expr::Path(path) = peeled(&call.func) else {
            return None;
        };
        let mut segments = path.path.segments.iter().rev();
        let (method, ty) = (&segments.next()?.ident, &segments.next()?.ident);
        let is_own = ty == "Self" || plain(ty) == self.struct_name;
        (is_own && is_self(call.args.first()?)).then_some(method)
    }

    fn method_call(&mut self, call: &ExprMethodCall) {
        if !is_self(&call.receiver) {
            if let Some(acquired) = of_field(call, "_blocking") {
                self.acquire(acquired, &call.method);
            }
        } else if self.methods.is_async(&call.method) == Some(false) {
            self.push(EventKind::Call(plain(&call.method)), &call.method);
        } else if self.methods.is_async(&call.method).is_none() {
            if let Some(acquired) = generated(&call.method, "_blocking") {
                self.acquire(acquired, &call.method);
            }
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
        // Of several locks, each is found by its own name.
        let token = match locks.as_slice() {
            [only] => &only.field,
            _ => name,
        };
        if !acquired.is_empty() {
            self.push(EventKind::Acquire(acquired), token);
        }
        let outside = self.held.len();
        self.held.extend(locks);
        section::walk(&body, self);
        self.held.truncate(outside);
    }
}

impl section::Look for Walk<'_> {
    fn statement(&mut self, statement: &Stmt) -> bool {
        !starts_with_cfg(statement)
    }

    // The arguments come first.
    fn leave(&mut self, expr: &Expr) {
        match expr {
            Expr::Await(expr) => self.awaited(&expr.base),
            Expr::MethodCall(call) => self.method_call(call),
            Expr::Call(call) => {
                if let Some(method) = self.associated(call) {
                    if self.methods.is_async(method) == Some(false) {
                        self.push(EventKind::Call(plain(method)), method);
                    }
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
            _ => section::is_known(mac),
        }
    }
}

/// The expression without what makes no difference to what it is.
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

/// `fut` in `Box::pin(fut)`, by whatever path.
fn boxed(call: &ExprCall) -> Option<&Expr> {
    let Expr::Path(path) = peeled(&call.func) else {
        return None;
    };
    let mut segments = path.path.segments.iter().rev();
    let is_pin = segments.next()?.ident == "pin" && segments.next()?.ident == "Box";
    (is_pin && call.args.len() == 1)
        .then(|| call.args.first())
        .flatten()
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
        "write" => (Mode::Exclusive, quote!(read)),
        "read" => (Mode::Shared, quote!(read)),
        _ => return None,
    };
    // A keyword, or nothing at all, is no name of a field that could be meant.
    let field = syn::parse_str::<Ident>(lock)
        .ok()
        .or_else(|| syn::parse_str(&format!("r#{lock}")).ok())?;
    let field = format_ident!("{field}", span = method.span());
    Some(Acquired {
        condition: Some((kind, field.clone())),
        field,
        mode,
        gives_up: false,
    })
}

/// The lock that a method of a field of `self` waits for: `self.state.lock()`.
fn of_field(call: &ExprMethodCall, suffix: &str) -> Option<Acquired> {
    let Expr::Field(base) = peeled(&call.receiver) else {
        return None;
    };
    let Member::Named(field) = &base.member else {
        return None;
    };
    if !is_self(&base.base) {
        return None;
    }
    let name = plain(&call.method);
    let name = name.strip_suffix(suffix)?;
    let name = name.strip_suffix("_owned").unwrap_or(name);
    let (mode, condition) = match name {
        // A field that no derive knows may be a semaphore, with room for more.
        "acquire" => (Mode::Exclusive, Some((quote!(write), field.clone()))),
        "lock" | "write" => (Mode::Exclusive, None),
        // Excludes other upgradable ones.
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

/// Whether the statement may not be there.
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
