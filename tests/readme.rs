//! The README names the tests that show what it says: they must exist.

use std::fs;
use std::path::Path;

/// The sources of all behaviour tests, in one string.
fn behaviours(root: &Path) -> String {
    fs::read_dir(root.join("runtime/tests/behaviours"))
        .expect("the behaviour tests are there")
        .map(|entry| entry.expect("the folder can be read").path())
        .map(|path| fs::read_to_string(path).expect("sources are text"))
        .collect()
}

#[test]
fn the_tests_it_names_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).expect("there is a README");
    let sources = behaviours(root);
    let mut named = 0;
    for row in readme.lines().filter(|line| line.starts_with("| ")) {
        let Some(shown_by) = row.trim_end_matches(" |").rsplit(" | ").next() else {
            continue;
        };
        for name in shown_by.split('`').skip(1).step_by(2) {
            let is_test = [
                "lock_", "evt_", "cond_", "sem_", "bsem_", "bar_", "n20_", "n37_",
            ]
            .iter()
            .any(|prefix| name.starts_with(prefix));
            if is_test {
                named += 1;
                assert!(
                    sources.contains(&format!("fn {name}("))
                        || sources.contains(&format!("fn {name}<")),
                    "the README names the test `{name}`, which does not exist"
                );
            }
        }
    }
    assert!(
        named > 40,
        "the table of the README has moved: {named} tests were found in it"
    );
}
