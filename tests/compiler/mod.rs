//! The compiler version of the expected error messages.

use std::path::Path;
use std::process::Command;

/// Its version, which `.stderr` files are of.
const RUSTC: &str = "rustc 1.95.0 ";

/// Whether this is the one. If not, that is said. Nor does it write them with the component
/// `rust-src`, as it then quotes the lines of the standard library.
pub(crate) fn wrote_the_messages() -> bool {
    let is_it = printed("--version").is_some_and(|version| version.starts_with(RUSTC));
    if !is_it {
        eprintln!("skipped the messages, which are those of {RUSTC}");
        return false;
    }
    let sysroot = printed("--print=sysroot").unwrap_or_default();
    let quotes = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library");
    if quotes.exists() {
        eprintln!("skipped the messages, which are those of a compiler without `rust-src`");
        return false;
    }
    true
}

/// What the compiler prints.
fn printed(argument: &str) -> Option<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg(argument).output().ok()?;
    String::from_utf8(output.stdout).ok()
}
