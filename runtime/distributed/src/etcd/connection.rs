//! One member at a time, and another when that does not answer.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use etcd_client::{Client, ConnectOptions, Error};
use tokio::sync::{Mutex as AsyncMutex, watch};

use crate::session::Bounded;
use crate::store::{Host, StoreError, Tokio};

/// The codes of gRPC by which etcd refuses.
const INVALID_ARGUMENT: i32 = 3;
pub(super) const NOT_FOUND: i32 = 5;
const PERMISSION_DENIED: i32 = 7;
/// Also of a lease that exists.
pub(super) const FAILED_PRECONDITION: i32 = 9;
const OUT_OF_RANGE: i32 = 11;
const UNIMPLEMENTED: i32 = 12;

/// Whether a member has answered with that code.
pub(super) fn is(error: &Error, code: i32) -> bool {
    matches!(error, Error::GRpcStatus(status) if i32::from(status.code()) == code)
}

/// What a member has said, or the connection, and whether that may change.
pub(super) fn store_error(error: Error) -> StoreError {
    let is_final = match &error {
        // A token that was given out before users or roles were changed: the next connection
        // has another.
        Error::GRpcStatus(status) if status.message().contains("auth store is old") => false,
        Error::GRpcStatus(status) if status.message().contains("larger than max") => true,
        Error::GRpcStatus(_) => [
            INVALID_ARGUMENT,
            NOT_FOUND,
            PERMISSION_DENIED,
            FAILED_PRECONDITION,
            OUT_OF_RANGE,
            UNIMPLEMENTED,
        ]
        .iter()
        .any(|code| is(&error, *code)),
        Error::InvalidArgs(_) | Error::InvalidUri(_) | Error::InvalidMetadataValue(_) => true,
        _ => false,
    };
    if is_final {
        StoreError::permanent(error)
    } else {
        StoreError::transient(error)
    }
}

/// The connection: to one member, as a balancer would go on to ask one that does not answer.
pub(super) struct Link {
    endpoints: Vec<String>,
    options: ConnectOptions,
    /// How long a call may take. Each is short; a member that does not answer is dead, or has
    /// no leader.
    limit: Duration,
    host: Arc<Tokio>,
    current: Mutex<Current>,
    connecting: AsyncMutex<()>,
    /// The number of the current connection.
    moved: watch::Sender<usize>,
}

struct Current {
    /// Of the connection; by it, members are taken in turn.
    number: usize,
    client: Option<Client>,
}

impl Link {
    pub(super) fn new(
        endpoints: Vec<String>,
        options: ConnectOptions,
        limit: Duration,
        host: &Arc<Tokio>,
    ) -> Self {
        // So that not all processes ask the same one.
        let number = RandomState::new().hash_one(()) as usize % endpoints.len();
        Link {
            endpoints,
            options: options
                .with_require_leader(true)
                .with_connect_timeout(limit),
            limit,
            host: Arc::clone(host),
            current: Mutex::new(Current {
                number,
                client: None,
            }),
            connecting: AsyncMutex::new(()),
            moved: watch::Sender::new(number),
        }
    }

    pub(super) fn host(&self) -> &Arc<Tokio> {
        &self.host
    }

    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    fn connected(&self) -> (usize, Option<Client>) {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        (current.number, current.client.clone())
    }

    /// A connection, and its number. A new one is made by a task: whoever asks for it may be not
    /// polled any more, and others wait for it.
    pub(super) async fn client(self: &Arc<Self>) -> Result<(usize, Client), StoreError> {
        if let (number, Some(client)) = self.connected() {
            return Ok((number, client));
        }
        let this = Arc::clone(self);
        let connecting = self.host.run(async move { this.reconnected().await });
        let ended = connecting.await;
        ended.unwrap_or_else(|error| Err(StoreError::transient(error)))
    }

    async fn reconnected(&self) -> Result<(usize, Client), StoreError> {
        let _one_at_a_time = self.connecting.lock().await;
        let (number, connected) = self.connected();
        if let Some(client) = connected {
            return Ok((number, client));
        }
        let endpoint = self.endpoints[number % self.endpoints.len()].clone();
        let options = self.options.clone();
        let connecting = Client::connect([endpoint], Some(options));
        let result = self.bounded(connecting).await;
        let client = self.looked_at(number, result)?;
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.client = Some(client.clone());
        Ok((number, client))
    }

    pub(super) async fn bounded<T>(
        &self,
        future: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, StoreError> {
        let limit = self.host.sleep_until(self.host.now() + self.limit);
        match Bounded(pin!(future), limit).await {
            Some(result) => result.map_err(store_error),
            None => Err(StoreError::transient("etcd does not answer")),
        }
    }

    /// Asks the member that there is a connection to, and the others if it fails. So what is
    /// called may happen more than once.
    pub(super) async fn call<T, F>(
        self: &Arc<Self>,
        call: impl Fn(Client) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut attempts = self.endpoints.len();
        loop {
            let error = match self.client().await {
                Ok((number, client)) => {
                    let result = self.bounded(call(client)).await;
                    match self.looked_at(number, result) {
                        Err(error) if !error.is_permanent() => error,
                        result => return result,
                    }
                }
                Err(error) => error,
            };
            attempts -= 1;
            if attempts == 0 || error.is_permanent() {
                return Err(error);
            }
        }
    }

    /// Whatever has gone wrong that may be otherwise next time is tried at the next member.
    pub(super) fn looked_at<T>(
        &self,
        number: usize,
        result: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if matches!(&result, Err(error) if !error.is_permanent()) {
            let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            if current.number == number {
                current.number += 1;
                current.client = None;
                self.moved.send_replace(current.number);
            }
        }
        result
    }

    /// Completes when the connection with that number is given up.
    pub(super) async fn moved(&self, number: usize) {
        let mut moved = self.moved.subscribe();
        // The sender is ours.
        let _moved = moved.wait_for(|now| *now != number).await;
    }
}
