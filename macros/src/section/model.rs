//! What a section acquires, and as what it binds it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Expr, ExprPath, Member};

use super::advice;
use super::function::{Base, Function};
use super::parse::{Argument, LockArgument, Mode, OptionArgument, OptionValue};
use crate::diagnostics::Errors;
use crate::names::{Krate, binding, is_in_capitals, replace_idents};

/// The locks of a section, in the order they are written, and its options.
pub(crate) struct Section {
    pub(super) locks: Vec<Lock>,
    pub(super) options: Options,
    /// Every lock has been understood.
    pub(super) is_complete: bool,
}

/// What the options say. Each keeps the name it was given by, for messages.
#[derive(Default)]
pub(super) struct Options {
    /// `crate = ::path`: how to reach the runtime crate.
    pub(super) krate: Krate,
    /// `no_await`: the body may not suspend.
    pub(super) no_await: Option<Ident>,
    /// `when = condition`: what to wait for at entry.
    pub(super) when: Option<When>,
    /// `timeout = duration`: how long to wait at entry.
    pub(super) timeout: Option<Timeout>,
    /// `atomic`: all or nothing.
    pub(super) atomic: Option<Ident>,
    /// The names that have been seen.
    seen: Vec<Ident>,
}

impl Options {
    /// Reports what has been said already.
    fn add(&mut self, option: OptionArgument, scope: &Scope, errors: &Errors) {
        let OptionArgument { name, value } = option;
        if self.seen.contains(&name) {
            errors.at(
                &name,
                if name == "when" {
                    "a second `when`: write both conditions as one, with `&&`".to_owned()
                } else {
                    format!("the option `{name}` is written twice: remove one")
                },
            );
            return;
        }
        match value {
            OptionValue::Path(path) => self.krate = Krate::at_path(&path),
            OptionValue::Expr(condition) if name == "when" => {
                if advice::is_no_condition(&condition, errors) {
                    return;
                }
                self.when = Some(When {
                    name: name.clone(),
                    condition: scope.rename(condition.to_token_stream()),
                });
            }
            OptionValue::Expr(limit) => {
                self.timeout = Some(Timeout {
                    name: name.clone(),
                    limit: scope.rename(limit.to_token_stream()),
                });
            }
            OptionValue::None if name == "no_await" => self.no_await = Some(name.clone()),
            OptionValue::None => self.atomic = Some(name.clone()),
        }
        self.seen.push(name);
    }
}

/// `when = condition`.
pub(super) struct When {
    pub(super) name: Ident,
    /// As the body would write it.
    pub(super) condition: TokenStream,
}

/// `timeout = duration`.
pub(super) struct Timeout {
    pub(super) name: Ident,
    /// As the body would write it.
    pub(super) limit: TokenStream,
}

/// A lock, and the name of what it leads to.
pub(super) struct Lock {
    pub(super) binding: Ident,
    /// The user has chosen what it is bound as.
    pub(super) is_named: bool,
    pub(super) mode: Mode,
    pub(super) place: Place,
    /// The expression as it is written, for messages at run time.
    pub(super) written: TokenStream,
    /// The acquisition may fail, and the section then returns the error.
    pub(super) question: Option<syn::Token![?]>,
}

/// Where a lock is.
pub(super) enum Place {
    /// `base.field`, which can be a lock of a derived struct.
    Field {
        base: TokenStream,
        field: Ident,
        /// The base is `self`.
        is_own: bool,
    },
    /// A value that is a lock itself.
    Value(TokenStream),
}

impl Place {
    fn field(base: TokenStream, field: &Ident, is_own: bool) -> Self {
        Place::Field {
            base,
            field: field.clone(),
            is_own,
        }
    }
}

impl Lock {
    /// Where messages about the lock point to.
    pub(super) fn span(&self) -> Span {
        match &self.place {
            Place::Field { field, .. } => field.span(),
            Place::Value(value) => value.span(),
        }
    }
}

/// What bare names mean.
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

    /// In a block, they are variables.
    pub(super) fn of_block() -> Self {
        Scope {
            receiver: None,
            params: Vec::new(),
        }
    }
}

impl Section {
    /// Reports the arguments that have no meaning, and leaves them out.
    pub(super) fn new(arguments: Vec<Argument>, scope: &Scope, errors: &Errors) -> Self {
        let mut section = Section {
            locks: Vec::new(),
            options: Options::default(),
            is_complete: errors.is_empty(),
        };
        for argument in arguments {
            match argument {
                Argument::Lock(argument) => {
                    // With a name, what is no lock has been taken for an option.
                    let is_option = argument.name.is_some() && !is_text(&argument.expr);
                    match lock(argument, scope, errors) {
                        Some(lock) => section.locks.push(lock),
                        None => section.is_complete &= is_option,
                    }
                }
                Argument::Option(option) => section.options.add(option, scope, errors),
                Argument::Wrong(error) => errors.push(error),
            }
        }
        section
    }
}

