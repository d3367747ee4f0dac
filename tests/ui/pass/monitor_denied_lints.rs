#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused
)]
#![deny(
    rust_2018_idioms,
    unused_qualifications,
    single_use_lifetimes,
    let_underscore_drop
)]
#![deny(unused_results, unused_lifetimes, unnameable_types, private_interfaces)]
//! `#[monitor]` under lints that are not allowed by default.

mod account {
    //! A module that is not public.

    use async_monitor::{Guarded, Lock, Mutex, RwLock, monitor, synchronized, with_lock};

    #[derive(Debug)]
    struct Private(u8);

    /// An account.
    #[derive(Debug, Guarded)]
    pub(crate) struct Account<'d, T, const N: usize>
    where
        T: Clone,
    {
        name: &'d str,
        ledger: Lock,
        #[guarded_by(ledger)]
        balance: Guarded<[T; N]>,
        #[lock]
        state: Mutex<Private>,
        #[lock(rw)]
        cfg: RwLock<()>,
        #[guarded_by(cfg)]
        private: Guarded<Private>,
        log: Mutex<Vec<u8>>,
    }

    #[monitor]
    impl<'d, T: Clone, const N: usize> Account<'d, T, N> {
        pub(crate) fn new(name: &'d str, balance: [T; N]) -> Self {
            Account {
                name,
                ledger: Lock::new(),
                balance: Guarded::new(balance),
                state: Mutex::new(Private(1)),
                cfg: RwLock::new(()),
                private: Guarded::new(Private(2)),
                log: Mutex::new(Vec::new()),
            }
        }

        /// Deposits.
        #[synchronized(ledger)]
        pub(crate) async fn deposit(&self, item: T) -> usize {
            if let Some(first) = ledger.balance.first_mut() {
                *first = item;
                return 1;
            }
            self.name.len()
        }

        #[synchronized(ledger)]
        pub(crate) async fn nothing_but_the_exclusion(&self) {}

        #[synchronized(ledger)]
        #[must_use]
        #[expect(unused_variables)]
        pub(crate) async fn unused(&self, n: u8, (a, _): (u8, u8)) -> u8 {
            a
        }

        /// Private, and called under the lock only.
        #[synchronized(state)]
        async fn inside(&self) -> u8 {
            state.value.0 += 1;
            state.value.0
        }

        #[synchronized(read(cfg))]
        pub(crate) async fn early(&self, mut n: u8) -> u8 {
            n += cfg.private.0;
            return n;
        }

        #[synchronized(read(cfg))]
        pub(crate) async fn name<'a>(&'a self, other: &'a str) -> &'a str {
            if cfg.early(1).await == 2 { other } else { self.name }
        }

        #[synchronized(log)]
        pub(crate) async fn note(&self, n: u8) {
            log.push(n);
        }

        pub(crate) async fn block(&self) -> u8 {
            with_lock!(self.state, { state.inside().await })
        }

        /// Private, and called elsewhere, under the lock only.
        #[synchronized(ledger)]
        async fn first<U: From<T>>(&self, other: impl Into<T>) -> U {
            match ledger.balance.first() {
                Some(first) => first.clone().into(),
                None => other.into().into(),
            }
        }
    }

    pub(crate) async fn first_of(account: &Account<'_, u8, 2>) -> u8 {
        with_lock!(account.ledger, { ledger.first::<u8>(3_u8).await })
    }
}

fn main() {
    let account = account::Account::new("x", [1, 2]);
    drop((
        account.deposit(1),
        account.nothing_but_the_exclusion(),
        account.early(1),
        account.unused(1, (2, 3)),
        account.name(""),
        account.note(1),
        account.block(),
        account::first_of(&account),
    ));
}
