//! The model of a derived struct: its locks, and the data that each of them guards.

use syn::{Attribute, Generics, Ident, Type, Visibility};

use super::generics::Params;
use super::options::Options;
use super::parse::{FieldInput, Input};
use super::types::{data_lock, guarded_value, is_sync_lock};
use crate::gather::Gather;
use crate::names::{Krate, camel_case, plain, public};

/// A struct whose fields are guarded.
pub(super) struct Monitor {
    pub(super) ident: Ident,
    pub(super) vis: Visibility,
    /// How to reach the runtime crate.
    pub(super) krate: Krate,
    pub(super) params: Params,
    pub(super) locks: Vec<LockField>,
    /// All fields, in order.
    pub(super) fields: Vec<AnyField>,
    pub(super) generics: Generics,
    pub(super) options: Options,
}

/// A field of the struct.
pub(super) struct AnyField {
    pub(super) ident: Ident,
    pub(super) ty: Type,
    pub(super) kind: FieldKind,
}

/// The kind of a field, and its index in [`Monitor::locks`].
pub(super) enum FieldKind {
    Lock(usize),
    GuardedBy(usize),
    Unguarded,
}

/// A field that is a lock.
pub(super) struct LockField {
    pub(super) ident: Ident,
    pub(super) vis: Visibility,
    pub(super) ty: Type,
    pub(super) is_rw: bool,
    /// It is a sync lock.
    pub(super) is_sync: bool,
    pub(super) contents: Contents,
}

/// The data that a lock guards.
pub(super) enum Contents {
    /// Other fields of the struct, perhaps none.
    Fields(Vec<GuardedField>),
    /// The value that is inside of the lock.
    Value {
        ty: Box<Type>,
        /// Whether `&mut` to the field gives access to the value.
        is_owned: bool,
    },
}

/// A field that a lock guards: `field: Guarded<value>`.
pub(super) struct GuardedField {
    pub(super) ident: Ident,
    pub(super) vis: Visibility,
    pub(super) docs: Vec<Attribute>,
    pub(super) value: Type,
}

impl FieldInput {
    /// The part of the names of a lock's types that stands for the lock.
    pub(super) fn type_name(&self) -> String {
        camel_case(&plain(&self.ident))
    }

    /// Whether it is a sync lock.
    fn is_sync(&self) -> bool {
        self.lock.as_ref().is_some_and(|lock| lock.is_sync) || is_sync_lock(&self.ty)
    }
}

impl Input {
    /// The field of that name.
    pub(super) fn field(&self, name: &Ident) -> Option<&FieldInput> {
        self.fields.iter().find(|field| field.ident == *name)
    }

    /// The fields that are marked as a lock or named as one.
    pub(super) fn locks(&self) -> impl Iterator<Item = &FieldInput> {
        let named = |lock: &FieldInput| {
            let is_named_by = |field: &FieldInput| field.guarded_by.as_ref() == Some(&lock.ident);
            self.fields.iter().any(is_named_by)
        };
        self.fields
            .iter()
            .filter(move |field| field.lock.is_some() || named(field))
            .filter(|field| guarded_value(&field.ty).is_none())
    }

    /// The lock that guards the fields that name none.
    pub(super) fn only_lock(&self) -> Option<&FieldInput> {
        let mut locks = self.locks();
        let only = locks.next();
        only.filter(|_| locks.next().is_none())
    }

    /// The lock that guards the field, by its attribute or because there is only
    /// one.
    pub(super) fn lock_of(&self, field: &FieldInput) -> Option<&FieldInput> {
        match &field.guarded_by {
            Some(name) => self.field(name),
            None => guarded_value(&field.ty).and_then(|_| self.only_lock()),
        }
    }
}

impl Monitor {
    /// Leaves out the wrong parts of the input, which have been reported.
    pub(super) fn new(input: Input) -> Self {
        // The use of a parameter may be inside of a `Guarded` or a lock.
        let last = input.fields.last().map(|field| {
            let inside = data_lock(&field.ty).map(|data| data.value);
            guarded_value(&field.ty).or(inside).unwrap_or(&field.ty)
        });
        let params = Params::new(&input.ident, &input.generics, last);
        let mut names = Vec::new();
        let locks = input
            .locks()
            .filter(|field| !field.is_wrong && is_new(field.type_name(), &mut names))
            .map(|lock| LockField {
                ident: lock.ident.clone(),
                vis: generated(lock.vis.clone()),
                ty: params.outside(&lock.ty),
                is_rw: lock.lock.as_ref().is_some_and(|lock| lock.is_rw),
                is_sync: lock.is_sync(),
                contents: contents(&input, lock, &params),
            })
            .gather();
        let locks: Vec<LockField> = locks;
        let fields = input
            .fields
            .iter()
            .map(|field| AnyField {
                ident: field.ident.clone(),
                ty: params.outside(&field.ty),
                kind: field_kind(field, &locks),
            })
            .gather();
        Monitor {
            ident: input.ident,
            vis: generated(input.vis),
            krate: input.options.krate.clone(),
            params,
            locks,
            fields,
            generics: input.generics,
            options: input.options,
        }
    }
}

fn field_kind(field: &FieldInput, locks: &[LockField]) -> FieldKind {
    let is_guarded = |lock: &LockField| match &lock.contents {
        Contents::Fields(fields) => fields.iter().any(|guarded| guarded.ident == field.ident),
        Contents::Value { .. } => false,
    };
    let lock = locks.iter().position(|lock| lock.ident == field.ident);
    let guarded = locks.iter().position(is_guarded);
    match (lock, guarded) {
        (Some(lock), _) => FieldKind::Lock(lock),
        (None, Some(lock)) => FieldKind::GuardedBy(lock),
        (None, None) => FieldKind::Unguarded,
    }
}

/// The visibility of a generated item. Its first token tells lints that the item is generated.
/// (Otherwise, for a struct written by a macro of the user's, they would check both.)
fn generated(mut vis: Visibility) -> Visibility {
    match &mut vis {
        Visibility::Public(token) => token.span = public(token.span),
        Visibility::Restricted(vis) => vis.pub_token.span = public(vis.pub_token.span),
        Visibility::Inherited => {}
    }
    vis
}

/// Adds the name. Returns whether it was new.
fn is_new(name: String, names: &mut Vec<String>) -> bool {
    let is_new = !names.contains(&name);
    names.push(name);
    is_new
}

fn contents(input: &Input, lock: &FieldInput, params: &Params) -> Contents {
    if let Some(data) = data_lock(&lock.ty) {
        return Contents::Value {
            ty: Box::new(params.outside(data.value)),
            is_owned: data.is_owned,
        };
    }
    let is_guarded = |field: &&FieldInput| {
        let by = input.lock_of(field);
        by.is_some_and(|by| by.ident == lock.ident) && !field.is_wrong
    };
    let guarded = input.fields.iter().filter(is_guarded).filter_map(|field| {
        Some(GuardedField {
            ident: field.ident.clone(),
            vis: generated(field.vis.clone()),
            docs: field.docs.clone(),
            value: params.outside(guarded_value(&field.ty)?),
        })
    });
    Contents::Fields(guarded.gather())
}
