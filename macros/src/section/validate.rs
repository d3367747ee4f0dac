//! The rules: first for each argument by itself, without the fn, then for the section as
//! a whole.

use std::fmt::Display;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Expr;

use super::control_flow::{self, Exit, Suspension};
use super::function::{Function, Kind};
use super::model::{Lock, LockExpr, Section, default_name};
use super::options::{OptionArgument, SectionOption};
use super::parse::{Argument, LockArgument, Mode};
use super::suggest;
use crate::diagnostics::Errors;
use crate::names::{has_ident, plain, text};

/// The valid arguments.
pub(super) struct Arguments {
    pub(super) locks: Vec<LockArgument>,
    pub(super) options: Vec<OptionArgument>,
    /// Every lock has been understood.
    pub(super) is_complete: bool,
}

/// Reports the invalid arguments, and leaves them out.
pub(super) fn arguments(arguments: Vec<Argument>, errors: &Errors) -> Arguments {
    let mut valid = Arguments {
        locks: Vec::new(),
        options: Vec::new(),
        is_complete: errors.is_empty(),
    };
    for argument in arguments {
        match argument {
            Argument::Lock(lock) => {
                if is_lock(&lock, errors) {
                    valid.locks.push(lock);
                } else {
                    // With a name, it was taken for an option.
                    valid.is_complete &= lock.name.is_some() && !is_text(&lock.expr);
                }
            }
            Argument::Option(option) => {
                if is_option(&option, &valid.options, errors) {
                    valid.options.push(option);
                }
            }
            Argument::Wrong(error) => errors.push(error),
        }
    }
    valid
}

/// An expression that cannot be a lock, whatever the types, is a misspelled option or
/// a misunderstanding. Any other needs a name.
fn is_lock(lock: &LockArgument, errors: &Errors) -> bool {
    let LockArgument { name, expr, .. } = lock;
    let is_never = matches!(
        expr,
        Expr::Lit(_) | Expr::Binary(_) | Expr::Range(_) | Expr::Closure(_) | Expr::Cast(_)
    ) || matches!(expr, Expr::Unary(unary) if !matches!(unary.op, syn::UnOp::Deref(_)));
    if is_never {
        match name.as_ref().filter(|_| !is_text(expr)) {
            Some(name) => errors.at(
                name,
                format!(
                    "`{name}` is not an option, and what follows is not a lock: write \
                     `name = lock`, or one of the options {}",
                    SectionOption::list()
                ),
            ),
            None => errors.at(expr, suggest::not_a_lock(expr)),
        }
        return false;
    }
    let is_named = name.is_some() || default_name(expr).is_some();
    if !is_named {
        errors.at(expr, suggest::nameless(expr));
    }
    is_named
}

/// Whether it is a name in quotes, taken for a lock.
fn is_text(expr: &Expr) -> bool {
    matches!(expr, Expr::Lit(literal) if matches!(literal.lit, syn::Lit::Str(_)))
}

/// An option is written once, and makes sense by itself.
fn is_option(option: &OptionArgument, earlier: &[OptionArgument], errors: &Errors) -> bool {
    let name = option.name();
    if earlier.iter().any(|earlier| earlier.name() == name) {
        let message = match option {
            OptionArgument::When(..) => {
                "a second `when`: write both conditions as one, with `&&`".to_owned()
            }
            OptionArgument::Timeout(..)
            | OptionArgument::Atomic(_)
            | OptionArgument::NoAwait(_)
            | OptionArgument::Blocking(_)
            | OptionArgument::Crate(..) => {
                format!("the option `{name}` is written twice: remove one")
            }
        };
        errors.at(name, message);
        return false;
    }
    match option {
        OptionArgument::When(_, condition) => is_condition(condition, errors),
        OptionArgument::Timeout(..)
        | OptionArgument::Atomic(_)
        | OptionArgument::NoAwait(_)
        | OptionArgument::Blocking(_)
        | OptionArgument::Crate(..) => true,
    }
}

/// Not `when = |view| ..`, nor `when = x = 1`, nor what suspends.
fn is_condition(condition: &Expr, errors: &Errors) -> bool {
    match condition {
        Expr::Closure(_) => errors.at(
            condition,
            "a condition is an expression, not a closure: write it alone, the lock is bound in it \
             by its name",
        ),
        Expr::Assign(assign) => errors.at(
            assign.eq_token,
            "a condition is compared, and this is an assignment: write `==`",
        ),
        _ => match find_await(condition.to_token_stream()) {
            Some(suspension) => errors.at(
                suspension,
                "a condition is looked at while the lock is held, and cannot suspend: await it \
                 before the section, and use the value",
            ),
            None => return true,
        },
    }
    false
}

/// The first `await` of an `.await`, at any depth.
fn find_await(tokens: TokenStream) -> Option<Ident> {
    let mut after_dot = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                if let Some(found) = find_await(group.stream()) {
                    return Some(found);
                }
                after_dot = false;
            }
            TokenTree::Ident(ident) if after_dot && ident == "await" => return Some(ident),
            TokenTree::Punct(punct) => after_dot = punct.as_char() == '.',
            _ => after_dot = false,
        }
    }
    None
}

