//! Code that must compile, and code that must not, with the messages.
//!
//! The messages are those of one version of the compiler, which `compiler` names; with
//! another, only the code that must compile is tested. After a change:
//!
//! ```text
//! TRYBUILD=overwrite cargo +1.95.0 test --test ui
//! ```
//!
//! and then read every message that has changed: it says what is wrong, at the
//! smallest wrong token, and what to write instead.

mod compiler;

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    if compiler::wrote_the_messages() {
        cases.compile_fail("tests/ui/fail/*/*.rs");
    }
}
