//! The page about migration says how many lines of the example `chat` change.

/// How many lines are removed, and how many are added: all that are in no longest common
/// subsequence.
fn changed(old: &str, new: &str) -> (usize, usize) {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    // By the line of `old`: how many lines each start of `new` has in common with what is before.
    let mut common = vec![0; new.len() + 1];
    for line in &old {
        let before = common.clone();
        for (index, other) in new.iter().enumerate() {
            common[index + 1] = if line == other {
                before[index] + 1
            } else {
                before[index + 1].max(common[index])
            };
        }
    }
    let common = common[new.len()];
    (old.len() - common, new.len() - common)
}

#[test]
fn the_figures_are_those_of_the_example() {
    let page = include_str!("../runtime/src/guide/migration.md");
    let by_hand = include_str!("../examples/chat/by_hand.rs");
    let sections = include_str!("../examples/chat/sections.rs");
    let ours = include_str!("../examples/chat/ours.rs");
    for (step, old, new) in [
        ("`by_hand.rs` to `sections.rs`", by_hand, sections),
        ("`sections.rs` to `ours.rs`", sections, ours),
    ] {
        let (removed, added) = changed(old, new);
        let row = format!("| {step} | {removed} | {added} | {} |", new.lines().count());
        assert!(page.contains(&row), "the page should have: {row}");
    }
}

#[test]
fn lines_are_counted() {
    assert_eq!(changed("a\nb\nc", "a\nx\nc\nd"), (1, 2));
    assert_eq!(changed("", "a"), (0, 1));
    assert_eq!(changed("a\nb", "b\na"), (1, 1));
}
