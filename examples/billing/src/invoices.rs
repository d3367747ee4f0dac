//! What the service consists of: a lock, the database, and methods.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use async_monitor::synchronized;
use async_monitor_distributed::postgres::{FenceError, Options, PostgresLock};
use async_monitor_distributed::{Fenced, LockError};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls};

/// Short, so that the example is.
pub(crate) const LEASE: Duration = Duration::from_secs(2);

/// What the locks and fences are for.
struct Invoices;

struct Invoice {
    lock: PostgresLock<Invoices>,
    database: Fenced<Client, Invoices>,
    /// Who we are, for what is printed.
    name: String,
}

#[derive(Debug)]
enum Failed {
    Lock(LockError),
    Write(FenceError),
}

impl From<LockError> for Failed {
    fn from(error: LockError) -> Self {
        Failed::Lock(error)
    }
}

impl From<FenceError> for Failed {
    fn from(error: FenceError) -> Self {
        Failed::Write(error)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failed::Lock(error) => write!(f, "the section has ended: {error}"),
            Failed::Write(error) => write!(f, "the write was refused: {error}"),
        }
    }
}

const READ: &str = "select amount from invoices where id = 42";
const WRITE: &str = "update invoices set amount = $1 where id = 42";

impl Invoice {
    /// Adds to the invoice, after a look at it that takes its time.
    #[synchronized(self.lock?)]
    async fn add(&self, amount: i32, takes: Duration) -> Result<i32, Failed> {
        let database = self.database.with(&lock.fence);
        let before: i32 = database.query(READ, &[]).await?[0].get(0);
        self.say(&format!("fence {}, reads {before}", lock.fence.number()));
        tokio::time::sleep(takes).await;
        let after = before + amount;
        database.execute(WRITE, &[(&after, Type::INT4)]).await?;
        self.say(&format!("writes {after}"));
        Ok(after)
    }

    /// The same, by a guard, which nobody looks after, and without an `.await` between the
    /// read and the write.
    async fn add_without_a_section(&self, amount: i32, takes: Duration) -> Result<i32, Failed> {
        let guard = self.lock.acquire().await?;
        let database = self.database.with(&guard.fence);
        let before: i32 = database.query(READ, &[]).await?[0].get(0);
        self.say(&format!("fence {}, reads {before}", guard.fence.number()));
        std::thread::sleep(takes);
        let after = before + amount;
        self.say(&format!("is about to write {after}"));
        database.execute(WRITE, &[(&after, Type::INT4)]).await?;
        self.say(&format!("writes {after}"));
        Ok(after)
    }

    fn say(&self, what: &str) {
        println!("{}: {what}", self.name);
    }
}

/// A process of the service.
pub(crate) async fn process(name: &str, what: &str, database: &str) -> Result<(), Box<dyn Error>> {
    let store = Options::new(database)?.lease(LEASE).connect().await?;
    let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
    tokio::spawn(connection);
    let invoice = Invoice {
        lock: store.lock_for("invoice/42"),
        database: Fenced::new(client),
        name: name.to_owned(),
    };
    let short = Duration::from_millis(200);
    let added = match what {
        "ten" => {
            let mut added = Ok(0);
            for _ in 0..10 {
                added = invoice.add(1, Duration::ZERO).await;
            }
            added
        }
        "await" => invoice.add(100, 10 * short).await,
        "compute" => invoice.add_without_a_section(100, 10 * short).await,
        _ => invoice.add(1, short).await,
    };
    if let Err(failed) = added {
        invoice.say(&failed.to_string());
    }
    Ok(())
}
