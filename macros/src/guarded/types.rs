//! The types that the derive recognizes by the last segment of their path.

use syn::{GenericArgument, PathArguments, Type};

/// `T`, if the type is written as `name<T>` or `some::path::name<T>`.
fn argument<'t>(ty: &'t Type, name: &str) -> Option<&'t Type> {
    let Type::Path(path) = peeled(ty) else {
        return None;
    };
    let segment = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    let mut arguments = arguments.args.iter();
    match (arguments.next(), arguments.next()) {
        (Some(GenericArgument::Type(ty)), None) if segment.ident == name => Some(ty),
        _ => None,
    }
}

/// The type without the parentheses and invisible groups around it.
fn peeled(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peeled(&group.elem),
        Type::Paren(paren) => peeled(&paren.elem),
        other => other,
    }
}

/// The `T` of a `Guarded<T>`.
pub(super) fn guarded_value(ty: &Type) -> Option<&Type> {
    argument(ty, "Guarded")
}

/// Whether the last segment of the type is the name of a lock: for suggestions only.
pub(super) fn looks_like_lock(ty: &Type) -> bool {
    if let Some(inner) = pointee(ty) {
        return looks_like_lock(inner);
    }
    let Type::Path(path) = peeled(ty) else {
        return false;
    };
    path.path.segments.last().is_some_and(|segment| {
        segment.ident == "Lock" || segment.ident == "Mutex" || segment.ident == "RwLock"
    })
}

/// The target of an `Arc`, a `Box`, an `Rc` or a reference.
fn pointee(ty: &Type) -> Option<&Type> {
    match peeled(ty) {
        Type::Reference(reference) => Some(&reference.elem),
        other => ["Arc", "Box", "Rc"]
            .iter()
            .find_map(|name| argument(other, name)),
    }
}

/// Whether the type is written as a sync lock, perhaps behind a pointer:
/// `sync::Lock`, `sync::Mutex<T>` or `sync::RwLock<T>`, at any path except those of other
/// crates that are known to have such types.
pub(super) fn is_sync_lock(ty: &Type) -> bool {
    if let Some(inner) = pointee(ty) {
        return is_sync_lock(inner);
    }
    let Type::Path(path) = peeled(ty) else {
        return false;
    };
    let segments = &path.path.segments;
    let is_in_sync = segments
        .iter()
        .rev()
        .nth(1)
        .is_some_and(|segment| segment.ident == "sync");
    let is_of_another = segments.first().is_some_and(|first| {
        ["std", "core", "tokio", "async_std", "futures"]
            .iter()
            .any(|name| first.ident == name)
    });
    is_in_sync && !is_of_another && looks_like_lock(ty)
}

/// A lock with a value inside, such as `Mutex<T>`.
#[derive(Clone, Copy)]
pub(super) struct DataLock<'t> {
    pub(super) value: &'t Type,
    /// Whether `&mut` to the field gives access to the value: not through `Arc` or `&`.
    pub(super) is_owned: bool,
}

/// `Mutex<T>` or `RwLock<T>`, perhaps behind a pointer, unless `T` is `()`.
pub(super) fn data_lock(ty: &Type) -> Option<DataLock<'_>> {
    if let Some(inner) = pointee(ty) {
        let lock = data_lock(inner)?;
        let is_box = argument(ty, "Box").is_some();
        return Some(DataLock {
            is_owned: lock.is_owned && is_box,
            ..lock
        });
    }
    let value = argument(ty, "Mutex").or_else(|| argument(ty, "RwLock"))?;
    let is_unit = matches!(peeled(value), Type::Tuple(tuple) if tuple.elems.is_empty());
    (!is_unit).then_some(DataLock {
        value,
        is_owned: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::ToTokens;
    use syn::parse_quote;

    #[test]
    fn guarded_is_known_by_its_last_name() {
        let value = |ty: Type| guarded_value(&ty).map(|ty| ty.to_token_stream().to_string());
        assert_eq!(value(parse_quote!(Guarded<i64>)).as_deref(), Some("i64"));
        assert_eq!(
            value(parse_quote!(a::b::Guarded<u8>)).as_deref(),
            Some("u8")
        );
        assert_eq!(value(parse_quote!(Guarded)), None);
        assert_eq!(value(parse_quote!(Guarded<A, B>)), None);
        assert_eq!(value(parse_quote!(Cell<i64>)), None);
    }

    #[test]
    fn sync_locks_are_known_by_their_module() {
        assert!(is_sync_lock(&parse_quote!(sync::Lock)));
        assert!(is_sync_lock(&parse_quote!(
            Arc<async_monitor::sync::Mutex<u8>>
        )));
        assert!(is_sync_lock(&parse_quote!(&'a sync::RwLock<()>)));
        assert!(!is_sync_lock(&parse_quote!(std::sync::Mutex<u8>)));
        assert!(!is_sync_lock(&parse_quote!(::tokio::sync::Mutex<u8>)));
        assert!(!is_sync_lock(&parse_quote!(sync::Semaphore)));
        assert!(!is_sync_lock(&parse_quote!(Mutex<u8>)));
    }

    #[test]
    fn data_locks_are_found_behind_pointers() {
        let data = |ty: Type| {
            data_lock(&ty).map(|lock| (lock.value.to_token_stream().to_string(), lock.is_owned))
        };
        let some = |value: &str, is_owned| Some((value.to_owned(), is_owned));
        assert_eq!(data(parse_quote!(Mutex<u8>)), some("u8", true));
        assert_eq!(data(parse_quote!(Box<RwLock<u8>>)), some("u8", true));
        assert_eq!(
            data(parse_quote!(std::sync::Arc<Mutex<u8>>)),
            some("u8", false)
        );
        assert_eq!(data(parse_quote!(&'a Mutex<u8>)), some("u8", false));
        assert_eq!(data(parse_quote!(Box<Arc<Mutex<u8>>>)), some("u8", false));
        assert_eq!(data(parse_quote!(RwLock<()>)), None);
        assert_eq!(data(parse_quote!(Lock)), None);
    }
}
