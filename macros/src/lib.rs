//! The macros of [`async-monitor`](https://docs.rs/async-monitor):
//! `#[derive(Guarded)]`, `#[monitor]`, `#[synchronized]`, `#[holding]` and `with_lock!`.
//!
//! Use them through that crate, which re-exports them: their expansions refer to it.
//!
//! # Inside
//!
//! Each macro runs the same stages, one module per stage: `parse` (tokens to syntax), `model`
//! (syntax to meaning), `validate` (errors; in `monitor`: `analysis`), and `expand`, which is
//! infallible. All errors of an item are reported together, and the valid parts are still
//! expanded.

#![forbid(unsafe_code)]

mod check;
mod diagnostics;
mod gather;
mod guarded;
mod monitor;
mod names;
mod section;

#[cfg(test)]
mod bindings;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod half_typed;
#[cfg(test)]
#[path = "../../runtime/tests/support/random.rs"]
mod random;
#[cfg(test)]
mod snapshots;

use proc_macro::TokenStream;

/// Puts fields of a struct behind its locks.
///
/// A field of type `Guarded<T>` cannot be accessed directly in safe code. It belongs to a lock of
/// the same struct, and only a guard of that lock, of the same object, gives access to the value.
///
/// ```
/// use async_monitor::{Guarded, Lock};
///
/// #[derive(Guarded)]
/// pub struct Account {
///     pub id: u64,
///     ledger: Lock,
///     #[guarded_by(ledger)]
///     balance: Guarded<i64>,
///     #[guarded_by(ledger)]
///     history: Guarded<Vec<i64>>,
/// }
///
/// async fn deposit(account: &Account, amount: i64) -> i64 {
///     let mut guard = account.acquire_ledger().await;
///     let ledger = guard.fields();
///     *ledger.balance += amount;
///     ledger.history.push(amount);
///     *ledger.balance
/// }
/// # let account = Account {
/// #     id: 1,
/// #     ledger: Lock::new(),
/// #     balance: Guarded::new(1),
/// #     history: Guarded::new(vec![]),
/// # };
/// # assert_eq!(futures::executor::block_on(deposit(&account, 2)), 3);
/// # assert_eq!(account.id, 1);
/// ```
///
/// # Which fields are locks
///
/// - a field named in a `#[guarded_by(field)]`;
/// - a field marked `#[lock]`;
/// - a field marked `#[lock(rw)]`, which several tasks can hold for reading.
///
/// A lock that guards fields is a `Lock`, an `RwLock<()>` or another exclusive lock (see
/// `ExclusiveLock`), also behind an `Arc`, a `Box` or a `&`. A lock that contains data, `Mutex<T>`
/// or `RwLock<T>`, guards that data, too, as the field `value` of the view. In a struct with one
/// lock, each `Guarded<_>` belongs to it, even without `#[guarded_by(..)]`.
///
/// # What is generated
///
/// For a lock `ledger` of a struct `Account`, with the visibility of the field:
///
/// | | |
/// |---|---|
/// | `acquire_ledger().await` | waits for the lock and returns an `AccountLedgerGuard<'_>` |
/// | `try_acquire_ledger()` | acquires the lock if that is possible at once: `Option<..>` |
/// | `acquire_ledger_blocking()` | like `acquire_ledger()`, but parks the thread |
/// | `acquire_ledger_owned().await` | on an `Arc<Account>`: a guard that keeps the object alive, `AccountLedgerOwnedGuard` |
/// | `ledger_mut()` | needs `&mut self`, hence no lock: `AccountLedgerMut<'_>` |
///
/// The guard has `fields()`, the view of what the lock guards, `AccountLedgerHeld<'_>`: a struct
/// with a `&mut` to each field. The lock is released when the guard is dropped, or by
/// `AccountLedgerGuard::release(guard)`. Guards and views are proof for `Condition::notify_one`. A
/// guard can be passed to `Condition::wait` if the lock is one of this crate.
///
/// Where the lock is `rw`, there are `write_ledger()` and `read_ledger()`
/// instead, with `AccountLedgerWriteGuard`, `AccountLedgerWriteHeld`,
/// `AccountLedgerReadGuard` and `AccountLedgerReadHeld`; the last has a `&` to
/// each field, and reading requires `Sync` data. A read guard is proof for `notify_one`, but
/// cannot be passed to `wait`.
///
/// The generic parameters of these types are the lifetime of the guard, followed by those of the
/// struct.
///
/// # Sync locks
///
/// Mark a lock of [`async_monitor::sync`][sync] with `#[lock(sync)]` or `#[lock(rw, sync)]`. This
/// is not necessary if its type is written `sync::Lock`, `sync::Mutex<_>` or `sync::RwLock<_>`. For
/// a sync lock, `acquire_ledger()` and `acquire_ledger_owned()` are plain fns, and there is no
/// `acquire_ledger_blocking()`.
///
/// [sync]: https://docs.rs/async-monitor/latest/async_monitor/sync/index.html
///
/// # Options
///
/// Above the struct, `#[guarded(..)]`:
///
/// | option | what it derives |
/// |---|---|
/// | `new` | a constructor that takes the values in the order of the fields. Locks are built with `Default`; for a `Mutex<T>` or `RwLock<T>`, the constructor takes the `T`, or the lock itself if the field is a pointer to one |
/// | `debug` | `Debug`, including the guarded fields; `<locked>` if the lock is not free at once. It never waits |
/// | `snapshot`, `snapshot(Debug, Clone)` | `snapshot_ledger().await`: clones of the guarded fields, as an `AccountLedgerSnapshot`, which derives the traits in the parentheses |
/// | `crate = ::path` | see below |
///
/// Formatting an object or taking a snapshot does not count as a change: no `when` is
/// evaluated.
///
/// ```
/// use async_monitor::{Guarded, sync};
///
/// #[derive(Guarded)]
/// #[guarded(new, debug, snapshot(Clone))]
/// struct Account {
///     id: u64,
///     ledger: sync::Lock,
///     #[guarded_by(ledger)]
///     balance: Guarded<i64>,
/// }
///
/// let account = Account::new(7, 100);
/// assert_eq!(format!("{account:?}"), "Account { id: 7, balance: 100 }");
/// assert_eq!(account.snapshot_ledger().clone().balance, 100);
/// ```
///
/// # Renaming the crate
///
/// If this crate is not at the path `::async_monitor`, give its path above the struct:
/// `#[guarded(crate = ::path)]`. The path must lead to this crate, because the expansion relies on
/// its `unsafe` code.
#[proc_macro_derive(Guarded, attributes(guarded_by, guarded, lock))]
pub fn derive_guarded(input: TokenStream) -> TokenStream {
    guarded::derive(input.into()).into()
}

