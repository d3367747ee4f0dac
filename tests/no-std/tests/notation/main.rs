//! Tests of a crate as in firmware, on the host: the tests have std, the crates under test do not.
//!
//! `cargo test -p no-std`, and `--features critical-section`, where wait queues are locked by
//! critical sections.

#[cfg(feature = "critical-section")]
mod critical;
mod executor;
mod panics;
mod sections;
mod threads;

/// Stands for the critical sections where there are none.
#[cfg(not(feature = "critical-section"))]
mod critical {
    pub(crate) fn depth() -> usize {
        0
    }

    pub(crate) fn entered() -> usize {
        usize::MAX
    }
}

/// Where several packages are tested at once, it may be on: then these are tests of the notation,
/// and no more. In CI they must be more.
#[test]
fn std_is_off() {
    if no_std::monitors_have_std() {
        let why = "another package of the same build has brought std in: `cargo test -p no-std`";
        assert!(std::env::var_os("CI").is_none(), "{why}");
        println!("skipped: {why}");
    }
}
