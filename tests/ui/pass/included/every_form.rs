// Every form of the macros, once.

use std::pin::Pin;
use std::time::Duration;

use super::Remote;
use async_monitor::{
    Condition, Elapsed, Guarded, Lock, Mutex, RwLock, monitor, sync, synchronized, with_lock,
};
use async_trait::async_trait;

static SHARED: Mutex<u8> = Mutex::new(1);
const PATIENCE: Duration = Duration::from_secs(60);

/// All kinds of locks.
#[derive(Debug, Guarded)]
pub struct Account<'d, T: Clone, const N: usize>
where
    T: 'd,
{
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[guarded_by(ledger)]
    history: Guarded<Vec<&'d T>>,
    #[lock(rw)]
    config: RwLock<()>,
    #[guarded_by(config)]
    limits: Guarded<[T; N]>,
    #[lock]
    state: Mutex<u8>,
    #[lock(rw)]
    table: Box<RwLock<u8>>,
    // Fields of such names are fields.
    #[lock]
    guard: Lock,
    #[guarded_by(guard)]
    formatter: Guarded<u8>,
    remote: Remote,
    changed: Condition,
}

/// Sections that never suspend, and those that park.
#[derive(Debug, Default, Guarded)]
struct Short {
    brief: sync::Lock,
    #[guarded_by(brief)]
    number: Guarded<i64>,
    #[lock(rw)]
    settings: sync::RwLock<()>,
    #[guarded_by(settings)]
    bound: Guarded<i64>,
    numbers: sync::Mutex<Vec<i64>>,
    slow: Mutex<Vec<i64>>,
}

impl Short {
    #[synchronized(brief, read(settings), numbers, atomic)]
    fn plain(&self) -> Option<i64> {
        *brief.number += *settings.bound;
        numbers.push(*brief.number);
        numbers.first().copied()
    }

    #[synchronized(brief, when = *brief.number > 0, timeout = PATIENCE)]
    fn parked(&self) -> Result<i64, Elapsed> {
        Ok(*brief.number)
    }

    #[synchronized(slow, read(numbers), atomic)]
    async fn mixed(&self) -> usize {
        slow.extend_from_slice(numbers);
        slow.len()
    }

    #[synchronized(slow, read(brief), blocking, atomic)]
    fn blocking(&self) -> usize {
        slow.push(*brief.number);
        slow.len()
    }

    #[synchronized(read(settings), when = *settings.bound >= 0)]
    async fn waits(&self) -> i64 {
        *settings.bound
    }

    fn blocks(&self) -> i64 {
        with_lock!(self.slow, self.numbers, blocking, { slow.append(numbers) });
        with_lock!(read(self.brief), blocking, { *brief.number })
    }
}

impl<'d, T: Clone + Sync, const N: usize> Account<'d, T, N> {
    #[synchronized(ledger)]
    async fn one(&self, amount: i64) -> i64 {
        *ledger.balance += amount;
        *ledger.balance
    }

    #[synchronized(g = guard)]
    async fn named(&self) -> u8 {
        *g.formatter
    }

    #[synchronized(ledger, read(config), state, t = table)]
    async fn several(&self) -> i64 {
        *t.value = *state.value;
        *ledger.balance + i64::try_from(config.limits.len()).unwrap_or(0)
    }

    #[synchronized(ledger, when = *ledger.balance >= amount)]
    async fn conditional(&self, amount: i64) -> i64 {
        *ledger.balance -= amount;
        *ledger.balance
    }

    #[synchronized(read(config), when = config.limits.len() == N)]
    async fn conditional_read(&self) -> usize {
        config.limits.len()
    }

    #[synchronized(ledger, when = *ledger.balance >= 0, timeout = PATIENCE)]
    async fn conditional_in_time(&self) -> Result<i64, Elapsed> {
        Ok(*ledger.balance)
    }

    #[synchronized(ledger, timeout = PATIENCE)]
    async fn in_time(&self) -> Result<i64, Elapsed> {
        Ok(*ledger.balance)
    }

    #[synchronized(ledger, state, timeout = PATIENCE, atomic)]
    async fn several_in_time(&self) -> Result<i64, Elapsed> {
        Ok(*ledger.balance + i64::from(*state.value))
    }

    #[synchronized(state, r = remote?)]
    async fn fallible(&self) -> Result<u8, String> {
        Ok(*r + *state.value)
    }

    #[synchronized(r = remote?, state, timeout = PATIENCE)]
    async fn fallible_in_time(&self) -> Result<u8, Failed> {
        Ok(*r + *state.value)
    }

    #[synchronized(s = SHARED, ledger, t = table, state, atomic, no_await)]
    async fn atomic(&self) -> Result<i64, Elapsed> {
        *s += *state.value;
        *t.value += 1;
        Ok(*ledger.balance)
    }

    #[synchronized(ledger, s = state, atomic)]
    async fn atomic_with_await(&self) -> Result<i64, Failed> {
        step().await;
        *ledger.balance += 1;
        *s.value += 1;
        Err(Failed::Late)
    }

    async fn blocks(&self) -> Result<i64, Failed> {
        let first = with_lock!(l = self.ledger, s = self.state, {
            *l.balance + i64::from(*s.value)
        });
        let second = with_lock!(read(self.config), when = config.limits.len() == N, {
            config.limits.len()
        });
        with_lock!(self.ledger, atomic, timeout = PATIENCE, {
            *ledger.balance += 1
        })?;
        with_lock!(self.ledger, self.state, timeout = PATIENCE, {
            *ledger.balance += 1
        })?;
        with_lock!(r = self.remote?, {
            let _ = *r;
        });
        Ok(first + i64::try_from(second).unwrap_or(0))
    }