/// Runs the body of a function as one critical section: the lock is acquired before the first
/// statement and released after the last. The function is `async`; it can be plain if the lock is
/// one of `async_monitor::sync`, or with the option `blocking`.
///
/// ```
/// use async_monitor::{Guarded, Lock, Mutex, synchronized};
///
/// static COUNT: Mutex<u32> = Mutex::new(0);
///
/// #[derive(Guarded)]
/// pub struct Account {
///     ledger: Lock,
///     #[guarded_by(ledger)]
///     balance: Guarded<i64>,
/// }
///
/// impl Account {
///     /// `ledger` is a `&mut AccountLedgerHeld<'_>`.
///     #[synchronized(ledger)]
///     pub async fn deposit(&self, amount: i64) -> i64 {
///         *ledger.balance += amount;
///         *ledger.balance
///     }
/// }
///
/// /// `count` is a `&mut u32`.
/// #[synchronized(COUNT)]
/// async fn count() -> u32 {
///     *count += 1;
///     *count
/// }
/// # futures::executor::block_on(async {
/// # let account = Account { ledger: Lock::new(), balance: Guarded::new(1) };
/// # assert_eq!(account.deposit(2).await, 3);
/// # assert_eq!(count().await, 1);
/// # });
/// ```
///
/// The body is one critical section. Nothing in it can release the lock, and no reference to the
/// guarded data can leave it. Only the body changes: the signature stays as it is, and the future
/// is `Send` if its parts are.
///
/// # Arguments
///
/// One lock, or several separated by commas:
///
/// | argument | acquires | bound as |
/// |---|---|---|
/// | `ledger` | in a method, the field of `self`; elsewhere, the variable or static | `ledger` |
/// | `self.inner.state` | a field, also through a reference, `Arc`, `Box` or guard | `state` |
/// | `crate::GLOBAL` | a static | `global` |
/// | `s = pick(key)` | the lock that the expression returns | `s` |
/// | `read(cfg)` | for reading: shared with other readers, if the lock can be shared | `cfg` |
/// | `write(cfg)`, `cfg` | exclusively | `cfg` |
/// | `remote?` | a lock whose acquisition can fail: the error is returned, as by `?` | `remote` |
///
/// If the lock is a plain field (not of a `#[derive(Guarded)]` struct), the section borrows only
/// that field: while it holds `self.storage`, the body may change `self.parts`, and the section may
/// stand in a loop over `&mut self.parts`. A section of a lock in a derive borrows the whole
/// object, because the view refers to it. In a method with `&mut self`, a lock that guards fields
/// of `Self` is an error, because nobody else can hold it; use `ledger_mut()`. A lock behind an
/// `Arc` or a reference is accepted.
///
/// Each argument can be preceded by `name = `. In a method, a bare name is a field; after
/// `name = `, it is a parameter if there is one, or, in capitals, a static. A lock shadows a
/// parameter only if you name it so explicitly: `state = state.state`.
///
/// # What is bound
///
/// For a lock of a struct with `#[derive(Guarded)]`, the section binds its view: a `&mut` to
/// `AccountLedgerHeld<'_>`, or a `&` to `AccountLedgerReadHeld<'_>` in a section that only reads.
/// For any other lock, it binds the target of the guard's `Deref`, such as `&mut T` for a
/// `Mutex<T>`, or a reference to the guard if there is no `Deref`.
///
/// # Read sections
///
/// `read(lock)` is a section that changes nothing. A reader-writer lock (`#[lock(rw)]` in a
/// `#[derive(Guarded)]` struct) is then shared with other readers, and the guarded data must be
/// `Sync`. Any other lock is acquired exclusively, and the guarded data is bound by shared
/// reference: a `&AccountLedgerHeld<'_>`, or the `&T` of a `Mutex<T>`. It need not be `Sync`,
/// because no other task can access it meanwhile.
///
/// ```
/// # use async_monitor::{Guarded, Lock, synchronized};
/// # #[derive(Guarded)]
/// # pub struct Account {
/// #     ledger: Lock,
/// #     #[guarded_by(ledger)]
/// #     balance: Guarded<i64>,
/// # }
/// impl Account {
///     #[synchronized(read(ledger))]
///     pub async fn balance(&self) -> i64 {
///         *ledger.balance // `*ledger.balance = 0` does not compile
///     }
/// }
/// # let account = Account { ledger: Lock::new(), balance: Guarded::new(3) };
/// # assert_eq!(futures::executor::block_on(account.balance()), 3);
/// ```
///
/// A read section does not cause `when` conditions to be evaluated again. If it changes data
/// through a `Cell`, waiters see that only after the next section that writes, or once a guard is
/// released. (A lock of another crate cannot tell the difference: every drop of its guard counts as
/// a change.)
///
/// A read section cannot become one that writes. Nor can a section wait on a `Condition`, because
/// that needs a guard; it can notify.
///
/// If the binding is used after an `.await`, the future stores a `&`, which is `Send` only if the
/// data is `Sync`. Otherwise the data need only be `Send`, as in a section that writes. (A method
/// of a `#[monitor]` that suspends stores the binding until its end.)
///
/// # Options
///
/// Options are written among the locks, in any order:
///
/// | option | what it does |
/// |---|---|
/// | `when = condition` | waits until the condition is true: see below |
/// | `timeout = duration` | bounds the wait to enter: see below |
/// | `atomic` | rolls back unless the body succeeds: see below |
/// | `no_await` | an `.await` in the body does not compile, so the body cannot be cancelled half-way |
/// | `blocking` | in a plain `fn`: parks the thread until the section is entered: see below |
/// | `crate = ::path` | the path of this crate, if it is not `::async_monitor`; the expansion trusts it |
///
/// # Several locks
///
/// Several locks are acquired in the order of their [ids], whatever the order in which they are
/// written. So no two sections can wait for each other.
///
/// [ids]: https://docs.rs/async-monitor/latest/async_monitor/struct.LockId.html
///
/// # Conditions
///
/// `when = condition` waits at entry, without holding the lock, until the condition is true (a
/// conditional critical region, after Hoare). The condition is an expression of type `bool` that
/// sees the binding by shared reference and does not suspend. It is evaluated with the lock held:
/// at once, and after each release that may have changed the data (a read section changes nothing).
/// So there is no notification to forget. Among waiters whose condition is true, the one that came
/// first enters first.
///
/// If the condition uses only the binding, constants and functions, the releasing section may
/// evaluate it on its own thread, while it still holds its locks. The waiter is then woken only
/// once the condition is true. So a condition should depend only on the guarded data, not on
/// thread-locals, other locks, or the waiting future, which may have been leaked. A condition that
/// captures anything is evaluated by its waiter, which is woken to evaluate it.
///
/// ```
/// # use async_monitor::{Guarded, Lock, synchronized};
/// # #[derive(Guarded)]
/// # pub struct Account {
/// #     ledger: Lock,
/// #     #[guarded_by(ledger)]
/// #     balance: Guarded<i64>,
/// # }
/// impl Account {
///     #[synchronized(ledger, when = *ledger.balance >= amount)]
///     pub async fn withdraw(&self, amount: i64) -> i64 {
///         *ledger.balance -= amount;
///         *ledger.balance
///     }
/// }
/// # let account = Account { ledger: Lock::new(), balance: Guarded::new(3) };
/// # assert_eq!(futures::executor::block_on(account.withdraw(2)), 1);
/// ```
///
/// A section may have one condition, on one `Lock`, `Mutex` or `RwLock`. Only changes to the
/// data of that lock wake the waiter: a condition that reads an atomic is not evaluated again
/// when the atomic changes.
///
/// # Sections that never suspend
///
/// Over the locks of `async_monitor::sync`, a section never suspends: the lock is acquired by a
/// plain call, and an `.await` that can be seen in the body does not compile. Such a section can be
/// a plain `fn`, a method of a trait, such as `Drop::drop` or `Iterator::next`, or an `async fn`.
///
/// ```
/// use async_monitor::{sync, synchronized};
/// use std::sync::Arc;
///
/// pub struct Ticket {
///     number: u32,
///     free: Arc<sync::Mutex<Vec<u32>>>,
/// }
///
/// impl Drop for Ticket {
///     #[synchronized(free)]
///     fn drop(&mut self) {
///         free.push(self.number);
///     }
/// }
/// # let free = Arc::new(sync::Mutex::new(vec![]));
/// # drop(Ticket { number: 3, free: Arc::clone(&free) });
/// # assert_eq!(*free.lock(), [3]);
/// ```
///
/// With `when`, an `async fn` waits without blocking its thread, and a plain one parks it.
/// `timeout` bounds the wait for such a condition, and nothing else. In a section with locks of
/// both kinds, the async ones are acquired first, and the body may not suspend either. `with_lock!`
/// cannot know whether the code around it is async: in plain code, add `blocking` (see below).
///
/// The future of an `async fn` with such a section is `Send` if its parts are. (Exception:
/// if an `atomic` body calls an unknown macro, which may hide an `.await`, the future is not
/// `Send`.)
///
/// # Blocking sections
///
/// With `blocking`, a plain `fn` can have a section of an async lock: it parks the thread until
/// the section is entered, as `acquire_ledger_blocking()` does. A `with_lock!` block in plain
/// code always needs `blocking`, whatever its locks. The other options work as in an `async
/// fn`; `timeout` then needs no runtime. In an `async fn`, `blocking` is an error.
///
/// ```
/// # use async_monitor::{Guarded, Lock, synchronized, with_lock};
/// # #[derive(Guarded)]
/// # pub struct Account {
/// #     ledger: Lock,
/// #     #[guarded_by(ledger)]
/// #     balance: Guarded<i64>,
/// # }
/// impl Account {
///     #[synchronized(ledger, blocking)]
///     pub fn deposit(&self, amount: i64) -> i64 {
///         *ledger.balance += amount;
///         *ledger.balance
///     }
/// }
///
/// fn balance(account: &Account) -> i64 {
///     with_lock!(read(account.ledger), blocking, { *ledger.balance })
/// }
/// # let account = Account { ledger: Lock::new(), balance: Guarded::new(3) };
/// # assert_eq!(account.deposit(2), 5);
/// # assert_eq!(balance(&account), 5);
/// ```
///
/// A thread of an executor should not be parked: it is needed for other tasks, perhaps for
/// the one that holds the lock. (If such a task has been granted the lock but has not been
/// polled, the parked thread takes the grant over after a few milliseconds. It cannot take
/// over a lock that a guard holds.)
///
/// # Atomic sections
///
/// With `atomic`, the data that the section's locks guard is rolled back to its state at entry
/// if the body is cancelled, panics, or returns an `Err`. This happens before any of the locks
/// is released.
///
/// ```
/// # use async_monitor::{Guarded, Lock, synchronized};
/// # #[derive(Guarded)]
/// # pub struct Account {
/// #     ledger: Lock,
/// #     #[guarded_by(ledger)]
/// #     balance: Guarded<i64>,
/// # }
/// #[derive(Debug, PartialEq)]
/// pub struct Overdraft;
///
/// impl Account {
///     #[synchronized(ledger, atomic)]
///     pub async fn withdraw(&self, amount: i64) -> Result<i64, Overdraft> {
///         *ledger.balance -= amount;
///         if *ledger.balance < 0 {
///             return Err(Overdraft); // and nothing has happened
///         }
///         Ok(*ledger.balance)
///     }
/// }
/// # futures::executor::block_on(async {
/// # let account = Account { ledger: Lock::new(), balance: Guarded::new(3) };
/// # assert_eq!(account.withdraw(5).await, Err(Overdraft));
/// # assert_eq!(account.withdraw(3).await, Ok(0));
/// # });
/// ```
///
/// Each entry clones all data that these locks guard, which must therefore be `Clone`. Changes
/// behind an `Arc`, in a cell or outside of the guarded data are not rolled back. The copy is
/// dropped after the locks are released.
///
/// In `with_lock!`, the block commits when it ends, and rolls back if its value is an `Err` or a
/// `?` leaves it. A `return`, `break` or `continue` out of the block does not compile, because it
/// could mean either. If it is hidden in another macro, it rolls back.
///
/// # Timeouts
///
/// `timeout = duration`, a [`Duration`](core::time::Duration), bounds the wait to
/// enter the section: for all its locks and its condition together. Once the body has begun,
/// it is not interrupted. When the time is up, the function returns `Err(e)`, where `e` is
/// converted from [`Elapsed`]. In `with_lock!`, the value is a `Result<_, Elapsed>`. The time
/// runs from the first poll. A section that can be entered without waiting is entered, even
/// with a timeout of zero, and starts no timer.
///
/// [`Elapsed`]: https://docs.rs/async-monitor/latest/async_monitor/struct.Elapsed.html
///
/// The timer comes from the feature `tokio` or `smol` of `async-monitor`. With both, it is tokio's
/// if its runtime is running.
///
/// # Panics
///
/// With the feature `tokio` only, a section that has to wait under a `timeout` panics if no tokio
/// runtime is running, or if the runtime has no timer.
///
/// A condition that panics does so in the task of its waiter, and leaves the lock free.
///
/// A section panics if two of its locks are the same lock, and names both.
///
/// # Supported items
///
/// Functions, methods, and methods of traits and of their impls, also with `#[async_trait]`. A
/// default method of a trait knows no fields: there, the argument must be an expression.
///
/// In a `macro_rules!` macro, write `($e)` for an `$e:expr`: in an attribute or another procedural
/// macro, it loses its precedence. This is a limitation of the compiler.
#[proc_macro_attribute]
pub fn synchronized(arguments: TokenStream, item: TokenStream) -> TokenStream {
    section::synchronized(arguments.into(), item.into()).into()
}

