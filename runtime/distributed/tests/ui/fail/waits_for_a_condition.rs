use async_monitor::synchronized;
use async_monitor_distributed::store::Store;
use async_monitor_distributed::{Lock, LockError};

struct Billing<S: Store> {
    invoice: Lock<S>,
}

impl<S: Store> Billing<S> {
    #[synchronized(self.invoice?, when = invoice.fence.number() > 1)]
    async fn pay(&self) -> Result<(), LockError> {
        Ok(())
    }
}

fn main() {}