    #[synchronized(ledger)]
    async fn waits(&self) {
        self.changed.notify_all(ledger);
    }

    fn without_lock(&mut self) -> i64 {
        *self.guard_mut().formatter += *self.state_mut().value;
        *self.ledger_mut().balance
    }

    fn now(&self) -> Option<()> {
        let mine = self.try_acquire_ledger()?;
        AccountLedgerGuard::release(mine);
        let one = self.acquire_ledger_blocking();
        let two = self.read_config_blocking();
        let three = self.write_table_blocking();
        assert!(!format!("{one:?}{two:?}{three:?}").is_empty());
        Some(())
    }

    async fn waits_with_a_guard(&self) -> i64 {
        let mut mine = self.acquire_ledger().await;
        let mut yielded = false;
        mine = self
            .changed
            .wait_for(mine, |ledger| {
                let is_again = yielded;
                yielded = true;
                is_again || *ledger.balance > 0
            })
            .await;
        *mine.fields().balance
    }
}

/// Of several errors, one.
#[derive(Debug)]
enum Failed {
    Late,
    Lost,
}

impl From<Elapsed> for Failed {
    fn from(_: Elapsed) -> Self {
        Failed::Late
    }
}

impl From<String> for Failed {
    fn from(_: String) -> Self {
        Failed::Lost
    }
}

async fn step() {
    std::future::ready(()).await;
}

#[synchronized(m, n = read(n))]
async fn parameters(m: &Mutex<u8>, n: &RwLock<u8>) -> u8 {
    *m + *n
}

#[async_trait]
trait Service {
    async fn serve(&self, number: i64) -> i64;
}

#[async_trait]
impl Service for Account<'_, u8, 2> {
    #[synchronized(ledger, state)]
    async fn serve(&self, number: i64) -> i64 {
        *ledger.balance + i64::from(*state.value) + number
    }
}

impl<'d> Account<'d, u8, 2> {
    #[synchronized(ledger)]
    fn boxed<'s>(&'s self) -> Pin<Box<dyn Future<Output = i64> + Send + 's>> {
        Box::pin(async move { *ledger.balance })
    }
}

#[monitor]
impl<'d, T: Clone + Sync, const N: usize> Account<'d, T, N> {
    /// Without an `.await`.
    #[synchronized(ledger)]
    pub async fn deposit(&self, amount: i64, _: u8, (x, y): (i64, i64), _unused: u8) -> i64 {
        *ledger.balance += amount + x + y;
        *ledger.balance
    }

    /// With one.
    #[synchronized(ledger)]
    pub async fn slowly(&self) -> i64 {
        step().await;
        ledger.deposit(1, 2, (3, 4), 5).await
    }

    /// Rolled back.
    #[synchronized(ledger, atomic)]
    pub async fn rolled_back<U: Into<i64>>(&self, amount: U) -> Result<i64, Elapsed> {
        let sum = ledger.slowly().await + amount.into();
        Ok(sum)
    }

    /// Read.
    #[synchronized(read(config))]
    pub async fn limits(&self) -> usize {
        config.limits.len()
    }

    /// Written.
    #[synchronized(config)]
    pub async fn set(&self, limits: [T; N]) -> usize {
        *config.limits = limits;
        config.limits().await
    }

    /// With a value.
    #[synchronized(state, timeout = PATIENCE)]
    pub async fn advance(&self) -> Result<u8, Elapsed> {
        *state.value += 1;
        Ok(*state.value)
    }
}

pub fn main() {
    let mut account = Account {
        ledger: Lock::new(),
        balance: Guarded::new(1),
        history: Guarded::new(Vec::new()),
        config: RwLock::new(()),
        limits: Guarded::new([1_u8, 2]),
        state: Mutex::new(0),
        table: Box::new(RwLock::new(1)),
        guard: Lock::new(),
        formatter: Guarded::new(1),
        remote: Remote::default(),
        changed: Condition::new(),
    };
    assert_eq!(account.without_lock(), 1);
    smol::block_on(async {
        assert_eq!(account.one(1).await, 2);
        assert_eq!(account.named().await, 1);
        assert_eq!(account.several().await, 4);
        assert_eq!(account.conditional(1).await, 1);
        assert_eq!(account.conditional_read().await, 2);
        assert_eq!(account.conditional_in_time().await, Ok(1));
        assert_eq!(account.in_time().await, Ok(1));
        assert_eq!(account.several_in_time().await, Ok(1));
        assert_eq!(account.fallible().await, Ok(0));
        assert!(account.fallible_in_time().await.is_ok());
        assert_eq!(account.atomic().await, Ok(1));
        assert!(account.atomic_with_await().await.is_err());
        assert!(account.blocks().await.is_ok());
        account.waits().await;
        assert_eq!(account.now(), Some(()));
        assert_eq!(account.waits_with_a_guard().await, 3);
        assert_eq!(parameters(&Mutex::new(1), &RwLock::new(2)).await, 3);
        assert_eq!(account.serve(1).await, 4);
        assert_eq!(account.boxed().await, 3);
        assert_eq!(account.slowly().await, 11);
        assert!(account.rolled_back(1).await.is_ok());
        assert_eq!(account.limits().await, 2);
        assert_eq!(account.set([3, 4]).await, 2);
        assert_eq!(account.advance().await, Ok(1));
    });
}
