//! What methods that run under a lock that is held need of a view.

/// Implemented by the derive.
#[diagnostic::on_unimplemented(
    message = "`#[monitor]` is for the methods of structs with `#[derive(Guarded)]`, and `{Self}` has none",
    label = "write `#[derive(Guarded)]` above this struct, or `#[monitor(plain)]`",
    note = "without a derive, `#[monitor(plain)]` looks for deadlocks alone"
)]
pub trait IsDerived {}

/// Implemented by the derive: the struct has a size, if its parameters have.
pub trait HasSize: Sized {}

/// Says so where there is no derive.
pub fn derived<T: IsDerived + ?Sized>() {}

/// Implemented by the derive: the view of a lock, which is held for all of `'g`.
pub trait ViewOf<'g> {
    /// The struct.
    type Object: ?Sized;

    /// The object whose lock is held.
    fn object(&self) -> &'g Self::Object;
}

/// Implemented by the derive for views that write: what is held for writing may
/// be read.
pub trait AsRead {
    /// The view that reads.
    type Read<'v>
    where
        Self: 'v;

    /// Borrows what the view leads to.
    fn as_read(&self) -> Self::Read<'_>;
}
