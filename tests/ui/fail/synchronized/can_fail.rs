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

fn main() {}
