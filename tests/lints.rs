//! Lints and coverage are the same with and without our attributes.
//!
//! `tests/lints/corpus.rs` is compiled twice, as it is and without the lines that
//! are attributes of async-monitor. Both forms must give the same warnings at the
//! same places, and the same regions of test coverage.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const CORPUS: &str = include_str!("lints/corpus.rs");
const FORBIDDEN: &str = include_str!("lints/forbidden.rs");

/// The corpus with another attribute in place of ours, of no effect, so that the
/// lines stay the same.
fn without_attributes() -> String {
    let attributes = [
        "#[synchronized(",
        "#[monitor",
        "#[derive(Guarded)]",
        "#[lock",
        "#[guarded_by(",
    ];
    let mut text = String::new();
    for line in CORPUS.lines() {
        let is_attribute = attributes
            .iter()
            .any(|attribute| line.trim_start().starts_with(attribute));
        text.push_str(if is_attribute {
            "#[cfg(any(unix, windows))]"
        } else {
            line
        });
        text.push('\n');
    }
    text
}

/// A workspace with both forms, as the packages `with` and `without`, and with the
/// package `forbidden`. The feature `plain` says that the attributes are left out:
/// what they would bind is then declared in another way.
fn workspace(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    write(
        &folder.join("Cargo.toml"),
        "[workspace]\nmembers = [\"with\", \"without\", \"forbidden\"]\nresolver = \"3\"\n",
    );
    let locked = fs::read_to_string(root.join("Cargo.lock")).expect("the lock file");
    write(&folder.join("Cargo.lock"), &locked);
    for (form, text, default) in [
        ("with", CORPUS.to_owned(), ""),
        ("without", without_attributes(), "\"plain\""),
        ("forbidden", FORBIDDEN.to_owned(), ""),
    ] {
        let runtime = root.join("runtime");
        let manifest = format!(
            "[package]\nname = \"{form}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
             [features]\nplain = []\ndefault = [{default}]\n[dependencies]\n\
             async-monitor = {{ path = {runtime:?}, features = [\"smol\"] }}\n"
        );
        write(&folder.join(form).join("Cargo.toml"), &manifest);
        write(&folder.join(form).join("src/lib.rs"), &text);
    }
    folder
}

/// Writes a file only if it differs, so that cargo does not rebuild without
/// need.
fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return;
    }
    let folder = path.parent().expect("a folder");
    fs::create_dir_all(folder).expect("the folder can be made");
    fs::write(path, text).expect("the file can be written");
}

fn cargo(folder: &Path, arguments: &[&str]) -> String {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(folder).args(arguments);
    cargo.env("CARGO_TARGET_DIR", folder.join("target"));
    cargo.env_remove("RUSTFLAGS");
    let output = cargo.output().expect("cargo can be run");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}");
    text
}

/// The lines of `found` that `expected` does not have, and the other way round.
#[track_caller]
fn assert_same<T: Ord + std::fmt::Display>(expected: &BTreeSet<T>, found: &BTreeSet<T>) {
    let mut difference = String::new();
    for missing in expected.difference(found) {
        difference += &format!("missing: {missing}\n");
    }
    for added in found.difference(expected) {
        difference += &format!("added:   {added}\n");
    }
    assert!(
        difference.is_empty(),
        "with the attributes, tools see something else:\n{difference}"
    );
    assert!(expected.len() > 40, "{} found", expected.len());
}

/// `clippy`, if it is installed.
fn check_or_clippy() -> &'static str {
    let has_clippy = Command::new("cargo")
        .args(["clippy", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if has_clippy { "clippy" } else { "check" }
}

/// An `allow` of an expansion would be an error here.
#[test]
fn attributes_compile_where_lints_are_forbidden() {
    let folder = workspace("forbidden");
    cargo(
        &folder,
        &[check_or_clippy(), "--offline", "-p", "forbidden"],
    );
}

#[test]
fn attributes_neither_add_nor_hide_a_warning() {
    let folder = workspace("lints");
    let command = check_or_clippy();
    let warnings = |form: &str| -> BTreeSet<String> {
        let output = cargo(
            &folder,
            &[command, "--offline", "--message-format=short", "-p", form],
        );
        let start = format!("{}/src/lib.rs:", form);
        let lines = output.lines().filter_map(|line| line.strip_prefix(&start));
        // A section waits for its lock.
        let lines = lines.filter(|line| !line.contains("no await statements"));
        lines.map(str::to_owned).collect()
    };
    assert_same(&warnings("without"), &warnings("with"));
}

/// A part of the code whose runs are counted.
fn regions(record: &str) -> Vec<String> {
    let mut bytes = unescaped(record).into_iter();
    let mut number = move || {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let byte = bytes.next().expect("another byte of the record");
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    };
    let files = number();
    assert_eq!(files, 1, "all code is in one file");
    number();
    for _ in 0..number() * 2 {
        number();
    }
    let mut line = 0;
    let count = number();
    let region = |_| {
        // How often it was run: a counter, or the sum of some.
        number();
        line += number();
        let (column, lines, end) = (number(), number(), number());
        format!("{line}:{column} to {}:{end}", line + lines)
    };
    (0..count).map(region).collect()
}

/// Not a region that begins with a signature: the held form of a method under `#[monitor]`
/// has the signature, too, but not the body.
fn is_in_body(region: &str) -> bool {
    let line = region.split(':').next().and_then(|line| line.parse().ok());
    let line = line.and_then(|line: usize| CORPUS.lines().nth(line - 1));
    !line.is_some_and(|line| line.contains(" fn "))
}

/// The bytes of a string in LLVM's notation.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match (byte, rest.clone().next()) {
            (b'\\', Some(b'\\')) => {
                rest.next();
                b'\\'
            }
            (b'\\', _) => {
                let digits = [rest.next(), rest.next()].map(|digit| digit.expect("two digits"));
                let digits = std::str::from_utf8(&digits).expect("digits");
                u8::from_str_radix(digits, 16).expect("a number")
            }
            _ => byte,
        });
    }
    bytes
}

#[test]
fn attributes_leave_the_coverage_of_a_body_as_it_is() {
    let folder = workspace("coverage");
    let covered = |form: &str| -> BTreeSet<String> {
        let target = folder.join("target/debug/deps");
        if let Ok(files) = fs::read_dir(&target) {
            for file in files.flatten() {
                if file.path().extension().is_some_and(|end| end == "ll") {
                    fs::remove_file(file.path()).expect("an old file can be removed");
                }
            }
        }
        // Changed, so that it is compiled.
        let source = folder.join(form).join("src/lib.rs");
        let text = fs::read_to_string(&source).expect("the source");
        fs::write(&source, text).expect("the source can be written");
        cargo(
            &folder,
            &[
                "rustc",
                "--offline",
                "-p",
                form,
                "--",
                "-Cinstrument-coverage",
                "--emit=llvm-ir",
            ],
        );
        let mut found = BTreeSet::new();
        for file in fs::read_dir(&target).expect("a folder").flatten() {
            if file.path().extension().is_none_or(|end| end != "ll") {
                continue;
            }
            let text = fs::read_to_string(file.path()).expect("text");
            for line in text.lines().filter(|line| line.starts_with("@__covrec_")) {
                if let Some((_, record)) = line.split_once(" c\"") {
                    let record = record.split('"').next().unwrap_or_default();
                    found.extend(
                        regions(record)
                            .into_iter()
                            .filter(|region| is_in_body(region)),
                    );
                }
            }
        }
        found
    };
    assert_same(&covered("without"), &covered("with"));
}