/// Holds locks while a block runs, and evaluates to the value of the block.
///
/// ```
/// use async_monitor::{Guarded, Lock, with_lock};
///
/// #[derive(Guarded)]
/// pub struct Account {
///     ledger: Lock,
///     #[guarded_by(ledger)]
///     balance: Guarded<i64>,
/// }
///
/// async fn transfer(from: &Account, to: &Account, amount: i64) -> Result<i64, &'static str> {
///     let left = with_lock!(a = from.ledger, b = to.ledger, {
///         if *a.balance < amount {
///             return Err("not enough");
///         }
///         *a.balance -= amount;
///         *b.balance += amount;
///         *a.balance
///     });
///     Ok(left)
/// }
/// # let account = |balance| Account { ledger: Lock::new(), balance: Guarded::new(balance) };
/// # let (from, to) = (account(3), account(0));
/// # futures::executor::block_on(async {
/// # assert_eq!(transfer(&from, &to, 2).await, Ok(1));
/// # assert!(transfer(&from, &to, 2).await.is_err());
/// # });
/// ```
///
/// The arguments in front of the block are those of [`#[synchronized]`](macro@synchronized), where
/// a bare name is a variable or a static. `?`, `return`, `break`, `continue` and `.await` in the
/// block mean what they mean outside of it. `no_await` finds an `.await` in the block, but not one
/// that another macro generates. In a `macro_rules!` macro, write `($e)` for an `$e:expr`, which
/// would lose its precedence here.
///
/// # Panics
///
/// If two of the locks are the same lock, it panics and names both.
#[proc_macro]
pub fn with_lock(input: TokenStream) -> TokenStream {
    section::with_lock(input.into()).into()
}

