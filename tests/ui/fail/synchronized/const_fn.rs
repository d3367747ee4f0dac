use async_monitor::{Guarded, monitor, sync, synchronized};

struct Plain {
    bytes: sync::Mutex<Vec<u8>>,
}

impl Plain {
    #[synchronized(bytes)]
    const fn len(&self) -> usize {
        bytes.len()
    }
}

#[derive(Guarded)]
struct Account {
    brief: sync::Lock,
    #[guarded_by(brief)]
    balance: Guarded<i64>,
}

#[monitor]
impl Account {
    #[synchronized(brief)]
    const fn balance(&self) -> i64 {
        *brief.balance
    }
}

fn main() {}
