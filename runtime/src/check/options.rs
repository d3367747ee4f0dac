//! The bounds of a check.

use std::string::String;

/// What a check tries, and its bounds.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) cancels: usize,
    pub(super) timeouts: usize,
    pub(super) max_runs: u64,
    pub(super) max_steps: usize,
    pub(super) tasks: usize,
    pub(super) cancels_may_starve: bool,
    pub(super) sample: Option<(u64, u64)>,
    pub(super) stack_size: usize,
    /// The one schedule to run.
    pub(super) replay: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            cancels: 1,
            timeouts: 2,
            max_runs: 50_000,
            max_steps: 2_000,
            tasks: super::session::MAX_TASKS,
            cancels_may_starve: true,
            sample: None,
            stack_size: 256 * 1024,
            replay: None,
        }
    }
}