/// Lets the methods of a struct call each other under a lock, and rejects calls that would
/// deadlock.
///
/// ```
/// use async_monitor::{Guarded, Lock, monitor, synchronized, with_lock};
///
/// #[derive(Guarded)]
/// pub struct Account {
///     ledger: Lock,
///     #[guarded_by(ledger)]
///     balance: Guarded<i64>,
///     #[guarded_by(ledger)]
///     history: Guarded<Vec<i64>>,
/// }
///
/// #[monitor]
/// impl Account {
///     #[synchronized(ledger)]
///     pub async fn deposit(&self, amount: i64) -> i64 {
///         *ledger.balance += amount;
///         ledger.history.push(amount);
///         *ledger.balance
///     }
///
///     #[synchronized(ledger, when = *ledger.balance >= amount)]
///     pub async fn withdraw(&self, amount: i64) -> i64 {
///         ledger.deposit(-amount).await // under the lock that is held here
///     }
/// }
///
/// async fn round_trip(account: &Account) -> i64 {
///     // Nobody sees the balance in between.
///     with_lock!(account.ledger, {
///         ledger.deposit(7).await;
///         ledger.deposit(-7).await
///     })
/// }
/// # let account = Account {
/// #     ledger: Lock::new(),
/// #     balance: Guarded::new(3),
/// #     history: Guarded::default(),
/// # };
/// # futures::executor::block_on(async {
/// # assert_eq!(account.withdraw(2).await, 1);
/// # assert_eq!(round_trip(&account).await, 1);
/// # });
/// ```
///
/// Put it on an inherent `impl` of a [`#[derive(Guarded)]`](macro@Guarded) struct. Write the
/// struct's own name: an alias or a renamed import does not work, and neither does a name that
/// shadows another derived struct, of an outer scope or of a glob import. In the `impl`,
/// [`#[synchronized]`](macro@synchronized) means what it does elsewhere.
///
/// The macro looks for the struct's views next to the struct, at the path that follows `impl`.
/// In another module, write the full path, or import the views as well:
///
/// ```
/// mod bank {
///     use async_monitor::{Guarded, Lock};
///
///     #[derive(Guarded)]
///     pub struct Account {
///         ledger: Lock,
///         #[guarded_by(ledger)]
///         balance: Guarded<i64>,
///     }
///
///     mod deposits {
///         use async_monitor::{monitor, synchronized};
///
///         #[monitor]
///         impl super::Account {
///             #[synchronized(ledger)]
///             pub async fn deposit(&self, amount: i64) {
///                 *ledger.balance += amount;
///             }
///         }
///     }
///
///     mod withdrawals {
///         use super::{Account, AccountLedgerHeld};
///         use async_monitor::{monitor, synchronized};
///
///         #[monitor]
///         impl Account {
///             #[synchronized(ledger)]
///             pub async fn withdraw(&self, amount: i64) {
///                 *ledger.balance -= amount;
///             }
///         }
///     }
/// }
/// # fn main() {}
/// ```
///
/// # The held form of a method
///
/// A method of one lock also becomes a method of that lock's view, `AccountLedgerHeld`, with
/// the same visibility and parameters (the *held form*):
///
/// - It acquires nothing; a `timeout` never elapses.
/// - If it is `atomic`, it rolls back only its own changes.
/// - Its references to the object live no longer than the view, so nothing outlives the
///   section.
/// - A method of `read(lock)` takes `&self`, so that sections that read or write can call it
///   (where the lock is `rw`, it is on both views). A method that writes cannot be called from
///   a read section.
/// - The body, with its items and statics, is compiled once.
/// - Each level of async calls stores the parameters once more.
///
/// Attributes that rewrite a fn, such as `#[instrument]`, apply to the form that acquires the
/// lock; the held form does not have them.
///
/// There is no held form for a method
///
/// - with `when`: while the lock is held, nobody could make the condition true;
/// - of several locks, or of a lock that is not a field of `self`;
/// - of a lock that the derive does not know, which has no view;
/// - whose receiver is not `&self`, or that returns an `impl Trait`, which would borrow from the
///   view.
///
/// # What does not compile
///
/// **A lock acquired while it is held**, in a method or a `with_lock!` block: by calling a method
/// that acquires it, directly or through other methods of the `impl`, by `self.acquire_ledger()`,
/// `self.state.lock()` and similar calls, or by `with_lock!(self.ledger, ..)`. Reading while
/// reading is reported, too: it deadlocks if a writer is queued in between, or immediately if the
/// lock is not a reader-writer lock.
///
/// ```compile_fail
/// # use async_monitor::{Guarded, Lock, monitor, synchronized};
/// # #[derive(Guarded)]
/// # pub struct Account {
/// #     ledger: Lock,
/// #     #[guarded_by(ledger)]
/// #     balance: Guarded<i64>,
/// # }
/// # #[monitor]
/// # impl Account {
/// #     #[synchronized(ledger)]
/// #     pub async fn deposit(&self, amount: i64) {
/// #         *ledger.balance += amount;
/// #     }
/// #[synchronized(ledger)]
/// pub async fn deposit_twice(&self, amount: i64) {
///     self.deposit(amount).await; // error: write `ledger.deposit(..)`
///     self.deposit(amount).await;
/// }
/// # }
/// ```
///
/// **Locks in opposite orders**: a method that acquires `b` while it holds `a`,
/// and another that acquires `a` while it holds `b`, or a longer cycle, unless
/// all of them hold another lock meanwhile. The order in which one section names
/// its locks never matters. An acquisition with a `timeout` does not count: it does not wait
/// for ever.
///
/// An acquisition is found in other forms than a method call, too: `Self::deposit(self, amount)`,
/// `Lock::acquire(&self.ledger)`, a future that is bound by `let`, boxed or pinned and awaited
/// later, an argument of `join!` or `block_on`.
///
/// # What it cannot see
///
/// The macro sees the tokens of one `impl` and knows no types. It looks at the locks of
/// `self`, and at what the body itself does. It does not look at
///
/// - a method whose attribute has another name (`use async_monitor::synchronized as
///   critical`) or stands in a `#[cfg_attr(..)]`: write `#[synchronized(..)]`;
/// - closures, `async` blocks that are not awaited where they stand, items, statements
///   behind a `#[cfg]`, arguments of macros other than `join!` and those of the standard
///   library;
/// - futures that are passed to another fn or stored, and other handles to the object
///   (`let me = self.clone()`);
/// - `try_` forms, which do not wait.
///
/// A semaphore is treated as a lock, so methods that hold permits of it and call each other are
/// reported.
///
/// # Without a derive
///
/// `#[monitor(plain)]` is for structs without a derive. A section binds the value of its lock, and
/// code that several sections share is a method of that value:
///
/// ```
/// use async_monitor::{monitor, sync, synchronized};
///
/// #[derive(Default)]
/// struct State {
///     jobs: Vec<String>,
/// }
///
/// impl State {
///     fn push(&mut self, job: &str) {
///         self.jobs.push(job.to_owned());
///     }
/// }
///
/// #[derive(Default)]
/// struct Jobs {
///     state: sync::Mutex<State>,
/// }
///
/// #[monitor(plain)]
/// impl Jobs {
///     #[synchronized(state)]
///     fn push(&self, job: &str) {
///         state.push(job);
///     }
///
///     #[synchronized(state)]
///     fn push_twice(&self, job: &str) {
///         state.push(job);
///         state.push(job);            // `self.push(job)` would deadlock: it does not compile
///     }
/// }
/// # Jobs::default().push_twice("a");
/// ```
///
/// The macro takes a field for a lock if a section of the `impl` holds it, and for one of
/// `async_monitor::sync` if that section is a plain fn. On a struct with a derive, which knows
/// more, `plain` is an error.
///
/// ```compile_fail
/// # use async_monitor::{monitor, sync, synchronized};
/// # #[derive(Default)]
/// # struct Jobs {
/// #     state: sync::Mutex<Vec<String>>,
/// # }
/// #[monitor(plain)]
/// impl Jobs {
///     #[synchronized(state)]
///     fn len(&self) -> usize {
///         self.state.lock().len()     // error: `state` is held here
///     }
/// }
/// ```
///
/// # Arguments
///
/// | argument | what it does |
/// |---|---|
/// | `plain` | for a struct without a derive: methods have no held form, but deadlocks are found |
/// | `allow(nested)` | turns off the check for locks that are acquired while held |
/// | `allow(order)` | turns off the check for opposite orders |
/// | `crate = ::path` | the path of this crate, if it is not `::async_monitor`; the expansion trusts it |
#[proc_macro_attribute]
pub fn monitor(arguments: TokenStream, item: TokenStream) -> TokenStream {
    monitor::monitor(arguments.into(), item.into()).into()
}

