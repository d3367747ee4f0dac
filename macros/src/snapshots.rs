//! What the macros write, as code, for review.
//!
//! The expansions are the files in `macros/snapshots`. After a change:
//!
//! ```text
//! UPDATE_EXPECT=1 cargo test -p async-monitor-macros --lib snapshots
//! ```
//!
//! and then read the difference.

use expect_test::{ExpectFile, expect_file};
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;

use crate::bindings::{unreserved, untested};
use crate::check::check as expand_check;
use crate::forms::with_all_forms;
use crate::monitor::monitor;
use crate::names::has_ident;
use crate::{guarded, section};

/// Compares items with a file, and what they bind with what the input names.
#[track_caller]
fn check(input: &TokenStream, items: TokenStream, expected: &ExpectFile) {
    let text = items.to_string();
    let items = with_all_forms(items);
    let (unreserved, untested) = (unreserved(input, &items), untested(input, &items));
    let file = syn::parse2(items).unwrap_or_else(|error| panic!("{error}: {text}"));
    expected.assert_eq(&prettyplease::unparse(&file));
    assert!(
        unreserved.is_empty(),
        "a constant of the user's could have one of the names {unreserved:?}, which would be no \
         bindings then: they have to begin with `__`"
    );
    assert!(
        untested.is_empty(),
        "tests/ui/pass/items_in_lower_case.rs has no items with the names {untested:?}"
    );
}

/// What is given to macros that may be a user's has no `unsafe` in it: a `macro_rules` could put
/// these tokens anywhere, under `forbid(unsafe_code)`, too. Paths lead to macros of ours.
#[track_caller]
fn check_given_to_macros(tokens: TokenStream) -> usize {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut calls = 0;
    for (index, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else {
            continue;
        };
        let before = |count: usize| index.checked_sub(count).and_then(|at| tokens.get(at));
        let is_punct = |count: usize, char| matches!(before(count), Some(TokenTree::Punct(punct)) if punct.as_char() == char);
        let is_call = is_punct(1, '!') && matches!(before(2), Some(TokenTree::Ident(_)));
        if is_call && !is_punct(3, ':') {
            calls += 1;
            assert!(!has_ident(&group.stream(), "unsafe"), "{group}");
        }
        calls += check_given_to_macros(group.stream());
    }
    calls
}

