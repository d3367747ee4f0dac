//! The macro of the struct is one of the user's, and does something else with what a body does to
//! its view.

use async_monitor::__private::Body;
use async_monitor::{Guarded, Lock, monitor};

mod declared {
    use super::*;

    #[derive(Guarded)]
    pub struct Account {
        pub name: String,
        #[lock]
        pub ledger: Lock,
        #[guarded_by(ledger)]
        pub balance: Guarded<i64>,
    }
}

use declared::{Account, AccountLedgerHeld};

/// All up to the semicolon.
macro_rules! value {
    ({ $($value:tt)* } ; $($rest:tt)*) => { $($value)* };
    ({ $($value:tt)* } $next:tt $($rest:tt)*) => { value!({ $($value)* $next } $($rest)*) };
}

macro_rules! Account {
    (
        write ledger
        {
            fn $name:ident<$section:lifetime> $params:tt -> &str {
                let $tied:ident = $view_and_body:tt;
                let $ledger:ident = $($rest:tt)*
            }
            $($more:tt)*
        }
        $plain:tt
    ) => {
        /// For as long as a body that never ends.
        fn kept(view: &mut AccountLedgerHeld<'_>) -> &'static mut AccountLedgerHeld<'static> {
            let $tied = (view, Box::leak(Box::new(Body::begin())));
            value!({} $($rest)*)
        }
    };
    ($($of_views:tt)*) => {};
}

#[monitor]
impl Account {
    #[synchronized(ledger)]
    pub async fn deposit(&self) -> &str {
        *ledger.balance += 1;
        &self.name
    }
}

fn main() {
    let _: fn(&mut AccountLedgerHeld<'_>) -> &'static mut AccountLedgerHeld<'static> =
        Account::kept;
}
