//! Structs, fields, locks, methods and bodies that `macro_rules!` has made.

#![deny(warnings)]

use async_monitor::{Guarded, Lock, Mutex, RwLock, synchronized, with_lock};

macro_rules! object {
    (
        $(#[$attr:meta])*
        $vis:vis struct $name:ident<$param:ident> {
            $lock:ident: $lock_ty:ty,
            $($field:ident: $ty:ty = $value:expr,)*
        }
        $(fn $method:ident($($arg:ident: $arg_ty:ty),*) -> $ret:ty $body:block)*
    ) => {
        $(#[$attr])*
        #[derive(Guarded)]
        $vis struct $name<$param> {
            $lock: $lock_ty,
            $(#[guarded_by($lock)] $field: Guarded<$ty>,)*
            #[lock]
            param: Mutex<$param>,
        }

        impl<$param> $name<$param> {
            fn new(param: $param) -> Self {
                $name {
                    $lock: Default::default(),
                    $($field: Guarded::new($value),)*
                    param: Mutex::new(param),
                }
            }

            $(
                #[synchronized($lock)]
                async fn $method(&self, $($arg: $arg_ty),*) -> $ret $body
            )*

            #[synchronized(param)]
            async fn with_param(&self, f: impl Fn(&mut $param)) {
                f(param.value);
            }
        }
    };
}

object! {
    /// Documented.
    #[derive(Debug)]
    struct Account<T> {
        ledger: Lock,
        balance: i64 = 1,
        history: Vec<i64> = vec![],
    }
    fn deposit(amount: i64) -> i64 {
        *ledger.balance += amount;
        ledger.history.push(amount);
        *ledger.balance
    }
}

/// The macro's own names are apart from the user's.
macro_rules! own_names {
    ($name:ident) => {
        #[derive(Guarded)]
        struct $name {
            lock: Lock,
            #[guarded_by(lock)]
            field: Guarded<u8>,
        }

        impl $name {
            #[synchronized(lock)]
            async fn get(&self) -> u8 {
                *lock.field
            }

            #[synchronized(l = self.lock, when = *l.field > 0)]
            async fn named(&self) -> u8 {
                *l.field
            }

            async fn block(&self) -> u8 {
                with_lock!(self.lock, { *lock.field })
            }
        }
    };
}
own_names!(Own);

/// Bodies and locks come from outside, the section from the macro.
macro_rules! locked {
    ($name:ident = $lock:expr, $body:block) => {
        with_lock!($name = $lock, $body)
    };
    ($lock:expr => $name:ident, $body:expr) => {
        with_lock!($name = $lock, { $body })
    };
    ($base:ident . $lock:ident, $body:block) => {
        with_lock!($base.$lock, $body)
    };
    (@read $base:ident . $lock:ident as $name:ident, $($body:tt)*) => {
        with_lock!($name = read($base.$lock), { $($body)* })
    };
}

macro_rules! methods {
    ($($(#[$attr:meta])* $self:ident . $lock:ident => $name:ident $body:block)*) => {$(
        $(#[$attr])*
        #[synchronized($lock)]
        async fn $name(&$self) -> i64 $body
    )*};
}

impl Account<u8> {
    methods! {
        self.ledger => current { *ledger.balance + self.offset() }
        self.ledger => entries { ledger.history.len() as i64 }
    }

    fn offset(&self) -> i64 {
        0
    }
}

static GLOBAL: Mutex<u8> = Mutex::new(1);

struct Config {
    cfg: RwLock<u8>,
}

fn main() {
    let account = Account::new(1_u8);
    let config = Config { cfg: RwLock::new(3) };
    futures::executor::block_on(async {
        assert_eq!(account.deposit(2).await, 3);
        assert_eq!(account.current().await, 3);
        assert_eq!(account.entries().await, 1);
        account.with_param(|param| *param += 1).await;
        let own = Own {
            lock: Lock::new(),
            field: Guarded::new(1),
        };
        assert_eq!(own.get().await + own.named().await + own.block().await, 3);
        assert_eq!(locked!(global = GLOBAL, { *global }), 1);
        assert_eq!(locked!(GLOBAL => g, *g + 1), 2);
        assert_eq!(locked!(account.ledger, { 7 }), 7);
        assert_eq!(locked!(@read config.cfg as c, let x = *c; x), 3);
    });
}
