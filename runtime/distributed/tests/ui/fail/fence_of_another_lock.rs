use async_monitor::synchronized;
use async_monitor_distributed::store::Store;
use async_monitor_distributed::{Fenced, Lock, LockError};

struct Invoices;
struct Orders;

struct Billing<S: Store> {
    order: Lock<S, Orders>,
    archive: Fenced<Vec<u8>, Invoices>,
}

impl<S: Store> Billing<S> {
    #[synchronized(self.order?)]
    async fn pay(&self) -> Result<(), LockError> {
        let _ = self.archive.with(&order.fence);
        Ok(())
    }
}

fn main() {}
