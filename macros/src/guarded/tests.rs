use proc_macro2::TokenStream;
use quote::quote;

use super::{derive, parse, validate};
use crate::diagnostics::Errors;
use crate::forms::with_all_forms;

/// The messages about a struct, all of them.
fn messages(input: TokenStream) -> Vec<String> {
    let errors = Errors::new();
    if let Some(input) = parse::parse(input, &errors) {
        validate::validate(&input, &errors);
    }
    errors.messages()
}

#[track_caller]
fn assert_messages(input: TokenStream, expected: &[&str]) {
    let messages = messages(input);
    assert_eq!(messages.len(), expected.len(), "{messages:#?}");
    for (message, expected) in messages.iter().zip(expected) {
        assert!(
            message.contains(expected),
            "{message:?} is not about {expected:?}"
        );
    }
}

#[test]
fn what_is_right_is_not_reported() {
    assert_messages(
        quote! {
            pub struct Account<'d, T: Clone = u8, const N: usize = 1> where T: 'd {
                id: &'d T,
                ledger: Lock,
                #[guarded_by(ledger)] balance: Guarded<[T; N]>,
                #[lock(rw)] cfg: RwLock<()>,
                #[guarded_by(cfg)] limit: async_monitor::Guarded<u8>,
                #[lock] state: Arc<Mutex<u8>>,
                unmarked: Mutex<u8>,
            }
        },
        &[],
    );
}

#[test]
fn several_mistakes_are_reported_together() {
    assert_messages(
        quote! {
            struct Account {
                #[lock(fair)] ledger: Lock,
                #[guarded_by(leger)] balance: Guarded<i64>,
                #[guarded_by(ledger)] history: Vec<i64>,
                #[guarded_by] name: Guarded<String>,
                #[lock] marked: Guarded<u8>,
            }
        },
        &[
            "this is not a kind of lock",
            "`guarded_by` without a name",
            "`leger` is not a field of `Account`",
            "write `history: Guarded<Vec<i64>>`",
            "`marked` is what a lock guards, not a lock",
        ],
    );
}

#[test]
fn with_one_lock_fields_need_not_name_it() {
    assert_messages(
        quote!(
            struct S {
                #[lock]
                a: Lock,
                x: Guarded<u8>,
            }
        ),
        &[],
    );
    assert_messages(
        quote!(
            struct S {
                #[guarded_by(a)]
                x: Guarded<u8>,
                a: Lock,
                y: Guarded<u8>,
            }
        ),
        &[],
    );
    assert_messages(
        quote!(
            struct S {
                #[lock]
                a: Lock,
                #[lock]
                b: Lock,
                x: Guarded<u8>,
            }
        ),
        &["which lock guards `x` is not said: write `#[guarded_by(a)]` or `#[guarded_by(b)]`"],
    );
    assert_messages(
        quote!(
            struct S {
                a: Lock,
                x: Guarded<u8>,
            }
        ),
        &["write `#[guarded_by(a)]`"],
    );
}

#[test]
fn data_locks_guard_what_is_inside() {
    assert_messages(
        quote!(
            struct S {
                a: Mutex<u8>,
                #[guarded_by(a)]
                x: Guarded<u8>,
            }
        ),
        &["`a` is a lock with data of its own"],
    );
    assert_messages(
        quote!(
            struct S {
                #[lock]
                a: Mutex<u8>,
                x: Guarded<u8>,
            }
        ),
        &["nothing guards `x`"],
    );
    assert_messages(
        quote!(
            struct S {
                a: Mutex<()>,
                #[guarded_by(a)]
                x: Guarded<u8>,
            }
        ),
        &[],
    );
}

#[test]
fn locks_have_types_of_their_own() {
    assert_messages(
        quote!(
            struct S {
                #[lock]
                a_b: Lock,
                #[lock]
                aB: Lock,
                #[lock]
                b: Lock,
            }
        ),
        &["the types of `aB` and of `a_b` would have the same name, `SAB..`"],
    );
}

