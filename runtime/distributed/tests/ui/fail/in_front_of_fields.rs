use async_monitor::Guarded;
use async_monitor_distributed::Lock;
use async_monitor_distributed::store::Store;

#[derive(Guarded)]
struct Billing<S: Store> {
    invoice: Lock<S>,
    #[guarded_by(invoice)]
    amount: Guarded<i32>,
}

fn main() {}
