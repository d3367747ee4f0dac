//! The model of a section: its locks, their bindings, and its options.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Expr, Member};

use super::function::{Base, Function};
use super::mend::{Unnamed, unnamed};
use super::options::OptionArgument;
use super::parse::{LockArgument, Mode};
use super::validate::Arguments;
use crate::gather::Gather;
use crate::names::{Krate, binding, is_in_capitals, peeled, replace_idents};

/// The locks of a section, in the order they are written, and its options.
pub(crate) struct Section {
    pub(super) locks: Vec<Lock>,
    pub(super) options: Options,
    /// Every lock has been understood.
    pub(super) is_complete: bool,
    /// The section in whose body this one is written, if that has marked it.
    pub(super) enclosing: Option<Ident>,
}

/// The options. Each keeps its name as written, for messages.
#[derive(Default)]
pub(super) struct Options {
    /// `crate = ::path`: the path to the runtime crate.
    pub(super) krate: Krate,
    /// `no_await`: the body may not suspend.
    pub(super) no_await: Option<Ident>,
    /// `blocking`: the thread is parked until the locks are acquired.
    pub(super) blocking: Option<Ident>,
    /// `when = condition`: the condition to wait for at entry.
    pub(super) when: Option<When>,
    /// `timeout = duration`: how long to wait at entry.
    pub(super) timeout: Option<Timeout>,
    /// `atomic`: all or nothing.
    pub(super) atomic: Option<Ident>,
}

impl Options {
    fn add(&mut self, option: OptionArgument, scope: &Scope) {
        match option {
            OptionArgument::When(name, condition) => {
                let condition = scope.rename(condition.to_token_stream());
                self.when = Some(When { name, condition });
            }
            OptionArgument::Timeout(name, limit) => {
                let limit = scope.rename(limit.to_token_stream());
                self.timeout = Some(Timeout { name, limit });
            }
            OptionArgument::Atomic(name) => self.atomic = Some(name),
            OptionArgument::NoAwait(name) => self.no_await = Some(name),
            OptionArgument::Blocking(name) => self.blocking = Some(name),
            OptionArgument::Crate(_, path) => self.krate = Krate::at_path(&path),
        }
    }
}

/// `when = condition`.
pub(super) struct When {
    pub(super) name: Ident,
    /// Tokens, with `self` renamed if `#[async_trait]` has renamed it in the body.
    pub(super) condition: TokenStream,
}

/// `timeout = duration`.
pub(super) struct Timeout {
    pub(super) name: Ident,
    /// Tokens, with `self` renamed if `#[async_trait]` has renamed it in the body.
    pub(super) limit: TokenStream,
}

/// A lock, and the name of its binding.
pub(super) struct Lock {
    pub(super) binding: Ident,
    /// The name by which it would be bound, were it not misspelled: see `misnamed`.
    pub(super) not_used: Option<Ident>,
    /// The user has chosen what it is bound as.
    pub(super) is_named: bool,
    pub(super) mode: Mode,
    pub(super) expr: LockExpr,
    /// The expression as it is written, for messages at run time.
    pub(super) written: TokenStream,
    /// The acquisition may fail, and the section then returns the error.
    pub(super) question: Option<syn::Token![?]>,
}

/// The expression of a lock.
pub(super) enum LockExpr {
    /// `base.field`, which can be a lock of a derived struct.
    Field {
        base: TokenStream,
        /// The tokens before `.field`, if they are a path that may be written twice. Then
        /// a lock that no derive knows borrows that field alone.
        path: Option<TokenStream>,
        field: Ident,
        /// What stands in for `.field`, where that is still to be typed.
        unnamed: Option<TokenStream>,
        /// The base is `self`.
        is_own: bool,
    },
    /// A value that is a lock itself.
    Value(TokenStream),
}

impl LockExpr {
    /// A field of `self`.
    fn own(receiver: &Base, field: &Ident) -> Self {
        LockExpr::Field {
            base: receiver.object_at(field.span()),
            path: Some(receiver.at(field.span()).into_token_stream()),
            field: field.clone(),
            unnamed: None,
            is_own: true,
        }
    }
}

/// Whether the expression is a path of variables and fields, which names the same
/// place each time it is evaluated. (A name in capitals may be a constant, which is
/// another value each time.)
fn is_path_of_fields(expr: &Expr) -> bool {
    match expr {
        Expr::Field(expr) => is_path_of_fields(&expr.base),
        Expr::Paren(expr) => is_path_of_fields(&expr.expr),
        Expr::Group(expr) => is_path_of_fields(&expr.expr),
        Expr::Path(path) => {
            let ident = path.path.get_ident();
            ident.is_some_and(|ident| !is_in_capitals(ident))
        }
        _ => false,
    }
}

impl Lock {
    /// The place of messages about the lock.
    pub(super) fn span(&self) -> Span {
        match &self.expr {
            LockExpr::Field { field, .. } => field.span(),
            LockExpr::Value(value) => value.span(),
        }
    }
}

/// The meaning of bare names.
pub(super) struct Scope {
    /// The object whose fields they are.
    receiver: Option<Base>,
    /// The names of parameters.
    params: Vec<Ident>,
}