fn lock(argument: LockArgument, scope: &Scope, errors: &Errors) -> Option<Lock> {
    let LockArgument {
        name,
        mode,
        expr,
        question,
    } = argument;
    let written = expr.to_token_stream();
    if !can_be_a_lock(&expr, name.as_ref(), errors) {
        return None;
    }
    let (place, default) = resolve(peeled(&expr), name.as_ref(), scope);
    let is_named = name.is_some();
    let Some(binding) = name.or(default) else {
        errors.at(&expr, advice::nameless(&expr));
        return None;
    };
    Some(Lock {
        binding,
        is_named,
        mode,
        place,
        written,
        question,
    })
}

/// An expression that is no lock, whatever the types, is a misspelled option or
/// a misunderstanding.
fn can_be_a_lock(expr: &Expr, name: Option<&Ident>, errors: &Errors) -> bool {
    let is_never = matches!(
        expr,
        Expr::Lit(_) | Expr::Binary(_) | Expr::Range(_) | Expr::Closure(_) | Expr::Cast(_)
    ) || matches!(expr, Expr::Unary(unary) if !matches!(unary.op, syn::UnOp::Deref(_)));
    if !is_never {
        return true;
    }
    match name.filter(|_| !is_text(expr)) {
        Some(name) => errors.at(
            name,
            format!(
                "`{name}` is not an option, and what follows is not a lock: write \
                 `name = lock`, or one of the options `when`, `timeout`, `atomic`, `no_await` \
                 and `crate`"
            ),
        ),
        None => errors.at(expr, advice::no_lock(expr)),
    }
    false
}

/// Whether it is a name in quotes, which somebody has taken for a lock.
fn is_text(expr: &Expr) -> bool {
    matches!(expr, Expr::Lit(literal) if matches!(literal.lit, syn::Lit::Str(_)))
}

/// The expression without `&` and parentheses around it, which make no
/// difference to where the lock is.
fn peeled(expr: &Expr) -> &Expr {
    match expr {
        Expr::Reference(reference) if reference.mutability.is_none() => peeled(&reference.expr),
        Expr::Paren(paren) => peeled(&paren.expr),
        Expr::Group(group) => peeled(&group.expr),
        other => other,
    }
}

/// Where the lock is, and what it is called if the user does not say.
fn resolve(expr: &Expr, name: Option<&Ident>, scope: &Scope) -> (Place, Option<Ident>) {
    match expr {
        Expr::Field(expr) => {
            if let Member::Named(field) = &expr.member {
                let is_self =
                    matches!(peeled(&expr.base), Expr::Path(path) if path.path.is_ident("self"));
                let base = match &scope.receiver {
                    Some(receiver) if is_self => receiver.object_at(field.span()),
                    _ => scope.rename(expr.base.to_token_stream()),
                };
                return (Place::field(base, field, is_self), Some(binding(field)));
            }
        }
        Expr::Path(path) => {
            let last = last_name(path);
            let field = path.path.get_ident().filter(|field| *field != "self");
            if let (Some(field), Some(base)) = (field, &scope.receiver) {
                if !scope.is_value(field, name) {
                    let base = base.object_at(field.span());
                    return (Place::field(base, field, true), last);
                }
            }
            return (Place::Value(scope.rename(path.to_token_stream())), last);
        }
        _ => {}
    }
    let value = scope.rename(expr.to_token_stream());
    let value = if needs_parentheses(expr) {
        quote!((#value))
    } else {
        value
    };
    (Place::Value(value), None)
}

/// What a path is bound as. `self` is bound already.
fn last_name(path: &ExprPath) -> Option<Ident> {
    let last = &path.path.segments.last()?.ident;
    (last != "self").then(|| binding(last))
}

/// Whether `&expr` would be parsed in another way.
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
    /// only where it has been given a name, and is a parameter or looks like a
    /// static.
    fn is_value(&self, ident: &Ident, name: Option<&Ident>) -> bool {
        name.is_some() && (is_in_capitals(ident) || self.params.contains(ident))
    }

    /// `self` as the body calls it.
    fn rename(&self, tokens: TokenStream) -> TokenStream {
        match &self.receiver {
            Some(base) if base.is_renamed() => replace_idents(tokens, &|ident, _| {
                (ident == "self").then(|| base.at(ident.span()).into_token_stream())
            }),
            _ => tokens,
        }
    }
}
