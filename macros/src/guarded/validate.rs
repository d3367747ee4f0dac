//! The rules that involve more than one attribute.

use syn::Ident;

use super::parse::{FieldInput, Input};
use super::types::{data_lock, guarded_value, looks_like_lock};
use crate::diagnostics::Errors;
use crate::gather::Gather;
use crate::names::{is_near, plain};

pub(super) fn validate(input: &Input, errors: &Errors) {
    for field in input.fields.iter().filter(|field| !field.is_wrong) {
        match &field.guarded_by {
            Some(lock) => {
                check_lock_name(input, field, lock, errors);
                if *lock != field.ident {
                    check_guarded_type(field, lock, errors);
                }
            }
            None => check_is_guarded(input, field, errors),
        }
        check_marked(field, errors);
    }
    check_there_is_a_lock(input, errors);
    check_type_names(input, errors);
}

/// `guarded_by` names another field, which is a lock without data of its own.
fn check_lock_name(input: &Input, field: &FieldInput, name: &Ident, errors: &Errors) {
    let Some(lock) = input.field(name) else {
        let mut candidates = candidates(input);
        let near = candidates
            .iter()
            .position(|lock| is_near(&plain(name), &plain(lock)));
        if let Some(near) = near {
            candidates = vec![candidates.swap_remove(near)];
        }
        let advice = if candidates.is_empty() {
            format!("add the lock to the struct: `{name}: Lock`")
        } else {
            format!("write {}", one_of(&candidates, "#[guarded_by(", ")]"))
        };
        return errors.at(
            name,
            format!("`{name}` is not a field of `{}`: {advice}", input.ident),
        );
    };
    if lock.ident == field.ident {
        errors.at(name, format!("`{name}` cannot guard itself: name the lock"));
    } else if guarded_value(&lock.ty).is_some() {
        errors.at(
            name,
            format!("`{name}` is a guarded field, not a lock: name the lock that guards it"),
        );
    } else if data_lock(&lock.ty).is_some() {
        errors.at(
            name,
            format!(
                "`{name}` is a lock with data of its own, and that is what it guards: \
                 move `{}` into it, or guard it with a `Lock`",
                field.ident
            ),
        );
    }
}

/// A guarded field is a `Guarded<_>`.
fn check_guarded_type(field: &FieldInput, lock: &Ident, errors: &Errors) {
    if guarded_value(&field.ty).is_none() {
        let FieldInput { ident, ty, .. } = field;
        let ty_text = quote::ToTokens::to_token_stream(ty)
            .to_string()
            .replace(' ', "");
        errors.at(
            ty,
            format!(
                "`{ident}` could be reached without `{lock}`: write `{ident}: Guarded<{ty_text}>`"
            ),
        );
    }
}

/// A `Guarded<_>` says which lock it belongs to, unless there is only one.
fn check_is_guarded(input: &Input, field: &FieldInput, errors: &Errors) {
    let ident = &field.ident;
    if guarded_value(&field.ty).is_none() {
        return;
    }
    match input.only_lock() {
        Some(lock) if data_lock(&lock.ty).is_some() => errors.at(
            ident,
            format!(
                "nothing guards `{ident}`, as `{}` is a lock with data of its own: move it into \
                 that, or guard it with a `Lock`",
                lock.ident
            ),
        ),
        Some(_) => {}
        None => {
            let candidates = candidates(input);
            let advice = if candidates.is_empty() {
                "add a lock, `name: Lock`, and write `#[guarded_by(name)]` here".to_owned()
            } else {
                format!("write {}", one_of(&candidates, "#[guarded_by(", ")]"))
            };
            errors.at(
                ident,
                format!("which lock guards `{ident}` is not said: {advice}"),
            );
        }
    }
}

/// `#[lock]` stands on a lock.
fn check_marked(field: &FieldInput, errors: &Errors) {
    let Some(lock) = &field.lock else { return };
    if guarded_value(&field.ty).is_some() {
        errors.at(
            &lock.attribute,
            format!(
                "`{}` is what a lock guards, not a lock: write `#[guarded_by(lock)]`, with the \
                 name of the lock",
                field.ident
            ),
        );
    }
}

/// There is something to derive.
fn check_there_is_a_lock(input: &Input, errors: &Errors) {
    let has_attributes =
        |field: &FieldInput| field.is_wrong || field.guarded_by.is_some() || field.lock.is_some();
    let is_about_locks =
        |field: &FieldInput| has_attributes(field) || guarded_value(&field.ty).is_some();
    if input.fields.iter().any(is_about_locks) {
        return; // and if there is no lock, that has been reported there
    }
    let advice = match input.fields.iter().find(|field| looks_like_lock(&field.ty)) {
        Some(lock) => format!(
            "write `#[lock]` above `{0}`, or `#[guarded_by({0})]` above what it guards",
            lock.ident
        ),
        None => "add a field `name: Lock`, and write `#[guarded_by(name)]` above what it guards, \
                 a `Guarded<_>`"
            .to_owned(),
    };
    errors.at(
        &input.ident,
        format!(
            "`{}` has no lock to derive anything for: {advice}",
            input.ident
        ),
    );
}

/// Each lock has types of its own name.
fn check_type_names(input: &Input, errors: &Errors) {
    let mut seen: Vec<(String, &Ident)> = Vec::new();
    for lock in input.locks() {
        let name = lock.type_name();
        if let Some((_, first)) = seen.iter().find(|(other, _)| *other == name) {
            errors.at(
                &lock.ident,
                format!(
                    "the types of `{}` and of `{first}` would have the same name, `{}{name}..`: \
                     rename one of the fields",
                    lock.ident, input.ident
                ),
            );
        }
        seen.push((name, &lock.ident));
    }
}

/// The fields that could be meant by `guarded_by`.
fn candidates(input: &Input) -> Vec<&Ident> {
    let is_candidate = |field: &&FieldInput| {
        let is_lock = input.locks().any(|lock| lock.ident == field.ident);
        (is_lock || looks_like_lock(&field.ty)) && data_lock(&field.ty).is_none()
    };
    let fields = input.fields.iter().filter(is_candidate);
    fields.map(|field| &field.ident).gather()
}

fn one_of(names: &[&Ident], before: &str, after: &str) -> String {
    let quoted: Vec<_> = names
        .iter()
        .map(|name| format!("`{before}{name}{after}`"))
        .gather();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} or {last}", first.join(", ")),
        None => String::new(),
    }
}
