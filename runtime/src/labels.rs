//! Labels of invariants, such as `Q1`, are unique, and ARCHITECTURE.md says where each is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::string::String;
use std::vec::Vec;

/// All sources below `folder`.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The label that a line defines: `- **Q1** ..`, in a comment.
fn defined_label(line: &str) -> Option<&str> {
    let line = line.trim_start().trim_start_matches(['/', '!']);
    let (label, _) = line.strip_prefix(" - **")?.split_once("**")?;
    let number = label.trim_start_matches(|char: char| char.is_ascii_uppercase());
    let is_label = number.len() < label.len() && number.parse::<u32>().is_ok();
    is_label.then_some(label)
}

#[test]
fn labels_of_invariants_are_unique() {
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = runtime.parent().expect("the workspace");
    let Ok(architecture) = fs::read_to_string(root.join("ARCHITECTURE.md")) else {
        // The crate as it is published, without its workspace.
        return;
    };
    let mut files = Vec::new();
    sources(&runtime.join("src"), &mut files);
    sources(&runtime.join("distributed/src"), &mut files);
    // Each file of these has labels of its own.
    files.retain(|file| !file.starts_with(runtime.join("src/adapters")));
    let mut labels = BTreeMap::new();
    for path in files {
        let source = fs::read_to_string(&path).expect("sources are text");
        let path = path.strip_prefix(runtime).expect("it is below");
        let file = path.to_string_lossy().replace('\\', "/");
        for label in source.lines().filter_map(defined_label) {
            if let Some(other) = labels.insert(String::from(label), file.clone()) {
                panic!("{label} is defined in {other} and in {file}");
            }
            let letters = label.trim_end_matches(|char: char| char.is_ascii_digit());
            let start = std::format!("| {letters} | ");
            let row = architecture.lines().find(|line| line.starts_with(&start));
            assert!(
                row.is_some_and(|row| row.contains(&std::format!("`runtime/{file}`"))),
                "ARCHITECTURE.md has no row for {letters} and {file}"
            );
        }
    }
    assert!(labels.contains_key("Q1") && labels.contains_key("D1"));
}
