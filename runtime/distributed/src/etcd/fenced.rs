//! Writes that etcd refuses from whoever does not hold the lock any more.

use std::fmt;

use etcd_client::{
    Client, Compare, CompareOp, DeleteOptions, DeleteResponse, GetOptions, GetResponse, PutOptions,
    PutResponse, SortOrder, SortTarget, Txn, TxnOp, TxnOpResponse, TxnResponse,
};

use super::{keys, parse_value};
use crate::fence::FencedRef;
use crate::process::process;

/// A write was refused because the lease of its lock has ended: another process may have been
/// granted the lock since.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StaleFence {
    /// The key of the lock.
    pub key: String,
    /// The number of the fence that was refused.
    pub fence: u64,
    /// The number of the current fence, if the lock is held.
    pub newer: Option<u64>,
    /// The current holder, if there is one.
    pub holder: Option<String>,
}

impl fmt::Display for StaleFence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StaleFence { key, fence, .. } = self;
        write!(f, "fence {fence} of lock \"{key}\" is stale: ")?;
        match (self.newer, &self.holder) {
            (Some(newer), Some(holder)) => write!(f, "{holder} has fence {newer}")?,
            (Some(newer), None) => write!(f, "fence {newer} was given out since")?,
            _ => f.write_str("its lease has ended")?,
        }
        f.write_str(", and nothing was written")
    }
}

impl std::error::Error for StaleFence {}

/// The error of a fenced write.
#[derive(Debug)]
#[non_exhaustive]
pub enum FenceError {
    /// The lock is not held any more. Nothing was written.
    Stale(StaleFence),
    /// Anything else. Where there was no answer, it may have been written.
    Etcd(etcd_client::Error),
}

impl From<etcd_client::Error> for FenceError {
    fn from(error: etcd_client::Error) -> Self {
        FenceError::Etcd(error)
    }
}

impl fmt::Display for FenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FenceError::Stale(stale) => fmt::Display::fmt(stale, f),
            FenceError::Etcd(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for FenceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            FenceError::Stale(stale) => Some(stale),
            FenceError::Etcd(error) => Some(error),
        }
    }
}

/// The methods of a client of the cluster that has the locks: see [`Fenced`](crate::Fenced). In
/// another cluster every fence is stale.
///
/// Each is one transaction, in one round trip, on condition that the lock is held: its place in
/// the queue is there, with the create revision that is the number of the fence. Otherwise it
/// is refused and changes nothing. What is done by [`resource`](FencedRef::resource) is not
/// checked.
impl<C> FencedRef<'_, Client, C> {
    /// Executes a transaction, with or without conditions of its own.
    ///
    /// # Errors
    ///
    /// If the fence is stale, and any error of etcd.
    pub async fn txn(&self, txn: Txn) -> Result<TxnResponse, FenceError> {
        match self.one(TxnOp::txn(txn)).await? {
            Some(TxnOpResponse::Txn(answer)) => Ok(answer),
            _ => Err(no_answer()),
        }
    }

    /// Puts a value.
    ///
    /// # Errors
    ///
    /// As for [`txn`](Self::txn).
    pub async fn put(
        &self,
        key: impl Into<Vec<u8>>,
        value: impl Into<Vec<u8>>,
        options: Option<PutOptions>,
    ) -> Result<PutResponse, FenceError> {
        match self.one(TxnOp::put(key, value, options)).await? {
            Some(TxnOpResponse::Put(answer)) => Ok(answer),
            _ => Err(no_answer()),
        }
    }

    /// Deletes a key, or a range.
    ///
    /// # Errors
    ///
    /// As for [`txn`](Self::txn).
    pub async fn delete(
        &self,
        key: impl Into<Vec<u8>>,
        options: Option<DeleteOptions>,
    ) -> Result<DeleteResponse, FenceError> {
        match self.one(TxnOp::delete(key, options)).await? {
            Some(TxnOpResponse::Delete(answer)) => Ok(answer),
            _ => Err(no_answer()),
        }
    }

    /// Reads a key, or a range. The result is as current as the fence: it contains all writes of
    /// earlier holders.
    ///
    /// # Errors
    ///
    /// As for [`txn`](Self::txn).
    pub async fn get(
        &self,
        key: impl Into<Vec<u8>>,
        options: Option<GetOptions>,
    ) -> Result<GetResponse, FenceError> {
        match self.one(TxnOp::get(key, options)).await? {
            Some(TxnOpResponse::Get(answer)) => Ok(answer),
            _ => Err(no_answer()),
        }
    }

    /// Does one thing on condition that the lock is held.
    async fn one(&self, operation: TxnOp) -> Result<Option<TxnOpResponse>, FenceError> {
        let number = self.number as i64;
        let is_held = Compare::create_revision(self.holder, CompareOp::Equal, number);
        let first = GetOptions::new()
            .with_prefix()
            .with_sort(SortTarget::Create, SortOrder::Ascend)
            .with_limit(1);
        let newer = TxnOp::get(keys::queue_of(self.holder), Some(first));
        let txn = Txn::new().when([is_held]);
        let txn = txn.and_then([operation]).or_else([newer]);
        let answer = self.resource.kv_client().txn(txn).await?;
        let first = answer.op_responses().into_iter().next();
        if answer.succeeded() {
            return Ok(first);
        }
        let newer = match first {
            Some(TxnOpResponse::Get(found)) => found.kvs().first().cloned(),
            _ => None,
        };
        let newer = newer.filter(|newer| newer.create_revision() > number);
        let holder = newer.as_ref().and_then(|newer| parse_value(newer.value()));
        Err(FenceError::Stale(StaleFence {
            key: self.key.to_owned(),
            fence: self.number,
            newer: newer.as_ref().map(|newer| newer.create_revision() as u64),
            holder: holder.map(|(_, pid, host)| process(host, pid)),
        }))
    }
}

fn no_answer() -> FenceError {
    FenceError::Etcd(etcd_client::Error::Internal(
        "the answer to an operation is missing".to_owned(),
    ))
}
