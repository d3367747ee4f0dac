use async_monitor::with_lock;
use async_monitor_distributed::store::Store;
use async_monitor_distributed::{Lock, LockError};

async fn write() -> Result<(), LockError> {
    Ok(())
}

async fn pay<S: Store>(lock: &Lock<S>, early: bool) -> Result<(), LockError> {
    loop {
        with_lock!(lock?, {
            if early {
                return Ok(());
            }
            write().await?;
            break;
        });
    }
    Ok(())
}

fn main() {}
