//! From the model to code.
//!
//! Nothing here can fail. For each lock there is a [`Side`], or two if the
//! lock is `rw`: one for each way to hold it.

mod acquire;
mod constructor;
mod debug;
mod guard;
mod held;
mod lock;
mod lock_macro;
mod owned;
mod reacquire;
mod reading;
mod restore;
mod snapshot;
mod when;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::model::{Contents, LockField, Monitor};
use crate::gather::Gather;
use crate::names::{camel_case, key, plain, public};

/// A way to hold a lock.
struct Side<'m> {
    monitor: &'m Monitor,
    lock: &'m LockField,
    /// Several tasks may hold the lock in this way at a time.
    is_shared: bool,
    /// `AccountLedgerGuard`.
    guard: Ident,
    /// `AccountLedgerHeld`.
    held: Ident,
    /// The verb in the names of methods: `read`, `write` or `acquire`.
    verb: &'static str,
    /// Stands for the lock, held this way, in types.
    key: Literal,
    /// Stands for the lock in read sections.
    read_key: Literal,
    /// Stands for the field of the lock in types.
    marker: Ident,
}

pub(super) fn expand(monitor: &Monitor) -> TokenStream {
    let locks = monitor.locks.iter().flat_map(|lock| {
        let sides = sides(monitor, lock);
        let code = sides.into_iter().map(|side| side.expand());
        code.chain([acquire::expand_mut(monitor, lock)])
            .gather::<Vec<_>>()
    });
    locks
        .chain([
            lock_macro::expand_locks(monitor),
            constructor::expand(monitor),
            debug::expand(monitor),
        ])
        .gather()
}

fn sides<'m>(monitor: &'m Monitor, lock: &'m LockField) -> Vec<Side<'m>> {
    let name = plain(&lock.ident);
    let prefix = format!("{}{}", plain(&monitor.ident), camel_case(&name));
    let type_name =
        |suffix: &str| format_ident!("{prefix}{suffix}", span = public(monitor.ident.span()));
    let read_key = key(&format!("read:{name}"));
    let side = |is_shared, kind: &str, verb, key| Side {
        monitor,
        lock,
        is_shared,
        guard: type_name(&format!("{kind}Guard")),
        held: type_name(&format!("{kind}Held")),
        verb,
        key: Literal::u128_suffixed(key),
        read_key: Literal::u128_suffixed(read_key),
        marker: lock::marker(monitor, lock),
    };
    if lock.is_rw {
        vec![
            side(false, "Write", "write", key(&name)),
            side(true, "Read", "read", read_key),
        ]
    } else {
        vec![side(false, "", "acquire", key(&name))]
    }
}