impl Scope {
    pub(super) fn of_fn(function: &Function) -> Self {
        Scope {
            receiver: function.base(),
            params: function.param_names(),
        }
    }

    /// In a block, bare names are variables.
    pub(super) fn of_block() -> Self {
        Scope {
            receiver: None,
            params: Vec::new(),
        }
    }
}

impl Section {
    pub(super) fn new(arguments: Arguments, scope: &Scope) -> Self {
        let Arguments {
            locks,
            options,
            is_complete,
        } = arguments;
        let mut section = Section {
            locks: locks
                .into_iter()
                .filter_map(|argument| lock(argument, scope))
                .gather(),
            options: Options::default(),
            is_complete,
            enclosing: None,
        };
        for option in options {
            section.options.add(option, scope);
        }
        section
    }
}

impl Section {
    /// All that sees the bindings: the body, and the condition.
    pub(super) fn seen_by(&self, body: &TokenStream) -> TokenStream {
        let condition = self.options.when.as_ref().map(|when| &when.condition);
        quote!(#condition; #body)
    }
}

/// A lock with a name: `validate` has found the others.
fn lock(argument: LockArgument, scope: &Scope) -> Option<Lock> {
    let LockArgument {
        name,
        mode,
        expr,
        question,
    } = argument;
    let resolved = resolve(peeled(&expr), name.as_ref(), scope);
    Some(Lock {
        is_named: name.is_some(),
        not_used: None,
        binding: name.or_else(|| default_name(&expr))?,
        mode,
        expr: resolved,
        written: expr.into_token_stream(),
        question,
    })
}

/// The default name of a lock's binding: the last name in the
/// expression. `self` is bound already.
pub(super) fn default_name(expr: &Expr) -> Option<Ident> {
    if let Some(unnamed) = unnamed(peeled(expr)) {
        return Some(unnamed.binding);
    }
    let last = match peeled(expr) {
        Expr::Field(expr) => match &expr.member {
            Member::Named(field) => field,
            Member::Unnamed(_) => return None,
        },
        Expr::Path(path) => &path.path.segments.last()?.ident,
        _ => return None,
    };
    binding(last).filter(|_| last != "self")
}

/// Resolves the expression of a lock.
fn resolve(expr: &Expr, name: Option<&Ident>, scope: &Scope) -> LockExpr {
    if let Some(Unnamed {
        base,
        access,
        binding,
    }) = unnamed(expr)
    {
        let is_self = matches!(peeled(&base), Expr::Path(path) if path.path.is_ident("self"));
        let written = scope.rename(base.to_token_stream());
        let receiver = scope.receiver.as_ref().filter(|_| is_self);
        let object = receiver.map(|receiver| receiver.object_at(binding.span()));
        return LockExpr::Field {
            base: object.unwrap_or_else(|| written.clone()),
            path: is_path_of_fields(&base).then_some(written),
            field: binding,
            unnamed: Some(access),
            is_own: false,
        };
    }
    match expr {
        Expr::Field(expr) => {
            if let Member::Named(field) = &expr.member {
                let is_self =
                    matches!(peeled(&expr.base), Expr::Path(path) if path.path.is_ident("self"));
                if let Some(receiver) = scope.receiver.as_ref().filter(|_| is_self) {
                    return LockExpr::own(receiver, field);
                }
                let base = scope.rename(expr.base.to_token_stream());
                return LockExpr::Field {
                    path: is_path_of_fields(&expr.base).then(|| base.clone()),
                    base,
                    field: field.clone(),
                    unnamed: None,
                    is_own: is_self,
                };
            }
        }
        Expr::Path(path) => {
            let field = path.path.get_ident().filter(|field| *field != "self");
            if let (Some(field), Some(base)) = (field, &scope.receiver) {
                if !scope.is_value(field, name) {
                    return LockExpr::own(base, field);
                }
            }
        }
        _ => {}
    }
    let value = scope.rename(expr.to_token_stream());
    LockExpr::Value(if needs_parentheses(expr) {
        quote!((#value))
    } else {
        value
    })
}

/// Whether `&expr` would be parsed differently without parentheses.
fn needs_parentheses(expr: &Expr) -> bool {
    !matches!(
        expr,
        Expr::Call(_)
            | Expr::MethodCall(_)
            | Expr::Field(_)
            | Expr::Index(_)
            | Expr::Macro(_)
            | Expr::Await(_)
            | Expr::Try(_)
            | Expr::Unary(_)
            | Expr::Path(_)
    )
}

impl Scope {
    /// Whether a bare name in a method is a value, and not a field of `self`:
    /// only if the user has named the binding, and it is a parameter or looks like a
    /// static.
    fn is_value(&self, ident: &Ident, name: Option<&Ident>) -> bool {
        name.is_some() && (is_in_capitals(ident) || self.params.contains(ident))
    }

    /// Renames `self` to its name in the body.
    fn rename(&self, tokens: TokenStream) -> TokenStream {
        match &self.receiver {
            Some(base) if base.is_renamed() => replace_idents(tokens, &|ident, _| {
                (ident == "self").then(|| base.at(ident.span()).into_token_stream())
            }),
            _ => tokens,
        }
    }
}
