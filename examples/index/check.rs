//! The same count on one thread: no tasks, no locks, and lines instead of chunks.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::str;

use crate::index::Totals;
use crate::text::{self, HEAD, LONGEST_WORD, Text};

/// Counts the words of all files below `dir`.
pub fn count(dir: &Path) -> Totals {
    let mut totals = Totals::default();
    for found in text::walk(dir) {
        match found.map_err(io::Error::from).and_then(|path| read(&path)) {
            Ok(Some(text)) => {
                for (word, count) in text.counts {
                    let entry = totals.entries.entry(word).or_default();
                    entry.occurrences += count;
                    entry.files += 1;
                    totals.occurrences += count;
                }
                totals.files += 1;
                totals.bytes += text.bytes;
            }
            Ok(None) => totals.binary += 1,
            Err(error) => totals.unreadable.push(error.to_string()),
        }
    }
    totals
}

/// Counts the words of a file line by line: no word and no character goes
/// beyond the end of a line.
fn read(path: &Path) -> io::Result<Option<Text>> {
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    file.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    if head.contains(&0) {
        return Ok(None);
    }

    let mut file = BufReader::new(head.as_slice().chain(file));
    let mut line = Vec::new();
    let mut counts = HashMap::new();
    let mut bytes = 0;
    while file.read_until(b'\n', &mut line)? > 0 {
        let Ok(text) = str::from_utf8(&line) else {
            return Ok(None);
        };
        for word in text.split(|character| !text::is_word(character)) {
            let word: String = word.chars().flat_map(char::to_lowercase).collect();
            if !word.is_empty() && word.len() <= LONGEST_WORD {
                *counts.entry(word).or_insert(0) += 1;
            }
        }
        bytes += line.len() as u64;
        line.clear();
    }
    Ok(Some(Text { counts, bytes }))
}

/// In what two counts of the same files differ.
pub fn differences(many: &Totals, one: &Totals) -> Vec<String> {
    let unreadable = |totals: &Totals| totals.unreadable.len() as u64;
    let mut differences: Vec<_> = [
        ("text files", many.files, one.files),
        ("bytes", many.bytes, one.bytes),
        ("binary files", many.binary, one.binary),
        ("unreadable", unreadable(many), unreadable(one)),
        ("words", many.occurrences, one.occurrences),
    ]
    .into_iter()
    .filter(|(_, many, one)| many != one)
    .map(|(what, many, one)| format!("{what}: {many} by many tasks, {one} by one thread"))
    .collect();

    let all: HashSet<_> = many.entries.keys().chain(one.entries.keys()).collect();
    let differ = |word: &&String| many.entries.get(*word) != one.entries.get(*word);
    let words: Vec<_> = all.into_iter().filter(differ).collect();
    if let Some(word) = words.iter().min() {
        differences.push(format!("{} different words, such as {word:?}", words.len()));
    }
    differences
}