pub(super) fn function(function: &mut Function, section: &mut Section, errors: &Errors) {
    if section.locks.is_empty() && errors.is_empty() {
        errors.push(syn::Error::new(
            Span::call_site(),
            "`#[synchronized]` without a lock: write the name of the field that is the lock, \
             `#[synchronized(lock)]`",
        ));
    }
    check_asynchrony(function, section, errors);
    section.is_complete &= check_conditions(section, errors);
    if section.options.no_await.is_none() {
        check_sections_within(function, errors);
    }
    section.is_complete &= check_constness(function, errors);
    // Otherwise the body would be reported for its use of a parameter that is shadowed.
    section.is_complete &= check_params(function, section, errors);
    common(section, &function.statements(), is_plain(function), errors);
}

pub(super) fn block(section: &Section, body: &TokenStream, errors: &Errors) {
    if section.locks.is_empty() && errors.is_empty() {
        errors.push(syn::Error::new(
            Span::call_site(),
            "`with_lock!` without a lock: write it in front of the block, \
             `with_lock!(account.ledger, { .. })`",
        ));
    }
    common(section, body, section.options.blocking.is_some(), errors);
    check_exits(section, body, errors);
    check_blocking(section, body, errors);
}

fn common(section: &Section, body: &TokenStream, parks: bool, errors: &Errors) {
    // Unit tests do not depend on the features that happen to be on. A thread that is
    // parked needs no timer.
    let has_timer = parks || cfg!(feature = "timer") || cfg!(test);
    check_timeout(section, has_timer, errors);
    check_atomic(section, errors);
    check_when(section, errors);
    check_bindings(section, errors);
    check_suspensions(section, body, errors);
}

/// One condition, at one lock.
fn check_when(section: &Section, errors: &Errors) {
    let Some(when) = &section.options.when else {
        return;
    };
    if section.locks.len() > 1 {
        errors.at(
            &when.name,
            "`when` waits at one lock, and there are several here: acquire the others in the \
             body, with `with_lock!`, in an order that is the same everywhere",
        );
    }
}

/// A plain fn, which parks its thread.
fn is_plain(function: &Function) -> bool {
    function.kind == Kind::Plain
}

/// A thread is parked in a plain fn.
fn check_asynchrony(function: &Function, section: &Section, errors: &Errors) {
    let blocking = section.options.blocking.as_ref();
    if let Some(blocking) = blocking.filter(|_| !is_plain(function)) {
        errors.at(
            blocking,
            "`blocking` parks the thread, which an executor needs for its other tasks, and an \
             `async fn` waits without: remove `blocking`",
        );
    }
}

/// What looks into another lock of the section is a condition by another name: no lock is found
/// by what one guards, which is bound once all are acquired.
fn check_conditions(section: &Section, errors: &Errors) -> bool {
    let mut is_right = true;
    for lock in section.locks.iter().filter(|lock| lock.is_named) {
        let Some(TokenTree::Ident(first)) = lock.written.clone().into_iter().next() else {
            continue;
        };
        let is_looked_into = |other: &Lock| {
            let is_own = matches!(other.expr, LockExpr::Field { is_own: true, .. });
            is_own && !other.is_named && other.binding == first
        };
        let is_path = matches!(&lock.expr, LockExpr::Field { path: Some(_), .. });
        if is_path && section.locks.iter().any(is_looked_into) {
            is_right = false;
            let (name, written) = (&lock.binding, text(&lock.written));
            errors.at(
                name,
                format!(
                    "`{name}` is not an option, and `{written}` can be seen once `{first}` is \
                     held: to wait for a condition, write `when = {written}`"
                ),
            );
        }
    }
    is_right
}

/// In a plain fn, a section within parks the thread, too.
fn check_sections_within(function: &mut Function, errors: &Errors) {
    if !is_plain(function) {
        return;
    }
    let mut any = false;
    for suspension in control_flow::find_suspensions(&function.body) {
        if let Suspension::Section(name) = suspension {
            any = true;
            errors.at(
                &name,
                format!(
                    "`{name}!` awaits its lock, which a plain fn cannot: acquire both locks by \
                     `#[synchronized]`, or write the option `blocking`, \
                     `{name}!(lock, blocking, {{ .. }})`"
                ),
            );
        }
    }
    if any {
        function.body = control_flow::park(function.body.clone());
    }
}

/// A lock is acquired at run time, not in a `const fn`.
fn check_constness(function: &Function, errors: &Errors) -> bool {
    let constness = &function.sig.constness;
    if constness.is_some() {
        errors.at(
            constness,
            "a `const fn` can be called where no program runs yet, and acquires no lock: remove \
             `const`",
        );
    }
    constness.is_none()
}

