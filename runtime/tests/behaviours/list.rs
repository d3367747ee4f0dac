//! The list of behaviours, in `README.md`, and the tests go together.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The prefixes of the names of tests for a behaviour.
const PREFIXES: [&str; 9] = [
    "lock_", "rw_", "evt_", "cond_", "sem_", "bsem_", "bar_", "x_", "n",
];

fn is_of_a_behaviour(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| {
        let number = name.strip_prefix(prefix);
        number.is_some_and(|number| number.starts_with(|char: char| char.is_ascii_digit()))
    })
}

#[cfg_attr(miri, ignore = "reads a folder")]
#[test]
fn tests_and_behaviours_go_together() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/behaviours");
    let mut tests = BTreeSet::new();
    for entry in fs::read_dir(&folder).expect("the sources are there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(path).expect("sources are text");
            for rest in source.split("fn ").skip(1) {
                let is_name = |char: char| char.is_alphanumeric() || char == '_';
                let end = rest.find(|char| !is_name(char)).unwrap_or(rest.len());
                if is_of_a_behaviour(&rest[..end]) {
                    tests.insert(rest[..end].to_owned());
                }
            }
        }
    }
    let list = fs::read_to_string(folder.join("README.md")).expect("the list is there");
    let named = list.split('`').skip(1).step_by(2);
    let listed: BTreeSet<_> = named
        .filter(|name| is_of_a_behaviour(name))
        .map(str::to_owned)
        .collect();
    let missing: Vec<_> = tests.difference(&listed).collect();
    assert!(missing.is_empty(), "not in the list: {missing:?}");
    let gone: Vec<_> = listed.difference(&tests).collect();
    assert!(gone.is_empty(), "in the list, and not a test: {gone:?}");
    assert!(tests.len() > 200, "{}", tests.len());
}
