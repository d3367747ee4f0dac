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

use crate::monitor::monitor;
use crate::{guarded, section};

/// Compares items with a file.
#[track_caller]
fn check(items: TokenStream, expected: &ExpectFile) {
    let text = items.to_string();
    let file = syn::parse2(items).unwrap_or_else(|error| panic!("{error}: {text}"));
    expected.assert_eq(&prettyplease::unparse(&file));
}

/// Compares an expression with a file.
#[track_caller]
fn check_expr(value: TokenStream, expected: &ExpectFile) {
    check(quote!(fn around() { let value = #value; }), expected);
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
        guarded::derive(input),
        &expect_file!["../snapshots/derive_lock_with_data.rs"],
    );
}

/// `#[synchronized(arguments)]` on a method of one statement.
fn synchronized(arguments: TokenStream) -> TokenStream {
    let method = section::synchronized(
        arguments,
        quote! {
            /// Docs.
            pub async fn deposit(&self, amount: i64) -> Result<i64, Failed> {
                body(amount)
            }
        },
    );
    quote!(impl Account { #method })
}

macro_rules! synchronized {
    ($($name:ident: $arguments:tt;)*) => {$(
        #[test]
        fn $name() {
            check(
                synchronized(quote! $arguments),
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

#[test]
fn with_lock() {
    check_expr(
        section::with_lock(quote!(a = from.ledger, b = to.ledger, {
            *a.balance -= amount;
            *b.balance += amount;
            *a.balance
        })),
        &expect_file!["../snapshots/with_lock.rs"],
    );
}

#[test]
fn with_lock_atomic_in_time() {
    check_expr(
        section::with_lock(quote!(account.ledger, atomic, timeout = LONG, {
            *ledger.balance -= amount;
            check(ledger)?;
            *ledger.balance
        })),
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

            fn helper(&self) {}
        }
    };
    check(
        with_locks_known(monitor(quote!(), input)),
        &expect_file!["../snapshots/monitor.rs"],
    );
}

/// What a user sees of the item next to errors.
#[test]
fn synchronized_with_mistakes() {
    let output = section::synchronized(
        quote!(retries = 3, ledger),
        quote! {
            fn deposit(&mut self, amount: i64) -> i64 { *ledger.balance += amount; *ledger.balance }
        },
    );
    // The errors are items; the method needs an impl around it.
    let file = output.to_string();
    let method = file.split(":: core :: compile_error").next().unwrap_or("");
    let method: TokenStream = method.parse().expect("tokens");
    check(
        quote!(impl Account { #method }),
        &expect_file!["../snapshots/synchronized_with_mistakes.rs"],
    );
}
