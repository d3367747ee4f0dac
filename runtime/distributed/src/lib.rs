//! TODO
mod error;
mod fence;
mod lock;
#[cfg(feature = "postgres")]
pub mod postgres;
mod session;
pub mod store;

pub use crate::error::{LeaseLost, LockError, LossReason};
pub use crate::fence::{Anything, Fence, Fenced, FencedMut, FencedRef};
pub use crate::lock::{Guard, Held, Lock, Locks};
