//! Statements that the database refuses from whoever does not hold the lock any more.

use std::error::Error;
use std::fmt;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, GenericClient, Row, Transaction};

use crate::fence::{FencedMut, FencedRef};

/// A statement was refused because its fence is not that of the last grant of its lock: another
/// process was granted the lock since, or the database does not have the grant.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StaleFence {
    /// The key of the lock.
    pub key: String,
    /// The number of the fence that was refused.
    pub fence: u64,
    /// The number of the last fence, if it was given out since. It may be the same, if a database
    /// has failed over to a replica that had not received the first one.
    ///
    /// `None` if there is none: the database has lost the grant, or is not that of the locks.
    pub newer: Option<u64>,
}

impl fmt::Display for StaleFence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StaleFence { key, fence, newer } = self;
        write!(f, "fence {fence} of lock \"{key}\" is stale: ")?;
        match newer {
            Some(newer) if newer == fence => f.write_str(
                "the database had lost it in a failover, and has given out the same number again, \
                 and nothing was written",
            ),
            Some(newer) => write!(f, "fence {newer} was given out since, and nothing was written"),
            None => f.write_str(
                "the database has no such grant, and nothing was written. It has lost the grant, in \
                 a failover to a replica that lagged behind, or in a crash before the lease ended; \
                 or it is not the database of the locks. Leave the section, and acquire the lock \
                 again",
            ),
        }
    }
}

impl Error for StaleFence {}

/// The error of a fenced statement.
#[derive(Debug)]
#[non_exhaustive]
pub enum FenceError {
    /// The lock was granted to somebody else since, or the database has lost the grant. Nothing was
    /// written.
    Stale(StaleFence),
    /// Anything else.
    Database(tokio_postgres::Error),
}

impl fmt::Display for FenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FenceError::Stale(stale) => fmt::Display::fmt(stale, f),
            FenceError::Database(error) => {
                fmt::Display::fmt(error, f)?;
                error
                    .as_db_error()
                    .map_or(Ok(()), |error| write!(f, ": {error}"))
            }
        }
    }
}

impl Error for FenceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            FenceError::Stale(stale) => Some(stale),
            FenceError::Database(error) => Some(error),
        }
    }
}

/// A parameter and its type, as tokio-postgres takes them where a statement is not prepared.
type Param<'p> = (&'p (dyn ToSql + Sync), Type);

/// The number and the identity of a grant, to be checked.
struct Check<'c> {
    key: &'c str,
    number: u64,
    holder: &'c str,
}

impl Check<'_> {
    fn error(&self, error: tokio_postgres::Error) -> FenceError {
        match error.as_db_error() {
            Some(db) if db.code().code() == "AM001" => FenceError::Stale(StaleFence {
                key: self.key.to_owned(),
                fence: self.number,
                newer: db
                    .detail()
                    .and_then(|last| last.parse().ok())
                    .filter(|last| *last >= self.number),
            }),
            _ => FenceError::Database(error),
        }
    }

    /// `statement` is given the places of the three parameters of the check, which follow
    /// those of the user.
    async fn run(
        &self,
        resource: &(impl GenericClient + Sync),
        params: &[Param<'_>],
        statement: impl FnOnce(&str) -> String,
    ) -> Result<Vec<Row>, FenceError> {
        let count = params.len();
        let check = format!(
            "async_monitor.check_fence(${}, ${}, ${})",
            count + 1,
            count + 2,
            count + 3
        );
        let number = self.number as i64;
        let mut all = params.to_vec();
        all.push((&self.key, Type::TEXT));
        all.push((&number, Type::INT8));
        all.push((&self.holder, Type::TEXT));
        let rows = resource.query_typed(&statement(&check), &all).await;
        rows.map_err(|error| self.error(error))
    }
}

/// The methods of a connection ([`Client`]) or a [`Transaction`] to the database that has the
/// locks: see [`Fenced`](crate::Fenced). In another database every fence is stale.
///
/// Where the lock was granted to somebody else since, each of them is refused and changes
/// nothing. Where it was not, nobody is granted it before the statement is committed. (A grant that
/// was lost in a crash of the server is made again: the role needs the same rights as for
/// acquiring locks.) What is
/// done by [`resource`](FencedRef::resource) is not checked.
///
/// A statement becomes a part of another one, so it does not end with a semicolon.
impl<T: GenericClient + Sync, C> FencedRef<'_, T, C> {
    /// Executes an `insert`, `update` or `delete` without `returning` (from Postgres 17 on, also
    /// a `merge`), and returns the number of changed rows. One round trip.
    ///
    /// # Errors
    ///
    /// If the fence is stale, and any error of the database.
    pub async fn execute(&self, statement: &str, params: &[Param<'_>]) -> Result<u64, FenceError> {
        let rows = self
            .check()
            .run(self.resource, params, |check| {
                format!(
                    "with async_monitor_write as ({statement}\n returning 1) \
                     select (select count(*) from async_monitor_write), {check}"
                )
            })
            .await?;
        let count = rows.first().map_or(0, |row| row.get::<_, i64>(0));
        Ok(count as u64)
    }

    /// Executes a statement that returns rows: a `select`, or any other with `returning`. One
    /// round trip.
    ///
    /// The result of a `select` is as current as the fence: it contains all writes of earlier
    /// holders. Each row has one more column at its end, which is always true.
    ///
    /// # Errors
    ///
    /// If the fence is stale, and any error of the database.
    pub async fn query(
        &self,
        statement: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, FenceError> {
        let mut rows = self
            .check()
            .run(self.resource, params, |check| {
                // The check comes first, and is made also where there are no rows.
                format!(
                    "with async_monitor_rows as ({statement}\n), \
                     async_monitor_fence as materialized (select {check}) \
                     select r.* from async_monitor_fence left join \
                     (select *, true as async_monitor_is_row from async_monitor_rows) r on true"
                )
            })
            .await?;
        rows.retain(|row| {
            let last = row.len() - 1;
            row.get::<_, Option<bool>>(last).is_some()
        });
        Ok(rows)
    }

    fn check(&self) -> Check<'_> {
        Check {
            key: self.key,
            number: self.number,
            holder: self.holder,
        }
    }
}

impl<'r, C> FencedMut<'r, Client, C> {
    /// Begins a transaction in which all statements are fenced: until it has ended, nobody is
    /// granted the lock.
    ///
    /// If it is left open, the server ends it when it has been idle for the time of a lease. A
    /// transaction is not idle while a statement runs, or while its rows are not received:
    /// `statement_timeout`, and `transaction_timeout` from Postgres 17 on, bound that.
    ///
    /// # Errors
    ///
    /// If the fence is stale, and any error of the database.
    pub async fn transaction(self) -> Result<Transaction<'r>, FenceError> {
        let check = Check {
            key: self.key,
            number: self.number,
            holder: self.holder,
        };
        let transaction = self.resource.transaction().await;
        let transaction = transaction.map_err(FenceError::Database)?;
        let idle = i32::try_from(self.lease.as_millis()).unwrap_or(i32::MAX);
        let params: [Param<'_>; 4] = [
            (&check.key, Type::TEXT),
            (&(check.number as i64), Type::INT8),
            (&check.holder, Type::TEXT),
            (&idle, Type::INT4),
        ];
        let checked = transaction
            .query_typed("select async_monitor.check_fence($1, $2, $3, $4)", &params)
            .await;
        match checked {
            Ok(_) => Ok(transaction),
            Err(error) => Err(check.error(error)),
        }
    }
}
