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
//! The expansions under lints that are not allowed by default.

mod account {
    //! A module that is not public.

    use std::time::Duration;

    use async_monitor::{Elapsed, Guarded, Lock, Mutex, RwLock, synchronized, with_lock};

    const PATIENCE: Duration = Duration::from_secs(1);

    #[derive(Clone, Debug)]
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
        #[guarded_by(ledger)]
        unused: Guarded<Vec<i64>>,
        #[lock]
        state: Mutex<Private>,
        #[lock(rw)]
        cfg: RwLock<()>,
        #[guarded_by(cfg)]
        private: Guarded<Private>,
    }

    impl<'d, T: Clone, const N: usize> Account<'d, T, N> {
        pub(crate) fn new(name: &'d str, balance: [T; N]) -> Self {
            Account {
                name,
                ledger: Lock::new(),
                balance: Guarded::new(balance),
                unused: Guarded::new(Vec::new()),
                state: Mutex::new(Private(1)),
                cfg: RwLock::new(()),
                private: Guarded::new(Private(2)),
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

        #[synchronized(ledger, read(cfg), state)]
        pub(crate) async fn nothing_but_the_exclusion(&self) {}

        #[synchronized(read(cfg))]
        pub(crate) async fn early(&self, mut n: u8) -> u8 {
            n += cfg.private.0;
            return n;
        }

        /// All or nothing, and in time.
        #[synchronized(ledger, write(cfg), state, atomic, timeout = PATIENCE)]
        pub(crate) async fn exchange(&self, item: T) -> Result<T, Elapsed> {
            state.value.0 = cfg.private.0;
            match ledger.balance.first_mut() {
                Some(first) => return Ok(std::mem::replace(first, item)),
                None => return Ok(item),
            }
        }

        #[synchronized(state, atomic, no_await)]
        pub(crate) async fn diverges(&self) {
            state.value.0 = 3;
            panic!("{}", state.value.0);
        }

        pub(crate) async fn never(&self) -> Result<u8, Elapsed> {
            with_lock!(self.state, atomic, timeout = PATIENCE, {
                state.value.0 = 3;
                panic!("{}", state.value.0)
            })
        }

        pub(crate) async fn block(&self) -> u8 {
            with_lock!(self.state, {
                state.value.0 += 1;
                state.value.0
            })
        }
    }
}

fn main() {
    let account = account::Account::new("x", [1, 2]);
    drop((
        account.deposit(1),
        account.nothing_but_the_exclusion(),
        account.early(1),
        account.exchange(1),
        account.diverges(),
        account.never(),
        account.block(),
    ));
}
