use async_monitor::{AsyncLock, synchronized};

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

#[synchronized(remote)]
async fn section(remote: &Remote) {}

#[synchronized(remote?)]
async fn nothing_returned(remote: &Remote) {}

#[synchronized(remote?)]
async fn other_error(remote: &Remote) -> Result<(), String> {
    Ok(())
}

async fn block(remote: &Remote) -> usize {
    async_monitor::with_lock!(remote?, { 3 })
}

async fn of_any_type<L: AsyncLock>(lock: &L) {
    async_monitor::with_lock!(lock, {})
}

fn main() {}
