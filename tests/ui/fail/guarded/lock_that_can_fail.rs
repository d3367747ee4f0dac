use async_monitor::{AsyncLock, ExclusiveLock, Guarded};

struct Remote;

struct Lost;

impl AsyncLock for Remote {
    type Guard<'a> = ();
    type Error = Lost;

    async fn acquire(&self) -> Result<(), Lost> {
        Err(Lost)
    }

    fn try_acquire(&self) -> Option<()> {
        None
    }
}

unsafe impl ExclusiveLock for Remote {}

#[derive(Guarded)]
struct Account {
    remote: Remote,
    #[guarded_by(remote)]
    balance: Guarded<i64>,
}

fn main() {}
