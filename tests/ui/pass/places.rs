//! `with_lock!` wherever an expression can stand.

#![deny(warnings, clippy::all, clippy::pedantic)]

use async_monitor::{Guarded, Lock, Mutex, synchronized, with_lock};

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[lock]
    owner: Mutex<String>,
}

impl Account {
    async fn scrutinee(&self) -> &'static str {
        match with_lock!(self.ledger, { *ledger.balance }) {
            0 => "none",
            _ if with_lock!(self.owner, { owner.value.is_empty() }) => "nobody's",
            _ => "some",
        }
    }

    async fn condition(&self) -> i64 {
        if let Some(balance) = with_lock!(self.ledger, { Some(*ledger.balance) }) {
            if with_lock!(self.ledger, { *ledger.balance == balance }) {
                return balance;
            }
        }
        let Some(rest) = with_lock!(self.ledger, { ledger.balance.checked_sub(1) }) else {
            return 0;
        };
        while with_lock!(self.ledger, { *ledger.balance > 100 }) {
            with_lock!(self.ledger, { *ledger.balance -= 1 });
        }
        rest
    }

    async fn operands(&self) -> i64 {
        let sum = with_lock!(self.ledger, { *ledger.balance })
            + with_lock!(self.ledger, { *ledger.balance });
        let pair = (with_lock!(self.ledger, { 1 }), [with_lock!(self.ledger, { 2 }); 1]);
        sum + pair.0 + pair.1[0] + i64::from(with_lock!(self.owner, { owner.value.len() }) > 9)
    }

    async fn nested(&self) -> i64 {
        with_lock!(self.ledger, {
            let length = with_lock!(self.owner, {
                owner.value.push('x');
                owner.value.len()
            });
            *ledger.balance += i64::try_from(length).unwrap_or(0);
            with_lock!(self.owner, { i64::from(owner.value.is_empty()) }) + *ledger.balance
        })
    }

    async fn jumps(&self) -> i64 {
        let found = loop {
            with_lock!(self.ledger, {
                *ledger.balance += 1;
                if *ledger.balance < 5 {
                    continue;
                }
                break *ledger.balance;
            });
        };
        let labelled = 'outer: {
            with_lock!(self.ledger, {
                if *ledger.balance > 0 {
                    break 'outer 1;
                }
            });
            2
        };
        for _ in 0..3 {
            with_lock!(self.ledger, {
                if *ledger.balance > 3 {
                    break;
                }
            });
        }
        found + labelled
    }

    async fn fallible(&self) -> Result<i64, std::num::ParseIntError> {
        let parsed: i64 = with_lock!(self.owner, { owner.value.trim_matches('x').parse() })?;
        Ok(with_lock!(self.ledger, {
            *ledger.balance += "1".parse::<i64>()?;
            *ledger.balance + parsed
        }))
    }

    async fn closures(&self) -> i64 {
        let read = async || with_lock!(self.ledger, { *ledger.balance });
        let boxed = || Box::pin(async { with_lock!(self.ledger, { *ledger.balance }) });
        let block = async {
            with_lock!(self.ledger, {
                let double = |x: i64| x * 2;
                double(*ledger.balance)
            })
        };
        read().await + boxed().await + block.await
    }

    /// The tail, with nothing else.
    #[synchronized(ledger)]
    async fn tail(&self) -> usize {
        with_lock!(self.owner, { owner.value.len() })
    }

    #[rustfmt::skip]
    async fn spellings(&self) {
        with_lock! { self.ledger, { *ledger.balance += 1 } }
        with_lock![self.ledger, { *ledger.balance += 1 },];
        with_lock!((self.ledger), { *ledger.balance += 1 });
        with_lock!(&self.ledger, { *ledger.balance += 1; });
        with_lock!(l = &(self).ledger, { *l.balance += 1; });
        async_monitor::with_lock!(self.ledger, {});
        ::async_monitor::with_lock!(self.ledger, { let _ = ledger; });
    }
}

/// As many statements as there may be.
macro_rules! many {
    ($object:ident: $($digit:literal)*) => {
        #[synchronized(ledger = $object.ledger)]
        async fn large($object: &Account) -> i64 {
            many!(@ ledger $($digit)*);
            *ledger.balance
        }
    };
    (@ $ledger:ident $($digit:literal)*) => {
        $(many!(@@ $ledger $digit);)*
    };
    (@@ $ledger:ident $digit:literal) => {
        *$ledger.balance += $digit; *$ledger.balance -= $digit;
        *$ledger.balance += $digit; *$ledger.balance -= $digit;
        *$ledger.balance += $digit; *$ledger.balance -= $digit;
        *$ledger.balance += $digit; *$ledger.balance -= $digit;
    };
}
many!(object: 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6);

fn main() {
    let account = Account {
        ledger: Lock::new(),
        balance: Guarded::new(1),
        owner: Mutex::new(String::new()),
    };
    futures::executor::block_on(async {
        assert_eq!(account.scrutinee().await, "nobody's");
        assert_eq!(account.condition().await, 1);
        assert_eq!(account.operands().await, 5);
        assert_eq!(account.nested().await, 2);
        assert_eq!(account.jumps().await, 6);
        assert!(account.fallible().await.is_err());
        assert_eq!(account.closures().await, 20);
        assert_eq!(account.tail().await, 1);
        account.spellings().await;
        assert_eq!(large(&account).await, 10);
    });
}
