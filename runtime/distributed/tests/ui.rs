//! What must compile and what must not, with the messages: see `tests/ui.rs` of the workspace.

#[path = "../../../tests/compiler/mod.rs"]
mod compiler;

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    if compiler::wrote_the_messages() {
        cases.compile_fail("tests/ui/fail/*.rs");
    }
}
