//! A macro gets nothing of the section where its name has come from another macro.

use async_monitor::{Guarded, Lock, synchronized};

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

macro_rules! named {
    ((&$section:ident).$($rest:tt)*) => {
        $section.__entered(0)
    };
}

macro_rules! by_a_fragment {
    ($name:path) => {
        impl Account {
            #[synchronized(ledger)]
            async fn by_a_fragment(&self) {
                let _x = async {};
                $name!(_x.await);
            }
        }
    };
}

by_a_fragment!(named);

fn main() {}
