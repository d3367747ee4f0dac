//! The items that expansions of the macros use. Not a part of the public API: everything
//! here may change in any release.
//!
//! | file | what |
//! |---|---|
//! | `enter_when` | how a section waits for a condition |
//! | `atomic` | the rollback of a section that is `atomic` |
//! | `core` | the contents of a generated guard and of a generated view |
//! | `fields` | how generated code accesses guarded fields |
//! | `dispatch` | how a section resolves the lock that it is given |
//! | `enter` | how a section enters that lock, in two steps |
//! | `bind` | what a section binds once it holds the lock |
//! | `entry_type` | the type of a section's entry, the only thing it keeps over an await |
//! | `fallible` | acquisitions that can fail |
//! | `lease` | sections of locks that can be lost while they are held |
//! | `errors` | stand-ins after an error |
//! | `locks` | the requirements of a derive on the types of its locks, and how it accesses them |
//! | `lock_fields` | how generated code names the field of a lock |
//! | `place` | what a section borrows of an object that is partly borrowed already |
//! | `suspend_mode` | whether the sections of a lock may suspend |
//! | `enter_sync_when` | how a section of a sync lock waits for a condition |
//! | `order` | the order in which a section acquires several locks |
//! | `owned` | a generated guard beside the `Arc` of its object |
//! | `reacquire` | how a generated guard comes back from a `Condition` |
//! | `sync_locks` | the same as `locks`, and `core`, for sync locks |
//! | `receiver` | what a section in a method with `&mut self` may acquire |
//! | `reading` | a read section of a lock that one task holds at a time |
//! | `timeout` | how the wait to enter a section is bounded |
//! | `views` | what a held form needs from a view |

// The values of an expansion are never printed.
#![allow(missing_debug_implementations)]

mod atomic;
mod bind;
mod core;
mod dispatch;
mod enter;
mod enter_sync_when;
mod enter_when;
mod entry_type;
mod errors;
mod fallible;
mod fields;
mod lease;
mod lock_fields;
mod locks;
mod order;
#[cfg(feature = "alloc")]
mod owned;
mod place;
mod reacquire;
mod reading;
mod receiver;
mod suspend_mode;
mod sync_locks;
mod timeout;
mod views;

pub use self::atomic::{
    Committed, DerivedGuard, Kept, OfAnyType, Outcome, Restorable, Restore, RestoreView, Rollback,
    commit, outcome, roll_back_view,
};
pub use self::bind::{Bind, DerivedView, MarkTheLockRw, OfDeref, OfGuard, without_await};
pub use self::core::{Core, Owner, ReadCore};
pub use self::dispatch::{
    Derived, DerivedReading, Plain, PlainReading, PlainSync, PlainSyncReading, Probe, ReadProbe,
    ToRead, ToReadAlone, Value, probe, probe_shared, value,
};
pub use self::enter::{
    AnyLock, AnySyncLock, Enter, EnterShared, HasLock, NoWait, NotYet, Watched, no_wait,
};
pub use self::enter_sync_when::{
    ConditionalSync, ConditionalSyncShared, EnterSyncSharedWhen, EnterSyncWhen,
    enter_sync_shared_when, enter_sync_when,
};
pub use self::enter_when::{
    ByReference, ConditionGuard, Conditional, ConditionalShared, EnterSharedWhen, EnterWhen,
    OfSection, Seen, SeenGuard, enter_shared_when, enter_when,
};
pub use self::entry_type::{Entry, EntryType, entry_type, finish_shared};
pub use self::errors::ErrorOnly;
pub use self::fallible::{
    CannotFail, Failure, FromElapsed, FromFailure, OfAnyKind, failure, infallible,
};
pub use self::fields::{IsGuarded, Shareable, address, pointer, value_mut};
pub use self::lease::{HeldLease, LeavesABlock, NoLease, Within, leases};
pub use self::lock_fields::{Field, LockField, field};
pub use self::locks::{
    GuardOf, Kind, LockOf, NoCoercion, ObjectLock, ReadGuardOf, RwLockOf, no_coercion, object,
    object_lock,
};
pub use self::order::{InOrder, in_order, taken};
#[cfg(feature = "alloc")]
pub use self::owned::{Arc, OwnedAcquire, OwnedCore, kept};
pub use self::place::{
    Base, Branch, BranchKind, Executed, Found, FromObject, Needed, OfObject, Returns,
    TypeCheckedOnly, base, entry, needed,
};
pub use self::reacquire::{MustNotImplDrop, NeverUnpin, Reacquirable, Reacquire, ReacquireLock};
pub use self::reading::{Exclusively, Reading};
pub use self::receiver::{MutableReceiver, OfNoDerive, PointsToLock, mutable_receiver};
pub use self::suspend_mode::{
    IsBounded, MayNest, MayPark, MaySuspend, Mode, ModeOf, NonSuspending, Parks, Suspending,
    Unknown,
};
pub use self::sync_locks::{
    SyncCore, SyncGuardOf, SyncLockOf, SyncObjectLock, SyncReadCore, SyncReadGuardOf, SyncRwLockOf,
    sync_field, sync_object, sync_object_lock,
};
pub use self::timeout::{block_on_for, late, timeout};
pub use self::views::{
    AnswerOfOthers, AsRead, Body, DeriveOf, HasSize, IsDerived, Outlived, ReborrowView,
    ShortenedView, ViewOf, derived, plain, shared_view_in, view_in,
};
pub use crate::guarded::CallFields;
pub use crate::queue::Object;
pub use crate::sync_waits::turns::Turns;
pub use crate::sync_waits::when::{
    ConditionalSyncLock, ConditionalSyncRwLock, SyncWhen, TurnGuards, when as sync_when,
};
pub use crate::watching::{
    AwaitWithin, Awaited, Elsewhere, Lent, LockType, Section, SectionLock, Site, SiteLock,
    unwatched,
};
pub use crate::when::{
    ConditionalLock, ConditionalRwLock, ConditionalWaiter, Evaluate, GuardMaker, MakeGuard, When,
    when,
};

/// Runs a future to its end on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    crate::blocking::block_on(future)
}
