//! Every schedule of a test.
#![allow(missing_docs)]

mod class;
mod engine;
mod minimize;
mod names;
mod options;
mod quiet;
mod random;
mod relation;
mod report;
mod run;
pub(crate) mod session;
mod spawn;
mod table;
mod tasks;
mod trace;

pub use self::report::{Check, Failure, Outcome, every_schedule};
pub use self::run::Run;
pub use self::spawn::{Cancelled, Joined, spawn};
