//! What stands behind the macro is no business of the macro: the compiler stops
//! there.

use async_monitor::{Lock, with_lock};

async fn block(ledger: &Lock) {
    with_lock!(ledger) {
    }
}

fn main() {}