/// A helper for callers that hold the lock: in a `#[monitor] impl`, the method becomes a method of
/// the view only, and acquires nothing.
///
/// ```
/// use async_monitor::{Guarded, Lock, holding, monitor, synchronized};
///
/// #[derive(Guarded, Default)]
/// struct Cache {
///     capacity: usize,
///     state: Lock,
///     #[guarded_by(state)]
///     entries: Guarded<Vec<(String, u64)>>,
/// }
///
/// #[monitor]
/// impl Cache {
///     #[synchronized(state)]
///     async fn insert(&self, key: String, value: u64) {
///         state.entries.push((key, value));
///         state.trim();
///     }
///
///     /// `self` has the fields without a lock, `state` those that `state` guards.
///     #[holding(state)]
///     fn trim(&self) {
///         let too_many = state.entries.len().saturating_sub(self.capacity);
///         state.entries.drain(..too_many);
///     }
///
///     /// A method of views that only read, too.
///     #[holding(read(state))]
///     fn find(&self, key: &str) -> Option<&u64> {
///         let entry = state.entries.iter().find(|entry| entry.0 == key);
///         entry.map(|entry| &entry.1)
///     }
/// }
/// # futures::executor::block_on(async {
/// # let cache = Cache { capacity: 1, ..Cache::default() };
/// # cache.insert("a".to_owned(), 1).await;
/// # cache.insert("b".to_owned(), 2).await;
/// # assert_eq!(cache.acquire_state().await.fields().entries.len(), 1);
/// # });
/// ```
///
/// The method may be plain or `async`, and generic. An elided lifetime in the return type is the
/// lifetime of the borrow of the view. That is long enough for references into the object, too.
/// It has the name of the lock, `'state`, which the type of a parameter may use:
/// `found: &mut Vec<&'state u64>`. (Over a reader-writer lock, a method of `read(..)` with such a result exists only on the read
/// view, not on the write view.)
///
/// The object itself has no such method: `self.trim()` does not compile, and the message says which
/// section is missing. (For a name that common traits use, too, such as `next` or `len`, the
/// compiler reports its own error, and may suggest the trait's method.)
///
/// `#[monitor]` treats the method as holding the lock when it looks for deadlocks.
#[proc_macro_attribute]
pub fn holding(arguments: TokenStream, item: TokenStream) -> TokenStream {
    monitor::holding(&arguments.into(), &item.into()).into()
}

/// Makes a test that runs in every schedule that matters: see `async_monitor::check`. It needs the
/// feature `check`.
///
/// The fn is the first task of each run, and is never cancelled. It creates the other tasks with
/// `check::spawn`. The arguments are the options of a check: `cancels`, `timeouts`, `max_runs`,
/// `max_steps`, `tasks`, `cancels_may_starve`, `sample` and `stack_size`.
///
/// ```ignore
/// use async_monitor::{Mutex, check};
///
/// #[async_monitor::check(cancels = 0)]
/// async fn nothing_is_lost() {
///     let sum = Arc::new(Mutex::new(0));
///     let other = Arc::clone(&sum);
///     let adds = check::spawn("adds", async move { *other.lock().await += 1 });
///     *sum.lock().await += 1;
///     adds.await.unwrap();
///     assert_eq!(*sum.lock().await, 2);
/// }
/// ```
#[proc_macro_attribute]
pub fn check(arguments: TokenStream, item: TokenStream) -> TokenStream {
    check::check(arguments.into(), item.into()).into()
}
