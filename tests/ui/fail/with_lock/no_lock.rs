use async_monitor::with_lock;

async fn none() {
    with_lock!({});
}

async fn literal() {
    with_lock!("ledger", {});
}

fn main() {}
