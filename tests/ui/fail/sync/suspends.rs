use async_monitor::{Guarded, Lock, sync, synchronized, with_lock};

#[derive(Guarded)]
pub struct Account {
    ledger: sync::Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    log: Lock,
    #[guarded_by(log)]
    lines: Guarded<Vec<i64>>,
    state: sync::Mutex<Vec<u8>>,
}

async fn step() -> Result<u8, ()> {
    Ok(1)
}

macro_rules! select {
    ($($tokens:tt)*) => {};
}

macro_rules! in_turn {
    ($a:expr => $b:expr) => {
        ($a, $b)
    };
}

impl Account {
    #[synchronized(state)]
    async fn value(&self) -> Result<usize, ()> {
        state.push(step().await?);
        for _ in 0..2 {
            if state.is_empty() {
                return step().await.map(usize::from);
            }
        }
        Ok(state.len())
    }

    #[synchronized(ledger)]
    async fn derived(&self) {
        let _ = step().await;
        *ledger.balance += 1;
    }

    #[synchronized(log, read(ledger), state)]
    async fn several(&self) {
        let _ = step().await;
        log.lines.push(*ledger.balance);
        state.push(1);
    }

    #[synchronized(state)]
    async fn in_macros(&self) {
        state.push(in_turn!(1 => step().await.unwrap_or(0)).1);
        select! { _ = step() => {} }
    }

    #[synchronized(state)]
    async fn nested(&self) {
        with_lock!(self.log, { log.lines.push(state.len() as i64) });
    }

    #[synchronized(state, atomic)]
    async fn undone(&self) {
        let _ = step().await;
        state.push(1);
    }

    async fn block(&self) {
        with_lock!(self.state, {
            let _ = step().await;
            state.push(1);
        });
        // Not in the section.
        let later = with_lock!(self.state, {
            state.push(1);
            async { step().await }
        });
        let _ = later.await;
    }
}

fn main() {}
