use async_monitor::synchronized;
use async_monitor_distributed::store::Store;
use async_monitor_distributed::{Fence, Fenced, Lock, LockError};

struct Invoices;

struct Archive;

impl Archive {
    fn store(&self, _fence: &Fence<'_, Invoices>) {}
}

struct Billing<S: Store> {
    invoice: Lock<S, Invoices>,
    archive: Fenced<Archive, Invoices>,
}

impl<S: Store> Billing<S> {
    #[synchronized(self.invoice?)]
    async fn pay(&self) -> Result<(), LockError> {
        self.archive.store();
        self.archive.with().resource().store(&invoice.fence);
        self.archive.with(&invoice.fence).resource().store();
        Ok(())
    }
}

fn main() {}
