use async_monitor::{Guarded, Lock as LocalLock, synchronized, with_lock};
use async_monitor_distributed::store::Store;
use async_monitor_distributed::{Fence, Fenced, Lock, LockError};

struct Invoices;
struct Orders;

#[derive(Default)]
struct Archive;

impl Archive {
    async fn store(&self, _fence: &Fence<'_, Invoices>) -> Result<(), LockError> {
        Ok(())
    }
}

#[derive(Guarded)]
struct Billing<S: Store> {
    invoice: Lock<S, Invoices>,
    order: Lock<S, Orders>,
    archive: Fenced<Archive, Invoices>,
    local: LocalLock,
    #[guarded_by(local)]
    count: Guarded<u32>,
}

impl<S: Store> Billing<S> {
    #[synchronized(self.invoice?, self.order?, local, atomic, timeout = std::time::Duration::from_secs(1))]
    async fn pay(&self) -> Result<u64, Failed> {
        *local.count += 1;
        let archive = self.archive.with(&invoice.fence);
        archive.resource().store(&invoice.fence).await?;
        Ok(order.fence.number())
    }

    async fn in_a_block(&self) -> Result<u32, LockError> {
        with_lock!(i = self.invoice?, l = self.local, {
            *l.count += 1;
            self.archive.unfenced().store(&i.fence).await
        })?;
        Ok(1)
    }
}

struct Failed;

impl From<LockError> for Failed {
    fn from(_: LockError) -> Self {
        Failed
    }
}

impl From<async_monitor::Elapsed> for Failed {
    fn from(_: async_monitor::Elapsed) -> Self {
        Failed
    }
}

fn is_send<T: Send>(_: T) {}

fn send<S: Store>(billing: &Billing<S>) {
    is_send(billing.pay());
    is_send(billing.in_a_block());
    is_send(async { billing.invoice.acquire().await.map(drop) });
}

fn main() {
    let _ = Billing::<Never>::pay;
    let _ = send::<Never>;
}

struct Never;

mod never {
    use super::Never;
    use async_monitor_distributed::store::*;
    use std::time::Duration;

    impl Store for Never {
        type Host = Tokio;

        fn host(&self) -> &Tokio {
            unreachable!()
        }
        fn lease(&self) -> Duration {
            unreachable!()
        }
        fn signals(&self) -> &Signals {
            unreachable!()
        }
        fn id(&self, _: &str) -> u64 {
            unreachable!()
        }
        fn name(&self) -> &'static str {
            unreachable!()
        }
        async fn request(&self, _: &Request<'_>) -> Result<Answer, StoreError> {
            unreachable!()
        }
        async fn renew(&self, _: &str, _: &[u64]) -> Result<Renewal, StoreError> {
            unreachable!()
        }
        async fn withdraw(&self, _: &str, _: &str, _: u64) -> Result<(), StoreError> {
            unreachable!()
        }
        async fn close(&self, _: &str) -> Result<(), StoreError> {
            unreachable!()
        }
    }
}