#[test]
fn what_is_about_locks_is_not_said_to_be_without() {
    for field in [
        quote!(#[guarded_by] x: u8),
        quote!(#[guarded_by(a)] x: u8),
        quote!(#[lock(rw)] x: u8),
        quote!(x: Guarded<u8>),
    ] {
        let messages = messages(quote!(struct S { #field }));
        assert!(
            !messages
                .iter()
                .any(|message| message.contains("has no lock")),
            "{messages:?}"
        );
    }
}

#[test]
fn there_must_be_a_lock_in_a_struct_with_named_fields() {
    assert_messages(
        quote!(
            struct S {
                x: u8,
            }
        ),
        &["`S` has no lock"],
    );
    assert_messages(
        quote!(
            struct S {
                a: Lock,
            }
        ),
        &["write `#[lock]` above `a`"],
    );
    assert_messages(
        quote!(
            struct S(Lock);
        ),
        &["on a tuple struct"],
    );
    assert_messages(
        quote!(
            struct S;
        ),
        &["without fields"],
    );
    assert_messages(
        quote!(
            enum E {
                A,
            }
        ),
        &["on an enum"],
    );
    assert_messages(quote!(union U { a: u8 }), &["on a union"]);
    assert_messages(
        quote!(
            #[lock]
            struct S {
                #[lock]
                a: Lock,
            }
        ),
        &["belongs on a field"],
    );
}

/// Every derived type name, in the order of the output.
fn types(input: TokenStream) -> Vec<String> {
    let file: syn::File = syn::parse2(with_all_forms(derive(input))).expect("an expansion is Rust");
    let structs = file.items.iter().filter_map(|item| match item {
        syn::Item::Struct(item) => Some(item.ident.to_string()),
        _ => None,
    });
    structs.collect()
}

#[test]
fn each_lock_has_its_types() {
    assert_eq!(
        types(quote! {
            struct Account {
                ledger: Lock,
                #[guarded_by(ledger)] balance: Guarded<i64>,
                #[lock(rw)] r#type: RwLock<u8>,
                #[lock] bare: Lock,
                #[lock] shared: Arc<Mutex<u8>>,
            }
        }),
        [
            "AccountLedgerGuard",
            "AccountLedgerCallFields",
            "AccountLedgerHeld",
            "AccountLedgerOwnedGuard",
            "AccountLedgerReacquire",
            "AccountLedgerSaved",
            "AccountLedgerMut",
            "AccountTypeWriteGuard",
            "AccountTypeWriteCallFields",
            "AccountTypeWriteHeld",
            "AccountTypeWriteOwnedGuard",
            "AccountTypeWriteReacquire",
            "AccountTypeWriteSaved",
            "AccountTypeReadGuard",
            "AccountTypeReadCallFields",
            "AccountTypeReadHeld",
            "AccountTypeReadOwnedGuard",
            "AccountTypeMut",
            "AccountBareGuard",
            "AccountBareCallFields",
            "AccountBareHeld",
            "AccountBareOwnedGuard",
            "AccountBareReacquire",
            "AccountBareSaved",
            "AccountSharedGuard",
            "AccountSharedCallFields",
            "AccountSharedHeld",
            "AccountSharedOwnedGuard",
            "AccountSharedReacquire",
            "AccountSharedSaved",
        ]
    );
}

#[test]
fn what_is_right_is_expanded_next_to_the_errors() {
    let input = quote! {
        struct Account<'d, T> where T: 'd {
            ledger: Lock,
            #[guarded_by(ledger)] right: Guarded<&'d T>,
            #[guarded_by(leger)] wrong: Guarded<u8>,
        }
    };
    let output = derive(input).to_string();
    assert!(output.contains("compile_error"));
    assert!(output.contains("acquire_ledger"));
    assert!(output.contains("right : & '__guard mut & 'd T"));
    assert!(!output.contains("wrong"), "except in the message: {output}");
}

#[test]
fn hidden_is_what_those_who_see_the_struct_cannot_use() {
    let hidden = |lock_vis: TokenStream, vis: TokenStream| {
        let output = derive(quote!(#vis struct S { #[lock] #lock_vis a: Lock }));
        output.to_string().matches("doc (hidden)").count()
    };
    // Impls, and types that nobody names, always are. Else the guards and the view are, too.
    let always = hidden(quote!(pub), quote!(pub));
    assert_eq!(hidden(quote!(), quote!()), always);
    assert_eq!(hidden(quote!(pub(crate)), quote!(pub(crate))), always);
    assert_eq!(hidden(quote!(), quote!(pub)), always + 3);
    assert_eq!(hidden(quote!(pub(crate)), quote!(pub)), always + 3);
}

#[test]
fn locks_and_what_they_guard_are_fields_of_the_struct_itself() {
    let output = derive(quote! {
        struct Account {
            ledger: Lock,
            #[guarded_by(ledger)] balance: Guarded<i64>,
            #[guarded_by(ledger)] history: Guarded<Vec<i64>>,
            #[lock] state: Mutex<u8>,
        }
    })
    .to_string();
    for own in [
        quote!(let Self { ledger: __field, balance: _, history: _, .. } = self;),
        quote!(let Self { state: __field, .. } = self;),
    ] {
        assert!(output.contains(&own.to_string()), "{own}");
    }
}
