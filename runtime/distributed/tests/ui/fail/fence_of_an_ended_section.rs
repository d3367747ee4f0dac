use async_monitor::{synchronized, with_lock};
use async_monitor_distributed::store::Store;
use async_monitor_distributed::{Fence, Fenced, Guard, Lock, LockError};

struct Billing<S: Store> {
    invoice: Lock<S>,
    archive: Fenced<Vec<u8>>,
}

impl<S: Store> Billing<S> {
    #[synchronized(self.invoice?)]
    async fn returned(&self) -> Result<&Fence<'_>, LockError> {
        Ok(&invoice.fence)
    }

    async fn kept(&self) -> Result<(), LockError> {
        let fence = with_lock!(self.invoice?, { &invoice.fence });
        let _ = self.archive.with(fence);
        Ok(())
    }

    async fn after_the_release(&self) -> Result<(), LockError> {
        let guard = self.invoice.acquire().await?;
        let archive = self.archive.with(&guard.fence);
        Guard::release(guard).await?;
        let _ = archive.number();
        Ok(())
    }
}

fn main() {}
