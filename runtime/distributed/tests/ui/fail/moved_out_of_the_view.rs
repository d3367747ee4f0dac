use async_monitor::synchronized;
use async_monitor_distributed::store::Store;
use async_monitor_distributed::{Fence, Lock, LockError};

struct Billing<S: Store> {
    invoice: Lock<S>,
}

impl<S: Store> Billing<S> {
    #[synchronized(self.invoice?)]
    async fn moved(&self) -> Result<Fence<'_>, LockError> {
        Ok(invoice.fence)
    }

    #[synchronized(self.invoice?)]
    async fn cloned(&self) -> Result<Fence<'_>, LockError> {
        Ok(invoice.fence.clone())
    }
}

fn main() {}
