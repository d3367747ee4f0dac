use async_monitor::synchronized;
use async_monitor_distributed::store::Store;
use async_monitor_distributed::{Lock, LockError};

struct Billing<S: Store> {
    invoice: Lock<S>,
}

#[derive(Debug)]
struct Other;

impl<S: Store> Billing<S> {
    #[synchronized(self.invoice)]
    async fn pay(&self) -> Result<(), LockError> {
        Ok(())
    }

    #[synchronized(self.invoice?)]
    async fn no_result(&self) {}

    #[synchronized(self.invoice?)]
    async fn another_error(&self) -> Result<(), Other> {
        Ok(())
    }
}

fn main() {}