impl Side<'_> {
    fn expand(&self) -> TokenStream {
        let mut code = self.expand_guard();
        code.extend(self.expand_held());
        code.extend(self.expand_methods());
        code.extend(self.expand_traits());
        code.extend(self.expand_when());
        if !self.lock.is_rw {
            code.extend(self.expand_reading());
        }
        code.extend(self.expand_view_of());
        code.extend(self.expand_owned());
        if self.is_shared || !self.lock.is_rw {
            code.extend(self.expand_snapshot());
        }
        if !self.is_shared {
            code.extend(lock::expand_lock_of(self.monitor, self.lock));
            if !self.lock.is_sync {
                code.extend(self.expand_relock());
            }
            code.extend(self.expand_reborrow());
            code.extend(self.expand_restore());
        }
        code
    }

    /// An item of the runtime that has a counterpart for sync locks.
    fn item(&self, name: &str) -> Ident {
        item(self.lock, name)
    }

    /// `&'lifetime mut T`, or `&'lifetime T` if the lock is shared.
    fn reference(&self, lifetime: &TokenStream) -> TokenStream {
        if self.is_shared {
            quote!(& #lifetime)
        } else {
            quote!(& #lifetime mut)
        }
    }

    /// The types of the guarded data.
    fn values(&self) -> Vec<&syn::Type> {
        match &self.lock.contents {
            Contents::Fields(fields) => fields.iter().map(|field| &field.value).gather(),
            Contents::Value { ty, .. } => vec![ty],
        }
    }

    /// The name of the type inside the guard.
    fn core(&self) -> Ident {
        self.item(if self.is_shared { "ReadCore" } else { "Core" })
    }

    /// The type inside the guard.
    fn core_type(&self) -> TokenStream {
        let (krate, core, key) = (&self.monitor.krate, self.core(), &self.key);
        let (this, marker) = (self.monitor.params.this(), &self.marker);
        let guard = self.item(if self.is_shared {
            "ReadGuardOf"
        } else {
            "GuardOf"
        });
        let guard = quote!(#krate::__private::#guard<'__guard, #this, #marker>);
        quote!(#krate::__private::#core<'__guard, #this, #guard, #key>)
    }

    /// `ObjectLock<Account, Marker>`: the type of the lock in all code but the impl of
    /// `LockOf`.
    fn lock_type(&self) -> TokenStream {
        let (krate, marker) = (&self.monitor.krate, &self.marker);
        let (this, object_lock) = (self.monitor.params.this(), self.item("ObjectLock"));
        quote!(#krate::__private::#object_lock<#this, #marker>)
    }

    /// The lock of `owner`, a reference to the struct.
    fn lock_of(&self, owner: &TokenStream) -> TokenStream {
        let (krate, marker) = (&self.monitor.krate, &self.marker);
        let object_lock = self.item("object_lock");
        quote!(#krate::__private::#object_lock::<_, #marker>(#owner))
    }

    /// The guard with its arguments.
    fn guard_type(&self, lifetime: &TokenStream) -> TokenStream {
        let (guard, arguments) = (&self.guard, self.monitor.params.arguments(lifetime));
        quote!(#guard #arguments)
    }

    /// The view with its arguments.
    fn held_type(&self, lifetime: &TokenStream) -> TokenStream {
        let (held, arguments) = (&self.held, self.monitor.params.arguments(lifetime));
        quote!(#held #arguments)
    }

    /// See [`hidden`].
    fn hidden(&self) -> TokenStream {
        hidden(self.monitor, self.lock)
    }
}

/// An item of the runtime that has a counterpart for sync locks: `Core` and
/// `SyncCore`, `field` and `sync_field`.
fn item(lock: &LockField, name: &str) -> Ident {
    let is_type = name.starts_with(char::is_uppercase);
    match (lock.is_sync, is_type) {
        (false, _) => format_ident!("{name}"),
        (true, true) => format_ident!("Sync{name}"),
        (true, false) => format_ident!("sync_{name}"),
    }
}

/// Hides a type from users who see the struct, but not its lock.
fn hidden(monitor: &Monitor, lock: &LockField) -> TokenStream {
    let vis = |vis: &syn::Visibility| quote!(#vis).to_string();
    let (of_lock, of_struct) = (vis(&lock.vis), vis(&monitor.vis));
    if of_lock == of_struct || of_lock == "pub" {
        TokenStream::new()
    } else {
        quote!(#[doc(hidden)])
    }
}

/// Expands to:
///
/// ```text
/// impl<'__guard> ::core::fmt::Debug for AccountLedgerGuard<'__guard> {
///     #[doc(hidden)]
///     fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
///         __formatter.debug_struct("AccountLedgerGuard").finish_non_exhaustive()
///     }
/// }
/// ```
///
/// It shows no data, which need not implement `Debug`.
fn expand_debug(monitor: &Monitor, name: &Ident) -> TokenStream {
    let impl_params = monitor.params.with_guard();
    let arguments = monitor.params.arguments(&quote!('__guard));
    let where_clause = monitor.params.where_clause(&TokenStream::new());
    let text = name.to_string();
    quote! {
        #[automatically_derived]
        impl #impl_params ::core::fmt::Debug for #name #arguments #where_clause {
            // Whose parameter has a name of ours.
            #[doc(hidden)]
            fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::DebugStruct::finish_non_exhaustive(
                    &mut ::core::fmt::Formatter::debug_struct(__formatter, #text),
                )
            }
        }
    }
}
