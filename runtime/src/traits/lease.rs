//! Locks that can be lost while they are held.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

#[cfg(doc)]
use super::lock::AsyncLock;

/// A future that tells a section that it has lost its lock: see [`AsyncLock::lease`].
///
/// The section polls it before each poll of the body. When it completes, the body is dropped at its
/// `.await`; a body that does not await cannot be stopped. After the body has ended, the lease is
/// polled one last time. So if the section returns the value of its body, the lock was held until
/// the end.
///
/// ```
/// # futures::executor::block_on(async {
/// use async_monitor::{Event, Lease};
/// use std::sync::Arc;
///
/// let expired = Arc::new(Event::new());
/// let clock = Arc::clone(&expired);
/// let lease = Lease::new(async move {
///     clock.wait().await;
///     "the lease has expired"
/// });
/// expired.set();
/// assert_eq!(lease.await, "the lease has expired");
/// # });
/// ```
pub struct Lease<E>(Ended<E>);

#[cfg(feature = "alloc")]
type Ended<E> = Pin<Box<dyn Future<Output = E> + Send>>;

/// Nothing makes a lease without `alloc`.
#[cfg(not(feature = "alloc"))]
type Ended<E> = core::future::Pending<E>;

impl<E> Lease<E> {
    /// A lease that ends when the future completes, with its error.
    ///
    /// A future that depends on a clock must read the clock at each poll. Otherwise, a process that
    /// was stopped would go on before its timers fire.
    ///
    /// # Examples
    ///
    /// Each poll reads the clock:
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use async_monitor::Lease;
    /// use std::future::poll_fn;
    /// use std::task::Poll;
    /// use std::time::Instant;
    ///
    /// let end = Instant::now();
    /// let lease = Lease::new(poll_fn(move |_| {
    ///     if Instant::now() < end {
    ///         // ... a timer wakes the task ...
    ///         return Poll::Pending;
    ///     }
    ///     Poll::Ready("expired")
    /// }));
    /// assert_eq!(lease.await, "expired");
    /// # });
    /// ```
    #[cfg(feature = "alloc")]
    pub fn new(ended: impl Future<Output = E> + Send + 'static) -> Self {
        Lease(Box::pin(ended))
    }
}

impl<E> Future for Lease<E> {
    type Output = E;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<E> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<E> fmt::Debug for Lease<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}

/// The [`Error`](AsyncLock::Error) of a lock that can be [lost](AsyncLock::lease).
///
/// Implement it for the error of a lock that has a lease. A `with_lock!` block that awaits, over
/// such a lock, is a future of its own: with this trait, the compiler rejects a `?`, `return` or
/// `break` that would leave the block.
///
/// ```
/// use async_monitor::CanBeLost;
///
/// /// The lock was in another process, which has given it to somebody else.
/// #[derive(Debug)]
/// struct Lost;
///
/// impl CanBeLost for Lost {}
/// ```
pub trait CanBeLost {}
