//! What users see of this crate in the docs of their own, and that our docs have examples.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Builds the docs of a package of the workspace, and returns their path.
fn docs(package: &str, features: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rustdoc-public");
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["doc", "--locked", "--no-deps", "-p", package])
        .args(["--features", features, "--target-dir"])
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be run");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    target.join("doc").join(package.replace('-', "_"))
}

/// The pages, by name, as HTML.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).expect("the docs are there") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            sources.extend(self::sources(&path));
        } else if name.ends_with(".html") {
            sources.push((name, fs::read_to_string(&path).expect("a page")));
        }
    }
    sources
}

/// The pages, by name, as text without tags.
fn pages(folder: &Path) -> Vec<(String, String)> {
    let mut pages = sources(folder);
    for (_, page) in &mut pages {
        // The head lists files, under hashes.
        let body = page.split_once("<body").map_or("", |(_, body)| body);
        let mut text = String::new();
        let mut in_tag = true;
        for char in body.chars() {
            match char {
                '<' => in_tag = true,
                '>' if in_tag => in_tag = false,
                _ if !in_tag => text.push(char),
                _ => {}
            }
        }
        *page = text;
    }
    pages
}

#[track_caller]
fn assert_nothing_of_ours(pages: &[(String, String)]) {
    for (name, text) in pages {
        // Lifetimes are the only names of ours that have to be written.
        let text = text.replace("'__", "'");
        for word in text.split(|char: char| !(char.is_alphanumeric() || char == '_')) {
            let is_hash = word.len() > 15 && word.trim_end_matches("u128").parse::<u128>().is_ok();
            assert!(!is_hash, "a hash in {name}: {word}");
            assert!(!word.starts_with("__"), "a name of ours in {name}: {word}");
        }
    }
}

#[test]
fn docs_of_users_show_what_is_theirs() {
    let mut pages = pages(&docs("documented", ""));
    // Another crate's derive.
    pages.retain(|(name, _)| name != "struct.Other.html");
    assert_nothing_of_ours(&pages);
    let page = |wanted: &str| {
        let page = pages.iter().find(|(name, _)| name == wanted);
        &page.unwrap_or_else(|| panic!("no page {wanted}")).1
    };
    let account = page("struct.Account.html");
    for shown in ["acquire_ledger", "read_cfg", "deposit", "Adds an amount."] {
        assert!(account.contains(shown), "{shown} in {account}");
    }
    assert!(
        !account.contains("Trait Implementations§Source§impl&lt;T&gt; "),
        "{account}"
    );
    assert!(page("struct.AccountLedgerHeld.html").contains("What there is."));
    assert!(pages.iter().all(|(name, _)| !name.contains("Private")));
}

/// The items of a page, the main item first and then its methods and constants, and whether each
/// has an example. Modules, fields, variants and implementations of traits are left out.
fn examples(name: &str, page: &str) -> Vec<(String, bool)> {
    let kinds = [
        "struct", "enum", "union", "trait", "fn", "constant", "static", "macro", "attr", "derive",
    ];
    let is_item = kinds
        .iter()
        .any(|kind| name.split('.').next() == Some(kind));
    // A page that leads to another has no content.
    let Some((_, content)) = page.split_once("<section id=\"main-content\"") else {
        return Vec::new();
    };
    if !is_item {
        return Vec::new();
    }
    let ends = [
        "trait-implementations",
        "synthetic-implementations",
        "blanket-implementations",
        "dyn-compatibility",
        "foreign-impls",
        "implementors",
    ];
    let end = ends
        .iter()
        .filter_map(|end| content.find(&format!("<h2 id=\"{end}\"")))
        .min()
        .unwrap_or(content.len());
    let mut parts = content[..end].split("<section id=\"");
    let has_example = |part: &str| part.contains("rust-example-rendered");
    let mut examples = vec![(name.to_owned(), parts.next().is_some_and(has_example))];
    for part in parts {
        let id = part.split('"').next().unwrap_or_default();
        let is_member = ["method.", "tymethod.", "associatedconstant."]
            .iter()
            .any(|kind| id.starts_with(kind));
        if is_member {
            examples.push((format!("{name}#{id}"), has_example(part)));
        }
    }
    examples
}

#[test]
fn every_public_item_has_an_example() {
    let sources = sources(&docs("async-monitor", "check,watch-signal"));
    let examples: Vec<_> = sources
        .iter()
        .flat_map(|(name, page)| examples(name, page))
        .collect();
    assert!(examples.len() > 400, "{examples:#?}");
    let without: Vec<_> = examples
        .iter()
        .filter_map(|(name, has_example)| (!has_example).then_some(name))
        .collect();
    assert!(without.is_empty(), "no example: {without:#?}");
}