/// A block that suspends is in async code, which must not park a thread.
fn check_blocking(section: &Section, body: &TokenStream, errors: &Errors) {
    let Some(blocking) = &section.options.blocking else {
        return;
    };
    let suspensions = control_flow::find_suspensions(body);
    let is_await = |found: &Suspension| matches!(found, Suspension::Await(_));
    if suspensions.iter().any(is_await) {
        errors.at(
            blocking,
            "`blocking` parks the thread, which an executor needs for its other tasks, and the \
             `.await` in the block says that it has one: remove `blocking`",
        );
    }
}

/// No parameter is shadowed by a lock with a default name. A parameter that is the lock itself
/// may be: it has no other use.
fn check_params(function: &Function, section: &Section, errors: &Errors) -> bool {
    let params = function.bound_names();
    let mut is_right = true;
    for lock in section.locks.iter().filter(|lock| !lock.is_named) {
        let LockExpr::Field {
            base,
            field,
            is_own,
            ..
        } = &lock.expr
        else {
            continue;
        };
        let Some(&param) = params.iter().find(|param| ***param == lock.binding) else {
            continue;
        };
        let place = if *is_own {
            format!("self.{field}")
        } else {
            text(&lock.written)
        };
        let held = |place: &dyn Display| match lock.mode {
            Mode::Shared => format!("read({place})"),
            Mode::Exclusive => place.to_string(),
        };
        let or_this = if *param == lock.written.to_string() {
            format!(
                ", or if the parameter is the lock, `other = {}`",
                held(param)
            )
        } else if has_ident(base, &plain(param)) {
            format!(
                ", or if the body does not need the parameter, the same, `{param} = {}`",
                held(&place)
            )
        } else {
            String::new()
        };
        is_right = false;
        errors.at(
            &lock.written,
            format!(
                "the parameter `{param}` could not be used in the body, where the lock has its \
                 name: give the lock another one, `other = {}`{or_this}",
                held(&place)
            ),
        );
    }
    is_right
}

/// There is a timer.
pub(super) fn check_timeout(section: &Section, has_timer: bool, errors: &Errors) {
    if let Some(timeout) = section.options.timeout.as_ref().filter(|_| !has_timer) {
        errors.at(
            &timeout.name,
            "`timeout` needs a timer, which async-monitor takes from a runtime: enable its \
             feature `tokio` or `smol`, \
             `async-monitor = { version = \"..\", features = [\"tokio\"] }`",
        );
    }
}

/// There is something to roll back.
fn check_atomic(section: &Section, errors: &Errors) {
    let Some(atomic) = &section.options.atomic else {
        return;
    };
    let is_read = |lock: &Lock| lock.mode == Mode::Shared;
    if !section.locks.is_empty() && section.locks.iter().all(is_read) {
        errors.at(
            atomic,
            "`atomic` puts back what a section has changed, and this one only reads: remove \
             `atomic`, or acquire the lock by `write(..)`",
        );
    }
}

/// An `atomic` block commits at its end, so it must not be left before.
fn check_exits(section: &Section, body: &TokenStream, errors: &Errors) {
    if section.options.atomic.is_none() {
        return;
    }
    const ADVICE: &str = "leaves a block that is `atomic` before its end, where it is committed, \
                          so that all would be put back: let the value of the block say what to \
                          do and do it behind the block, or write the section as a fn, \
                          `#[synchronized(.., atomic)]`, which is undone only where it returns an `Err`";
    for exit in control_flow::find_exits(body) {
        match exit {
            Exit::Return(keyword) => errors.at(keyword, format!("this `return` {ADVICE}")),
            Exit::Break(keyword) => errors.at(keyword, format!("this `break` {ADVICE}")),
            Exit::Continue(keyword) => errors.at(keyword, format!("this `continue` {ADVICE}")),
        }
    }
}

/// Every lock has another binding.
fn check_bindings(section: &Section, errors: &Errors) {
    for (index, lock) in section.locks.iter().enumerate() {
        let mut earlier = section.locks.iter().take(index);
        if earlier.any(|earlier| earlier.binding == lock.binding) {
            let (binding, written) = (&lock.binding, text(&lock.written));
            let other = if has_ident(&lock.written, "other") {
                "second"
            } else {
                "other"
            };
            errors.at(
                &lock.written,
                format!(
                    "two locks would be bound as `{binding}`: give this one another name, \
                     `{other} = {written}`"
                ),
            );
        }
    }
}

/// Under `no_await`, the body has no visible suspension.
fn check_suspensions(section: &Section, body: &TokenStream, errors: &Errors) {
    if section.options.no_await.is_none() {
        return;
    }
    for suspension in control_flow::find_suspensions(body) {
        match suspension {
            Suspension::Await(keyword) => errors.at(
                keyword,
                "`.await` in a section that is `no_await`, which could be cancelled here: await \
                 before or after the section, or remove `no_await`",
            ),
            Suspension::Section(name) => errors.at(
                &name,
                format!(
                    "`{name}!` waits for a lock in a section that is `no_await`, which could be \
                     cancelled here: acquire both locks by one section, or remove `no_await`"
                ),
            ),
        }
    }
}
