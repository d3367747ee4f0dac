//! The compiler version of the expected error messages.

use std::process::Command;

/// Its version, which `.stderr` files are of.
const RUSTC: &str = "rustc 1.95.0 ";

/// Whether this is the one. If not, that is said.
pub(crate) fn wrote_the_messages() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output();
    let is_it = output.is_ok_and(|output| output.stdout.starts_with(RUSTC.as_bytes()));
    if !is_it {
        eprintln!("skipped the messages, which are those of {RUSTC}");
    }
    is_it
}
