//! The page about asyncio names the tests that show its claims: these must exist. And
//! the README's example with a derive must work, and its speeds must be those of
//! the results. (The doc tests of the crate compile the other examples.)

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
    let page = fs::read_to_string(root.join("docs/asyncio.md")).expect("the page is there");
    let sources = behaviours(root);
    let mut named = 0;
    for row in page.lines().filter(|line| line.starts_with("| ")) {
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
                    "the page names the test `{name}`, which does not exist"
                );
            }
        }
    }
    assert!(
        named > 40,
        "the table has moved: {named} tests were found in it"
    );
}

/// The example with a derive. It is included, so that it keeps the form it has there.
#[allow(dead_code)]
mod example {
    include!("ui/pass/readme.rs");

    #[test]
    fn it_works() {
        let account = |id| Account {
            id,
            ledger: Lock::new(),
            balance: Guarded::new(1),
            history: Guarded::default(),
        };
        let (a, b) = (account(1), account(2));
        futures::executor::block_on(async {
            transfer(&a, &b, 1).await;
            let (left, _) = futures::future::join(a.withdraw(2), a.deposit(5)).await;
            assert_eq!(left, 3);
            assert_eq!(b.deposit(1).await, 3);
            assert_eq!(*a.acquire_ledger().await.fields().history, [5, -2]);
        });
    }
}

#[test]
fn its_example_with_a_derive_is_the_one_that_is_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).expect("there is a README");
    let derive = readme
        .split("```rust\n")
        .nth(2)
        .expect("it has two examples");
    let derive = derive.split("```").next().unwrap_or_default();
    let tested = include_str!("ui/pass/readme.rs");
    assert!(
        tested.contains(derive),
        "tests/ui/pass/readme.rs has another text"
    );
}

/// The cells of the first row of a table that begins with that.
fn cells<'t>(text: &'t str, begin: &str) -> Vec<&'t str> {
    let row = text
        .lines()
        .find(|line| line.starts_with(&format!("| {begin}")));
    row.expect("there is such a row")
        .split('|')
        .map(str::trim)
        .collect()
}

#[test]
fn its_speeds_are_those_of_the_results() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let [readme, results] = ["README.md", "runtime/benches/RESULTS.md"]
        .map(|file| fs::read_to_string(root.join(file)).expect("it is there"));
    let (said_of, columns) = (
        cells(&readme, "| async-monitor"),
        cells(&results, "workload"),
    );
    for (row, workload) in [
        ("uncontended lock", "Mutex, lock and unlock, polled"),
        ("hand-off", "Mutex, hand-off among 16 tasks"),
    ] {
        let measured = cells(&results, workload);
        let time_of = |column: &str| -> f64 {
            let at = columns.iter().position(|name| *name == column);
            measured[at.expect("there is such a column")]
                .parse()
                .expect("a time")
        };
        for (name, said) in said_of.iter().zip(cells(&readme, row)).skip(2) {
            let Some(column) = name.split("::").next().filter(|name| !name.is_empty()) else {
                continue;
            };
            let multiple = format!("{:.1} x", time_of(column) / time_of("limit"));
            assert!(
                said.starts_with(&multiple),
                "{row}: {name} is {multiple}, and not {said}"
            );
        }
    }
}
