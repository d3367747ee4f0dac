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
//! | `locks` | what a derive asks of the types of its locks |
//! | `order` | in which order a section acquires several locks |
//! | `retake` | how a generated guard comes back from a `Condition` |

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

pub use self::atomic::{
    Armed, DerivedGuard, OfAnyType, Restorable, Restore, Undo, Verdict, settled, verdict,
};
pub use self::bind::{Bind, DerivedView, OfDeref, OfGuard};
pub use self::conditional::{
    Conditional, ConditionalShared, EnterSharedWhen, EnterWhen, enter_shared_when, enter_when,
};
pub use self::core::{Core, Owner, ReadCore};
pub use self::dispatch::{Derived, Enter, EnterShared, HasLock, Plain, Probe, Value, probe, value};
pub use self::failure::{
    CannotFail, Failure, FromElapsed, FromFailure, OfAnyKind, failure, granted, without_await,
};
pub use self::fields::{IsGuarded, Shareable, address, pointer, value_mut};
pub use self::kind::{Kind, kind};
pub use self::locks::{exclusive, exclusive_rw};
pub use self::order::{in_order, taken};
pub use self::retake::{MustNotImplDrop, NeverUnpin, Reacquire, Retake};
pub use crate::when::{ConditionalLock, ConditionalRwLock, Place, When, when};

/// Bounds the wait to enter a section.
#[cfg(any(feature = "tokio", feature = "smol"))]
#[inline]
pub fn timeout<F: Future>(
    limit: std::time::Duration,
    entry: F,
) -> impl Future<Output = Result<F::Output, crate::Elapsed>> {
    crate::timeout::timeout(limit, entry)
}

/// Runs a future to its end on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    crate::blocking::block_on(future)
}
