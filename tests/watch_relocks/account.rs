//! Sections of all kinds, each of which makes a request while it holds its lock.

use std::future::Future;
use std::time::Duration;

use async_monitor::{
    Elapsed, Guarded, Lock, RwLock, holding, monitor, sync, synchronized, with_lock,
};
use futures::future;

#[derive(Guarded, Default)]
pub struct Account {
    pub ledger: Lock,
    #[guarded_by(ledger)]
    pub balance: Guarded<i64>,
    #[lock(rw)]
    pub log: RwLock<()>,
    #[guarded_by(log)]
    pub lines: Guarded<Vec<String>>,
    #[lock(sync)]
    pub state: sync::Lock,
    #[guarded_by(state)]
    pub open: Guarded<bool>,
}

impl Account {
    #[synchronized(ledger)]
    pub async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
    }

    #[synchronized(ledger, when = *ledger.balance > 0)]
    pub async fn withdraw(&self) {
        *ledger.balance -= 1;
    }

    #[synchronized(ledger, blocking)]
    pub fn balance(&self) -> i64 {
        *ledger.balance
    }

    #[synchronized(ledger, blocking, when = *ledger.balance > 0)]
    pub fn withdraw_blocking(&self) {
        *ledger.balance -= 1;
    }

    #[synchronized(state)]
    pub fn is_open(&self) -> bool {
        *state.open
    }

    // Sections of an async lock, which await.

    #[synchronized(ledger)]
    pub async fn awaits(&self, ask: impl Future<Output = ()>) {
        *ledger.balance += 1;
        ask.await;
    }

    #[synchronized(ledger, when = *ledger.balance == 0)]
    pub async fn awaits_when(&self, ask: impl Future<Output = ()>) {
        *ledger.balance += 1;
        ask.await;
    }

    #[synchronized(ledger, atomic)]
    pub async fn awaits_atomic(&self, ask: impl Future<Output = ()>) {
        *ledger.balance += 1;
        ask.await;
    }

    #[synchronized(ledger, timeout = Duration::from_secs(1))]
    pub async fn awaits_timeout(&self, ask: impl Future<Output = ()>) -> Result<(), Elapsed> {
        *ledger.balance += 1;
        ask.await;
        Ok(())
    }

    #[synchronized(ledger, log)]
    pub async fn awaits_several(&self, ask: impl Future<Output = ()>) {
        *ledger.balance += 1;
        log.lines.push(String::new());
        ask.await;
    }

    pub async fn awaits_block(&self, ask: impl Future<Output = ()>) {
        with_lock!(self.ledger, {
            *ledger.balance += 1;
            ask.await;
        })
    }

    pub async fn awaits_block_in_section(&self, ask: impl Future<Output = ()>) {
        with_lock!(self.log, {
            log.lines.push(String::new());
            with_lock!(self.ledger, {
                *ledger.balance += 1;
                ask.await;
            })
        })
    }

    // The same, which call.

    #[synchronized(ledger)]
    pub async fn calls(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        ask();
    }

    #[synchronized(ledger, no_await)]
    pub async fn calls_no_await(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        ask();
    }

    #[synchronized(ledger, when = *ledger.balance == 0)]
    pub async fn calls_when(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        ask();
    }

    #[synchronized(ledger, atomic)]
    pub async fn calls_atomic(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        ask();
    }

    #[synchronized(ledger, timeout = Duration::from_secs(1))]
    pub async fn calls_timeout(&self, ask: impl FnOnce()) -> Result<(), Elapsed> {
        *ledger.balance += 1;
        ask();
        Ok(())
    }

    #[synchronized(ledger, log)]
    pub async fn calls_several(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        log.lines.push(String::new());
        ask();
    }

    #[synchronized(ledger)]
    pub async fn calls_behind_an_await(&self, ask: impl FnOnce()) {
        future::ready(()).await;
        *ledger.balance += 1;
        ask();
    }

    #[synchronized(ledger)]
    pub async fn calls_behind_a_macro(&self, ask: impl FnOnce()) {
        assert_eq!(*ledger.balance, 0);
        ask();
    }

    pub async fn calls_block(&self, ask: impl FnOnce()) {
        with_lock!(self.ledger, {
            *ledger.balance += 1;
            ask();
        })
    }

    pub async fn calls_block_in_section(&self, ask: impl FnOnce()) {
        with_lock!(self.log, {
            log.lines.push(String::new());
            with_lock!(self.ledger, {
                *ledger.balance += 1;
                ask();
            })
        })
    }

    pub async fn calls_behind_a_section(&self, ask: impl FnOnce()) {
        with_lock!(self.ledger, {
            with_lock!(self.log, { log.lines.push(String::new()) });
            *ledger.balance += 1;
            ask();
        })
    }

    pub async fn parks_block_in_async(&self, ask: impl FnOnce()) {
        with_lock!(self.ledger, blocking, {
            *ledger.balance += 1;
            ask();
        })
    }

    // Plain ones.

    #[synchronized(ledger, blocking)]
    pub fn parks(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        ask();
    }

    #[synchronized(ledger, blocking, when = *ledger.balance == 0)]
    pub fn parks_when(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        ask();
    }

    #[synchronized(ledger, blocking, atomic)]
    pub fn parks_atomic(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        ask();
    }

    #[synchronized(ledger, blocking, timeout = Duration::from_secs(1))]
    pub fn parks_timeout(&self, ask: impl FnOnce()) -> Result<(), Elapsed> {
        *ledger.balance += 1;
        ask();
        Ok(())
    }

    #[synchronized(ledger, log, blocking)]
    pub fn parks_several(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        log.lines.push(String::new());
        ask();
    }

    pub fn parks_block(&self, ask: impl FnOnce()) {
        with_lock!(self.ledger, blocking, {
            *ledger.balance += 1;
            ask();
        })
    }

    pub fn parks_block_when(&self, ask: impl FnOnce()) {
        with_lock!(self.ledger, blocking, when = *ledger.balance == 0, {
            *ledger.balance += 1;
            ask();
        })
    }

    pub fn parks_block_behind_a_macro(&self, ask: impl FnOnce()) {
        with_lock!(self.ledger, blocking, {
            assert_eq!(*ledger.balance, 0);
            ask();
        })
    }

    pub fn parks_block_in_a_block(&self, ask: impl FnOnce()) {
        with_lock!(self.log, blocking, {
            log.lines.push(String::new());
            with_lock!(self.ledger, blocking, {
                *ledger.balance += 1;
                ask();
            })
        })
    }

    #[synchronized(ledger, blocking)]
    pub fn parks_and_has_a_block(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        with_lock!(self.log, blocking, {
            log.lines.push(String::new());
            ask();
        })
    }

    // Sections of a sync lock.

    #[synchronized(state)]
    pub fn short(&self, ask: impl FnOnce()) {
        *state.open = true;
        ask();
    }

    #[synchronized(state)]
    pub async fn short_async(&self, ask: impl FnOnce()) {
        *state.open = true;
        ask();
    }

    #[synchronized(state, no_await)]
    pub async fn short_no_await(&self, ask: impl FnOnce()) {
        *state.open = true;
        ask();
    }

    #[synchronized(state)]
    pub async fn short_async_behind_a_macro(&self, ask: impl FnOnce()) {
        assert!(!*state.open);
        ask();
    }

    #[synchronized(ledger, state)]
    pub async fn short_and_async(&self, ask: impl FnOnce()) {
        *state.open = *ledger.balance == 0;
        ask();
    }

    #[synchronized(state, when = !*state.open)]
    pub async fn short_when(&self, ask: impl FnOnce()) {
        *state.open = true;
        ask();
    }

    pub fn short_block(&self, ask: impl FnOnce()) {
        with_lock!(self.state, blocking, {
            *state.open = true;
            ask();
        })
    }

    pub fn short_block_behind_a_macro(&self, ask: impl FnOnce()) {
        with_lock!(self.state, blocking, {
            assert!(!*state.open);
            ask();
        })
    }

    pub fn short_block_with_macros_within(&self, ask: impl FnOnce()) {
        with_lock!(self.state, blocking, {
            if !*state.open {
                let _ = format!("closed {}", line!());
                ask();
            }
        })
    }

    pub async fn short_block_in_async(&self, ask: impl FnOnce()) {
        with_lock!(self.state, {
            *state.open = true;
            ask();
        })
    }

    pub async fn short_block_in_section(&self, ask: impl FnOnce()) {
        with_lock!(self.ledger, {
            *ledger.balance += 1;
            with_lock!(self.state, {
                *state.open = true;
                ask();
            })
        })
    }

    pub fn short_by_hand(&self, ask: impl FnOnce()) {
        let guard = self.acquire_state();
        ask();
        drop(guard);
    }
}