#[test]
fn macros_of_users_get_nothing_that_is_unsafe() {
    let body = quote! {
        {
            let seen = vec![step(ledger).await, other!(step().await)];
            println!("{}", step().await);
            (step().await, seen)
        }
    };
    for arguments in [quote!(ledger), quote!(ledger, atomic), quote!(read(ledger))] {
        let method = quote!(async fn deposit(&self) -> (u8, Vec<u8>) #body);
        let section = section::synchronized(arguments, method);
        assert!(check_given_to_macros(section) > 2, "there are macros");
        let block = section::with_lock(quote!(account.ledger, #body));
        assert!(check_given_to_macros(block) > 2, "there are macros");
    }
    let block = quote! {
        impl Account {
            #[synchronized(ledger)]
            pub async fn name(&self) -> &str #body
            #[synchronized(read(ledger))]
            pub fn count(&self) -> &u8 { &self.count }
        }
    };
    assert!(
        check_given_to_macros(monitor(quote!(), block)) > 2,
        "there are macros"
    );
}

/// Compares an expression with a file.
#[track_caller]
fn check_expr(input: &TokenStream, value: TokenStream, expected: &ExpectFile) {
    check(input, quote!(const _: () = { let _ = #value; };), expected);
}

fn account() -> TokenStream {
    quote! {
        pub struct Account {
            pub id: u64,
            ledger: Lock,
            /// What there is.
            #[guarded_by(ledger)]
            balance: Guarded<i64>,
        }
    }
}

#[test]
fn derive() {
    check(
        &account(),
        guarded::derive(account()),
        &expect_file!["../snapshots/derive.rs"],
    );
}

#[test]
fn derive_rw_and_generic() {
    let input = quote! {
        pub(crate) struct Cache<'d, K: Hash, const N: usize> where K: Eq {
            #[lock(rw)]
            table: RwLock<()>,
            #[guarded_by(table)]
            entries: Guarded<HashMap<K, &'d [u8; N]>>,
        }
    };
    check(
        &input.clone(),
        guarded::derive(input),
        &expect_file!["../snapshots/derive_rw_and_generic.rs"],
    );
}

#[test]
fn derive_lock_with_data() {
    let input = quote! {
        struct Shared {
            #[lock]
            state: Arc<Mutex<Vec<u8>>>,
        }
    };
    check(
        &input.clone(),
        guarded::derive(input),
        &expect_file!["../snapshots/derive_lock_with_data.rs"],
    );
}

/// `#[synchronized(arguments)]` on a method of one statement.
#[track_caller]
fn check_synchronized(arguments: TokenStream, expected: &ExpectFile) {
    let method = quote! {
        /// Docs.
        pub async fn deposit(&self, amount: i64) -> Result<i64, Failed> {
            body(amount)
        }
    };
    let input = quote!(#arguments #method);
    let method = section::synchronized(arguments, method);
    check(&input, quote!(impl Account { #method }), expected);
}

macro_rules! synchronized {
    ($($name:ident: $arguments:tt;)*) => {$(
        #[test]
        fn $name() {
            check_synchronized(
                quote! $arguments,
                &expect_file![concat!("../snapshots/", stringify!($name), ".rs")],
            );
        }
    )*};
}

synchronized! {
    synchronized_lock: (ledger);
    synchronized_read: (read(cfg));
    synchronized_value: (g = GLOBAL);
    synchronized_several: (ledger, other = self.inner.ledger);
    synchronized_that_can_fail: (remote?);
    synchronized_when: (ledger, when = *ledger.balance >= amount);
    synchronized_no_await: (ledger, no_await);
    synchronized_atomic: (ledger, atomic);
    synchronized_timeout: (ledger, timeout = self.patience);
    synchronized_with_everything: (ledger, r = remote?, read(cfg), atomic, no_await, timeout = LONG);
}

/// In a plain fn with `&mut self`.
#[test]
fn synchronized_blocking() {
    let method = quote! {
        fn next(&mut self) -> Option<i64> { body(ledger) }
    };
    let arguments = quote!(ledger, read(cfg), atomic, blocking, timeout = LONG);
    let input = quote!(#arguments #method);
    let method = section::synchronized(arguments, method);
    check(
        &input,
        quote!(impl Account { #method }),
        &expect_file!["../snapshots/synchronized_blocking.rs"],
    );
}

#[test]
fn with_lock() {
    let input = quote!(a = from.ledger, b = to.ledger, {
        *a.balance -= amount;
        *b.balance += amount;
        *a.balance
    });
    check_expr(
        &input.clone(),
        section::with_lock(input),
        &expect_file!["../snapshots/with_lock.rs"],
    );
}

#[test]
fn with_lock_atomic_in_time() {
    let input = quote!(account.ledger, atomic, timeout = LONG, {
        *ledger.balance -= amount;
        check(ledger)?;
        *ledger.balance
    });
    check_expr(
        &input.clone(),
        section::with_lock(input),
        &expect_file!["../snapshots/with_lock_atomic_in_time.rs"],
    );
}

/// The first of the two forms in each `Account! { write ledger { .. } { .. } }`, or the
/// second one in `Account! { rw ledger { .. } { .. } }`: that lock is none.
fn with_locks_known(tokens: TokenStream) -> TokenStream {
    let mut output = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match (&token, tokens.peek()) {
            (TokenTree::Ident(name), Some(TokenTree::Punct(punct)))
                if name == "Account" && punct.as_char() == '!' =>
            {
                // `!` and the arguments: a mode, a lock and two forms.
                let arguments = tokens.by_ref().nth(1);
                if let Some(TokenTree::Group(arguments)) = arguments {
                    let is_first = !arguments.stream().to_string().starts_with("rw ledger");
                    let form = if is_first { 2 } else { 3 };
                    if let Some(TokenTree::Group(form)) = arguments.stream().into_iter().nth(form) {
                        output.extend(with_locks_known(form.stream()));
                    }
                }
            }
            (TokenTree::Group(group), _) => {
                let inside = with_locks_known(group.stream());
                output.extend([TokenTree::from(Group::new(group.delimiter(), inside))]);
            }
            _ => output.extend([token]),
        }
    }
    output
}

#[test]
fn monitor_of_methods() {
    let input = quote! {
        impl Account {
            /// Docs.
            #[synchronized(ledger)]
            pub async fn deposit(&self, amount: i64) -> &str {
                *ledger.balance += amount;
                &self.name
            }

            #[synchronized(ledger, when = *ledger.balance >= amount)]
            pub async fn withdraw(&self, amount: i64) {
                ledger.deposit(-amount).await;
            }

            #[synchronized(ledger, atomic)]
            async fn slowly(&self, (a, b): (i64, i64)) -> Result<i64, Failed> {
                *ledger.balance += a;
                step().await;
                Ok(b)
            }

            #[synchronized(read(cfg))]
            async fn limit(&self) -> u8 {
                cfg.limit.clone()
            }

            #[synchronized(read(ledger))]
            async fn balance(&self) -> i64 {
                *ledger.balance
            }

            #[synchronized(brief)]
            async fn count(&self) -> u8 {
                bump!(*brief.count)
            }

            fn helper(&self) {}
        }
    };
    check(
        &input.clone(),
        with_locks_known(monitor(quote!(), input)),
        &expect_file!["../snapshots/monitor.rs"],
    );
}

/// What a user sees of the item next to errors.
#[test]
fn synchronized_with_mistakes() {
    let method = quote! {
        fn deposit(&mut self, amount: i64) -> i64 { *ledger.balance += amount; *ledger.balance }
    };
    let output = section::synchronized(quote!(retries = 3, ledger), method.clone());
    // The errors are items; the method needs an impl around it.
    let file = output.to_string();
    let output = file.split(":: core :: compile_error").next().unwrap_or("");
    let output: TokenStream = output.parse().expect("tokens");
    check(
        &method,
        quote!(impl Account { #output }),
        &expect_file!["../snapshots/synchronized_with_mistakes.rs"],
    );
}

/// `#[check(arguments)]` on a test.
#[track_caller]
fn check_checked(arguments: TokenStream, function: TokenStream, expected: &ExpectFile) {
    let input = quote!(#arguments #function);
    check(&input, expand_check(arguments, function), expected);
}

#[test]
fn checked() {
    check_checked(
        quote!(cancels = 0, max_runs = LONG),
        quote! {
            /// Docs.
            #[should_panic]
            async fn nothing_is_lost() {
                body().await
            }
        },
        &expect_file!["../snapshots/check.rs"],
    );
}

/// Each mistake, and the item as it is.
#[test]
fn checked_with_mistakes() {
    check_checked(
        quote!(cancel = 0),
        quote! {
            fn nothing_is_lost(sum: u64) -> u64 {
                body(sum)
            }
        },
        &expect_file!["../snapshots/check_with_mistakes.rs"],
    );
}
