//! The paths of the examples, as programs.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

/// The folder of the examples' binaries, built by now: `cargo test --test
/// examples` builds the tests only.
static BINARIES: LazyLock<PathBuf> = LazyLock::new(|| {
    // .../target/debug/deps/examples-0123456789abcdef
    let test = env::current_exe().expect("a test knows where it is");
    let profile = test.ancestors().nth(2).expect("cargo's layout");
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--quiet", "--examples", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .arg("--target-dir")
        .arg(profile.parent().expect("cargo's layout"));
    if profile.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().expect("cargo runs").success());
    profile.join("examples")
});

/// The command that runs an example.
pub fn example(name: &str) -> Command {
    Command::new(BINARIES.join(format!("{name}{}", env::consts::EXE_SUFFIX)))
}