impl Account {
    #[synchronized(read(log))]
    pub async fn reads(&self, ask: impl Future<Output = ()>) {
        let _: &Vec<_> = log.lines;
        ask.await;
    }

    #[synchronized(read(log))]
    pub async fn reads_and_calls(&self, ask: impl FnOnce()) {
        let _: &Vec<_> = log.lines;
        ask();
    }

    #[synchronized(read(log), blocking)]
    pub fn reads_and_parks(&self, ask: impl FnOnce()) {
        let _: &Vec<_> = log.lines;
        ask();
    }

    #[synchronized(log)]
    pub async fn writes(&self, ask: impl Future<Output = ()>) {
        log.lines.push(String::new());
        ask.await;
    }

    #[synchronized(log)]
    pub async fn writes_and_calls(&self, ask: impl FnOnce()) {
        log.lines.push(String::new());
        ask();
    }

    #[synchronized(log, blocking)]
    pub fn writes_and_parks(&self, ask: impl FnOnce()) {
        log.lines.push(String::new());
        ask();
    }

    #[synchronized(read(log))]
    pub async fn lines(&self) -> usize {
        log.lines.len()
    }

    #[synchronized(log)]
    pub async fn write(&self) {
        log.lines.push(String::new());
    }

    #[synchronized(log, blocking)]
    pub fn write_blocking(&self) {
        log.lines.push(String::new());
    }
}

#[monitor]
impl Account {
    #[synchronized(ledger)]
    pub async fn monitored(&self, ask: impl Future<Output = ()>) {
        *ledger.balance += 1;
        ask.await;
    }

    #[holding(ledger)]
    pub async fn helps(&self, ask: impl Future<Output = ()>) {
        *ledger.balance += 1;
        ask.await;
    }

    #[synchronized(ledger)]
    pub async fn is_helped(&self, ask: impl Future<Output = ()>) {
        ledger.helps(ask).await;
    }

    #[synchronized(ledger)]
    pub async fn nests_monitored(&self, ask: impl Future<Output = ()>) {
        ledger.monitored(ask).await;
    }
}
