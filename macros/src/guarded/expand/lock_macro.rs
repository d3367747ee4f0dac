//! The macro of the struct, and the traits, on which `#[monitor]` builds held forms.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::Side;
use crate::gather::Gather;
use crate::guarded::model::{Contents, LockField, Monitor};
use crate::names::{plain, public, unsafe_};

/// The derives of the prelude. A macro of the same name would make
/// them ambiguous.
const PRELUDE: [&str; 9] = [
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Eq",
    "Hash",
    "Ord",
    "PartialEq",
    "PartialOrd",
];

/// Expands to:
///
/// ```text
/// macro_rules! __Account_locks {
///     (write ledger { $($__derived:tt)* } { $($__plain:tt)* }) => { $($__derived)* };
///     (read ledger { $($__derived:tt)* } { $($__plain:tt)* }) => { $($__derived)* };
///     (acquire ledger { $($__derived:tt)* } { $($__plain:tt)* }) => { $($__derived)* };
///     ($__mode:ident $__lock:ident { $($__derived:tt)* } { $($__plain:tt)* }) => { $($__plain)* };
/// }
/// pub(crate) use __Account_locks as Account;
///
/// impl Account {
///     const __DERIVED: () = ();
/// }
/// impl ::async_monitor::__private::IsDerived for Account {}
/// impl ::async_monitor::__private::HasSize for Account {}
/// ```
///
/// so that a path to the struct is also a path to a macro that knows its locks. `#[monitor]`,
/// which only sees an impl, lets that macro select one of two forms of a method.
pub(super) fn expand_locks(monitor: &Monitor) -> TokenStream {
    let (ident, krate) = (&monitor.ident, &monitor.krate);
    let (params, this) = (monitor.params.of_impl(), monitor.params.this());
    let where_clause = monitor.params.where_clause(&TokenStream::new());
    let (params_of_size, where_of_size) = monitor.params.of_size();
    let name = format_ident!("__{}_locks", plain(ident), span = public(ident.span()));
    let forms = quote!({ $($__derived:tt)* } { $($__plain:tt)* });
    let rules = monitor.locks.iter().flat_map(|lock| {
        let ident = &lock.ident;
        modes(lock)
            .into_iter()
            .map(|mode| quote!((#mode #ident #forms) => { $($__derived)* };))
            .gather::<Vec<_>>()
    });
    // A glob import, which a derive macro of the same name that the user has imported
    // shadows.
    let import = if PRELUDE.iter().any(|derive| ident == derive) {
        TokenStream::new()
    } else {
        quote! {
            #[doc(hidden)]
            mod #name {
                pub(crate) use #name as #ident;
            }
            pub(crate) use #name::*;
        }
    };
    quote! {
        macro_rules! #name {
            #(#rules)*
            ($__mode:ident $__lock:ident #forms) => { $($__plain)* };
        }
        #import

        // A subtype must not have another derive, which might put other locks in front of
        // the same fields. The compiler refuses two inherent items of one name; it accepts
        // impls of a trait for a type and its subtype, with a lint.
        #[doc(hidden)]
        #[automatically_derived]
        impl #params #this #where_clause {
            const __DERIVED: () = ();
        }

        #[doc(hidden)]
        #[automatically_derived]
        impl #params #krate::__private::IsDerived for #this #where_clause {}

        // Nor must a type that becomes this one by unsizing.
        #[doc(hidden)]
        #[automatically_derived]
        impl #params_of_size #krate::__private::HasSize for #this #where_of_size {}
    }
}

/// The modes by which `#[monitor]` asks for a lock: every lock can be held to write and to read;
/// `rw` is for locks that several tasks can hold to read, `acquire` for all others, and `sync`
/// for sync locks.
fn modes(lock: &LockField) -> Vec<TokenStream> {
    let kind = if lock.is_rw {
        quote!(rw)
    } else {
        quote!(acquire)
    };
    let mut modes = vec![quote!(write), quote!(read), kind];
    modes.extend(lock.is_sync.then(|| quote!(sync)));
    modes
}

impl Side<'_> {
    /// Expands to:
    ///
    /// ```text
    /// impl<'__guard> ::async_monitor::__private::ViewOf<'__guard> for AccountLedgerHeld<'__guard> {
    ///     type Object = Account;
    ///     fn object(&self) -> &'__guard Account {
    ///         ::async_monitor::__private::Owner::get(&self.__owner)
    ///     }
    /// }
    /// ```
    ///
    /// with
    ///
    /// ```text
    /// unsafe impl<'__guard> ::async_monitor::__private::ShortenedView<'__guard, Account>
    ///     for AccountLedgerHeld<'__guard>
    /// {
    ///     type In<'__view> = AccountLedgerHeld<'__view> where Account: '__view;
    /// }
    /// ```
    ///
    /// SAFETY, of what is generated: it is the same type, of references to what does not know
    /// their lifetime; but for a trait object, whose bound may be shortened with it (VW2).
    ///
    /// And, if the lock is `rw`, for the write view:
    ///
    /// ```text
    /// type AccountCfgHeld<'__guard> = AccountCfgWriteHeld<'__guard>;
    /// ```
    ///
    /// so that the exclusive view of each lock is found by the same name.
    pub(super) fn expand_view_of(&self) -> TokenStream {
        let krate = &self.monitor.krate;
        let monitor = self.monitor;
        let (params, this) = (monitor.params.with_guard(), monitor.params.this());
        let (held_type, view_type) = (
            self.held_type(&quote!('__guard)),
            self.held_type(&quote!('__view)),
        );
        let where_clause = monitor.params.where_clause(&TokenStream::new());
        let unsafe_ = unsafe_();
        let mut code = quote! {
            #[doc(hidden)]
            #[automatically_derived]
            impl #params #krate::__private::ViewOf<'__guard> for #held_type #where_clause {
                type Object = #this;

                #[inline]
                fn object(&self) -> &'__guard #this {
                    #krate::__private::Owner::get(&self.__owner)
                }
            }

            #[doc(hidden)]
            #[automatically_derived]
            #unsafe_ impl #params #krate::__private::ShortenedView<'__guard, #this>
                for #held_type
            #where_clause
            {
                type In<'__view> = #view_type where #this: '__view;
            }
        };
        if self.lock.is_rw && !self.is_shared {
            let vis = &monitor.vis;
            let alias = self.other_view("Held");
            let params = monitor.params.of_alias();
            code.extend(quote! {
                #[doc(hidden)]
                #vis type #alias #params = #held_type;
            });
            code.extend(self.expand_as_read());
        }
        code
    }

    /// Expands to:
    ///
    /// ```text
    /// impl<'__guard> ::async_monitor::__private::AsRead for AccountCfgWriteHeld<'__guard> {
    ///     type Read<'__view> = AccountCfgReadHeld<'__view> where Self: '__view;
    ///     fn as_read(&self) -> Self::Read<'_> {
    ///         AccountCfgReadHeld {
    ///             limit: &*self.limit,
    ///             __owner: unsafe {
    ///                 ::async_monitor::__private::Owner::new(
    ///                     ::async_monitor::__private::Owner::get(&self.__owner),
    ///                 )
    ///             },
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// SAFETY of the generated code: the lock is held for writing, which includes
    /// reading, for longer than the write view is borrowed (K2).
    fn expand_as_read(&self) -> TokenStream {
        let krate = &self.monitor.krate;
        let monitor = self.monitor;
        let read = self.other_view("ReadHeld");
        let (params, held_type) = (
            monitor.params.with_guard(),
            self.held_type(&quote!('__guard)),
        );
        let arguments = monitor.params.arguments(&quote!('__view));
        let where_clause = monitor.params.where_clause(&TokenStream::new());
        let unsafe_ = unsafe_();
        let fields: TokenStream = match &self.lock.contents {
            Contents::Fields(fields) => {
                let names = fields.iter().map(|field| &field.ident);
                quote!(#(#names: &*self.#names,)*)
            }
            Contents::Value { .. } => quote!(value: &*self.value,),
        };
        quote! {
            #[doc(hidden)]
            #[automatically_derived]
            impl #params #krate::__private::AsRead for #held_type #where_clause {
                type Read<'__view> = #read #arguments where Self: '__view;

                #[inline]
                fn as_read(&self) -> Self::Read<'_> {
                    #read {
                        #fields
                        __owner: #unsafe_ {
                            #krate::__private::Owner::new(
                                #krate::__private::Owner::get(&self.__owner),
                            )
                        },
                    }
                }
            }
        }
    }

    /// `AccountCfgHeld` or `AccountCfgReadHeld` for `AccountCfgWriteHeld`.
    fn other_view(&self, suffix: &str) -> Ident {
        let name = self.held.to_string();
        let prefix = name.strip_suffix("WriteHeld").unwrap_or(&name);
        format_ident!("{prefix}{suffix}", span = self.held.span())
    }
}
