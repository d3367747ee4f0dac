//! The methods of `RwLock`.

use super::super::flavour::{Rc, let_rc, per_flavour, rc, threads_only, use_of, use_rc};
use super::guard::ReadHandle;
use super::{
    OwnedRwLockReadGuard, OwnedRwLockUpgradableReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockRead, RwLockReadGuard, RwLockReadOwned, RwLockUpgradableRead, RwLockUpgradableReadGuard,
    RwLockUpgradableReadOwned, RwLockWrite, RwLockWriteGuard, RwLockWriteOwned,
};
use crate::gate::{Access, FLAGS, Gated};

impl<T: ?Sized> RwLock<T> {
    /// Acquires shared access, waiting for the current writer and for every request
    /// queued earlier.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future removes it from the queue, and passes a grant on to the next waiters.
    /// The same holds for the futures of all methods of this type.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("RwLock")]
    ///
    /// let config = RwLock::new("fast");
    /// let (one, two) = futures::join!(config.read(), config.read());
    /// assert_eq!((*one, *two), ("fast", "fast"));
    /// # });
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn read(&self) -> RwLockRead<'_, T> {
        RwLockRead::new(ReadHandle::new(self))
    }

    /// Acquires exclusive access, waiting for the current holders and for every request queued
    /// earlier.
    ///
    /// # Cancel safety
    ///
    /// As for [`read`](Self::read).
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("RwLock")]
    ///
    /// let config = RwLock::new("fast");
    /// *config.write().await = "safe";
    /// assert_eq!(*config.read().await, "safe");
    /// # });
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn write(&self) -> RwLockWrite<'_, T> {
        RwLockWrite::new(self)
    }

    /// Acquires shared access that can be [upgraded](RwLockUpgradableReadGuard::upgrade) later.
    /// Waits for the current writer or upgradable reader, and for every request queued earlier.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("{RwLock, RwLockUpgradableReadGuard}")]
    ///
    /// let cache = RwLock::new(None);
    /// let guard = cache.upgradable_read().await;
    /// if guard.is_none() {
    ///     // Waits until the readers have released the lock; no writer gets in between.
    ///     let mut guard = RwLockUpgradableReadGuard::upgrade(guard).await;
    ///     *guard = Some(42);
    /// }
    /// # });
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn upgradable_read(&self) -> RwLockUpgradableRead<'_, T> {
        RwLockUpgradableRead::new(self)
    }

    /// Acquires shared access if that is possible at once and no waiter is queued.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("RwLock")]
    ///
    /// let config = RwLock::new("fast");
    /// let writer = config.write().await;
    /// assert!(config.try_read().is_none());
    /// drop(writer);
    /// assert_eq!(config.try_read().as_deref(), Some(&"fast"));
    /// # });
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.try_access(Access::Read)
            .then(|| RwLockReadGuard::new(ReadHandle::new(self)))
    }

    /// Acquires exclusive access if that is possible at once and no waiter is queued.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("RwLock")]
    ///
    /// let config = RwLock::new("fast");
    /// let reader = config.read().await;
    /// assert!(config.try_write().is_none());
    /// drop(reader);
    /// assert!(config.try_write().is_some());
    /// # });
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        self.try_access(Access::Write)
            .then(|| RwLockWriteGuard::new(self))
    }

    /// Acquires upgradable shared access if that is possible at once and no waiter is queued.
    ///
    /// ```
    #[doc = use_of!("RwLock")]
    ///
    /// let config = RwLock::new("fast");
    /// let guard = config.try_upgradable_read().expect("nobody is inside");
    /// // Plain readers may join, but no second upgradable one.
    /// assert!(config.try_read().is_some());
    /// assert!(config.try_upgradable_read().is_none());
    /// # drop(guard);
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn try_upgradable_read(&self) -> Option<RwLockUpgradableReadGuard<'_, T>> {
        self.try_access(Access::Upgradable)
            .then(|| RwLockUpgradableReadGuard::new(self))
    }

    threads_only! {
        /// Acquires shared access, parking the thread while it waits. See
        /// [`Lock::acquire_blocking`](crate::Lock::acquire_blocking).
        ///
        /// ```
        /// use async_monitor::RwLock;
        ///
        /// let config = RwLock::new("fast");
        /// std::thread::scope(|scope| {
        ///     for _ in 0..4 {
        ///         scope.spawn(|| assert_eq!(*config.read_blocking(), "fast"));
        ///     }
        /// });
        /// ```
        #[cfg(feature = "std")]
        #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
        #[inline]
        pub fn read_blocking(&self) -> RwLockReadGuard<'_, T> {
            crate::blocking::at_once_or_blocking!(self.try_read(), self.read())
        }
    }

    threads_only! {
        /// Acquires exclusive access, parking the thread while it waits. See
        /// [`Lock::acquire_blocking`](crate::Lock::acquire_blocking).
        ///
        /// ```
        /// use async_monitor::RwLock;
        ///
        /// let count = RwLock::new(0);
        /// std::thread::scope(|scope| {
        ///     for _ in 0..4 {
        ///         scope.spawn(|| *count.write_blocking() += 1);
        ///     }
        /// });
        /// assert_eq!(count.into_inner(), 4);
        /// ```
        #[cfg(feature = "std")]
        #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
        #[inline]
        pub fn write_blocking(&self) -> RwLockWriteGuard<'_, T> {
            crate::blocking::at_once_or_blocking!(self.try_write(), self.write())
        }
    }

    threads_only! {
        /// Acquires upgradable shared access, parking the thread while it waits. See
        /// [`Lock::acquire_blocking`](crate::Lock::acquire_blocking).
        ///
        /// ```
        /// use async_monitor::{RwLock, RwLockUpgradableReadGuard};
        ///
        /// let cache = RwLock::new(None);
        /// let guard = cache.upgradable_read_blocking();
        /// if guard.is_none() {
        ///     let guard = RwLockUpgradableReadGuard::try_upgrade(guard);
        ///     *guard.expect("nobody else reads") = Some(42);
        /// }
        /// assert_eq!(*cache.read_blocking(), Some(42));
        /// ```
        #[cfg(feature = "std")]
        #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
        #[inline]
        pub fn upgradable_read_blocking(&self) -> RwLockUpgradableReadGuard<'_, T> {
            crate::blocking::at_once_or_blocking!(self.try_upgradable_read(), self.upgradable_read())
        }
    }

    /// Like [`read`](Self::read), but the guard keeps the lock alive.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("RwLock")]
    #[doc = use_rc!()]
    ///
    #[doc = let_rc!("config", "RwLock::new(1)")]
    /// let guard = config.read_owned().await;
    #[doc = per_flavour!("std::thread::spawn(move || assert_eq!(*guard, 1)).join().unwrap();", "assert_eq!(*guard, 1);")]
    /// # });
    /// ```
    #[cfg(feature = "alloc")]
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn read_owned(self: &rc!(Self)) -> RwLockReadOwned<T> {
        RwLockReadOwned::new(Rc::clone(self))
    }

    /// Like [`write`](Self::write), but the guard keeps the lock alive.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("RwLock")]
    #[doc = use_rc!()]
    ///
    #[doc = let_rc!("config", "RwLock::new(1)")]
    /// let mut guard = config.write_owned().await;
    /// *guard += 1;
    #[doc = per_flavour!("std::thread::spawn(move || drop(guard)).join().unwrap();", "drop(guard);")]
    /// assert_eq!(*config.read().await, 2);
    /// # });
    /// ```
    #[cfg(feature = "alloc")]
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn write_owned(self: &rc!(Self)) -> RwLockWriteOwned<T> {
        RwLockWriteOwned::new(Rc::clone(self))
    }

    /// Like [`upgradable_read`](Self::upgradable_read), but the guard keeps the lock alive.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("{OwnedRwLockUpgradableReadGuard, RwLock}")]
    #[doc = use_rc!()]
    ///
    #[doc = let_rc!("cache", "RwLock::new(None)")]
    /// let guard = cache.upgradable_read_owned().await;
    /// if guard.is_none() {
    ///     *OwnedRwLockUpgradableReadGuard::upgrade(guard).await = Some(42);
    /// }
    /// assert_eq!(*cache.read().await, Some(42));
    /// # });
    /// ```
    #[cfg(feature = "alloc")]
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn upgradable_read_owned(self: &rc!(Self)) -> RwLockUpgradableReadOwned<T> {
        RwLockUpgradableReadOwned::new(Rc::clone(self))
    }

    /// Like [`try_read`](Self::try_read), but the guard keeps the lock alive.
    ///
    /// ```
    #[doc = use_of!("RwLock")]
    #[doc = use_rc!()]
    ///
    #[doc = let_rc!("lock", "RwLock::new(1)")]
    /// let guard = lock.try_read_owned().expect("nobody is inside");
    /// assert_eq!(*guard, 1);
    /// # drop(guard);
    /// ```
    #[cfg(feature = "alloc")]
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn try_read_owned(self: &rc!(Self)) -> Option<OwnedRwLockReadGuard<T>> {
        self.try_access(Access::Read)
            .then(|| OwnedRwLockReadGuard::new(Rc::clone(self)))
    }

    /// Like [`try_write`](Self::try_write), but the guard keeps the lock alive.
    ///
    /// ```
    #[doc = use_of!("RwLock")]
    #[doc = use_rc!()]
    ///
    #[doc = let_rc!("lock", "RwLock::new(1)")]
    /// let guard = lock.try_write_owned().expect("nobody is inside");
    /// assert_eq!(*guard, 1);
    /// # drop(guard);
    /// ```
    #[cfg(feature = "alloc")]
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn try_write_owned(self: &rc!(Self)) -> Option<OwnedRwLockWriteGuard<T>> {
        self.try_access(Access::Write)
            .then(|| OwnedRwLockWriteGuard::new(Rc::clone(self)))
    }

    /// Like [`try_upgradable_read`](Self::try_upgradable_read), but the guard keeps the lock alive.
    ///
    /// ```
    #[doc = use_of!("RwLock")]
    #[doc = use_rc!()]
    ///
    #[doc = let_rc!("lock", "RwLock::new(1)")]
    /// let guard = lock.try_upgradable_read_owned().expect("nobody is inside");
    /// assert_eq!(*guard, 1);
    /// # drop(guard);
    /// ```
    #[cfg(feature = "alloc")]
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn try_upgradable_read_owned(
        self: &rc!(Self),
    ) -> Option<OwnedRwLockUpgradableReadGuard<T>> {
        self.try_access(Access::Upgradable)
            .then(|| OwnedRwLockUpgradableReadGuard::new(Rc::clone(self)))
    }

    threads_only! {
        /// Like [`read_blocking`](Self::read_blocking), but the guard keeps the lock alive.
        ///
        /// ```
        /// use async_monitor::RwLock;
        /// use std::sync::Arc;
        ///
        /// let config = Arc::new(RwLock::new(1));
        /// let guard = config.read_owned_blocking();
        /// std::thread::spawn(move || assert_eq!(*guard, 1)).join().unwrap();
        /// ```
        #[cfg(feature = "std")]
        #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
        #[inline]
        pub fn read_owned_blocking(self: &rc!(Self)) -> OwnedRwLockReadGuard<T> {
            crate::blocking::at_once_or_blocking!(self.try_read_owned(), self.read_owned())
        }
    }

    threads_only! {
        /// Like [`write_blocking`](Self::write_blocking), but the guard keeps the lock alive.
        ///
        /// ```
        /// use async_monitor::RwLock;
        /// use std::sync::Arc;
        ///
        /// let count = Arc::new(RwLock::new(1));
        /// let mut guard = count.write_owned_blocking();
        /// std::thread::spawn(move || *guard += 1).join().unwrap();
        /// assert_eq!(*count.read_blocking(), 2);
        /// ```
        #[cfg(feature = "std")]
        #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
        #[inline]
        pub fn write_owned_blocking(self: &rc!(Self)) -> OwnedRwLockWriteGuard<T> {
            crate::blocking::at_once_or_blocking!(self.try_write_owned(), self.write_owned())
        }
    }

    threads_only! {
        /// Like [`upgradable_read_blocking`](Self::upgradable_read_blocking), but the guard keeps
        /// the lock alive.
        ///
        /// ```
        /// use async_monitor::{OwnedRwLockUpgradableReadGuard, RwLock};
        /// use std::sync::Arc;
        ///
        /// let cache = Arc::new(RwLock::new(None));
        /// let guard = cache.upgradable_read_owned_blocking();
        /// if guard.is_none() {
        ///     let guard = OwnedRwLockUpgradableReadGuard::try_upgrade(guard);
        ///     *guard.expect("nobody else reads") = Some(42);
        /// }
        /// assert_eq!(*cache.read_blocking(), Some(42));
        /// ```
        #[cfg(feature = "std")]
        #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
        #[inline]
        pub fn upgradable_read_owned_blocking(self: &rc!(Self)) -> OwnedRwLockUpgradableReadGuard<T> {
            crate::blocking::at_once_or_blocking!(self.try_upgradable_read_owned(), self.upgradable_read_owned())
        }
    }

    /// Whether a guard exists, or access is granted to a waiter that has not run yet. The answer
    /// may already be out of date.
    ///
    /// ```
    #[doc = use_of!("RwLock")]
    ///
    /// let config = RwLock::new("fast");
    /// let reader = config.try_read();
    /// assert!(config.is_locked());
    /// drop(reader);
    /// assert!(!config.is_locked());
    /// ```
    #[inline]
    pub fn is_locked(&self) -> bool {
        self.gate().looks();
        self.gate().word() & !FLAGS != 0
    }

    /// The value, without locking: `&mut self` proves that no guard exists.
    ///
    /// ```
    #[doc = use_of!("RwLock")]
    ///
    /// let mut count = RwLock::new(1);
    /// *count.get_mut() += 1;
    /// assert_eq!(count.into_inner(), 2);
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn try_access(&self, access: Access) -> bool {
        self.gate().attempt(access)
    }
}
