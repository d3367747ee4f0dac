//! What the macros expand to. Not a part of the public API: everything here may
//! change in any release.
//!
//! | file | what |
//! |---|---|
//! | `conditional` | how a section waits for a condition |
//! | `atomic` | what a section that is `atomic` puts back |
//! | `core` | what a generated guard and a generated view carry |
//! | `fields` | how generated code reaches guarded fields |
//! | `dispatch` | how a section finds out what lock it has been given |
//! | `bind` | what a section binds once it holds the lock |
//! | `failure` | what becomes of an acquisition that can fail |
//! | `kind` | what a section remembers of its entry |
//! | `locks` | what a derive asks of the types of its locks, and how it reaches them |
//! | `order` | in which order a section acquires several locks |
//! | `retake` | how a generated guard comes back from a `Condition` |
//! | `timeout` | how the wait to enter a section is bounded |
//! | `views` | what a method that runs under a lock that is held needs of a view |

// Nobody prints the parts of an expansion.
#![allow(missing_debug_implementations)]

mod atomic;
mod bind;
mod conditional;
mod core;
mod dispatch;
mod failure;
mod fields;
mod kind;
mod locks;
mod order;
mod retake;
mod timeout;
mod views;

pub use self::atomic::{
    Armed, DerivedGuard, Kept, OfAnyType, Restorable, Restore, RestoreView, Undo, Verdict, settled,
    undo_view, verdict,
};
pub use self::bind::{Bind, DerivedView, MarkTheLockRw, OfDeref, OfGuard};
pub use self::conditional::{
    Conditional, ConditionalShared, EnterSharedWhen, EnterWhen, Looked, OfSection, Seen, SeenGuard,
    enter_shared_when, enter_when,
};
pub use self::core::{Core, Owner, ReadCore};
pub use self::dispatch::{Derived, Enter, EnterShared, HasLock, Plain, Probe, Value, probe, value};
pub use self::failure::{
    CannotFail, Failure, FromElapsed, FromFailure, OfAnyKind, failure, granted, without_await,
};
pub use self::fields::{IsGuarded, Shareable, address, pointer, value_mut};
pub use self::kind::{Kind, kind};
pub use self::locks::{
    Exactly, Field, GuardOf, LockField, LockOf, Of, ReadGuardOf, RwLockOf, exactly, field, of,
};
pub use self::order::{in_order, taken};
pub use self::retake::{MustNotImplDrop, NeverUnpin, Reacquire, Retake, Retaken};
pub use self::timeout::timeout;
pub use self::views::{AsRead, IsDerived, ViewOf, derived};
pub use crate::when::{
    ConditionalLock, ConditionalRwLock, GuardMaker, Look, MakeGuard, Place, When, when,
};

/// Runs a future to its end on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    crate::blocking::block_on(future)
}
