//! What must compile and what must not, with the messages.
//!
//! The messages are those of one version of the compiler, [`RUSTC`]; with
//! another, only what must compile is compiled. After a change:
//!
//! ```text
//! TRYBUILD=overwrite cargo +1.95.0 test --test ui
//! ```
//!
//! and then read every message that has changed: it says what is wrong, at the
//! smallest wrong token, and what to write instead.

use std::process::Command;

/// The version of the compiler that wrote the `.stderr` files.
const RUSTC: &str = "rustc 1.95.0 ";

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    if is_the_compiler_of_the_messages() {
        cases.compile_fail("tests/ui/fail/*/*.rs");
    } else {
        eprintln!("skipped the messages, which are those of {RUSTC}");
    }
}

fn is_the_compiler_of_the_messages() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output();
    output.is_ok_and(|output| output.stdout.starts_with(RUSTC.as_bytes()))
}
