//! What must compile and what must not, with the messages: see `tests/ui.rs` of the workspace.

use std::process::Command;

/// The version of the compiler that wrote the `.stderr` files.
const RUSTC: &str = "rustc 1.95.0 ";

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    if is_the_compiler_of_the_messages() {
        cases.compile_fail("tests/ui/fail/*.rs");
    } else {
        eprintln!("skipped the messages, which are those of {RUSTC}");
    }
}

fn is_the_compiler_of_the_messages() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output();
    output.is_ok_and(|output| output.stdout.starts_with(RUSTC.as_bytes()))
}
