//! The state that all tasks share: the guarded index.

use std::collections::HashMap;
use std::mem;

use async_monitor::{Guarded, Lock, synchronized};

/// The words of many files, and statistics about these files.
///
/// The two groups have a lock each, so that a task that takes in the words of a
/// long file keeps nobody from the statistics. Without the lock that guards it,
/// a field cannot be reached: that would not compile.
#[derive(Default, Guarded)]
pub struct Index {
    words: Lock,
    #[guarded_by(words)]
    entries: Guarded<HashMap<String, Entry>>,
    #[guarded_by(words)]
    occurrences: Guarded<u64>,

    pub stats: Lock,
    #[guarded_by(stats)]
    pub files: Guarded<u64>,
    #[guarded_by(stats)]
    pub bytes: Guarded<u64>,
    #[guarded_by(stats)]
    pub binary: Guarded<u64>,
    #[guarded_by(stats)]
    pub unreadable: Guarded<Vec<String>>,
}

/// What is known about a word.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Entry {
    pub occurrences: u64,
    pub files: u64,
}

/// What an index contains, without locks.
#[derive(Default)]
pub struct Totals {
    pub entries: HashMap<String, Entry>,
    pub occurrences: u64,
    /// The text files.
    pub files: u64,
    /// The length of the text files.
    pub bytes: u64,
    /// The files that are no text.
    pub binary: u64,
    /// What could not be read, and why.
    pub unreadable: Vec<String>,
}

impl Index {
    /// Takes in the words of one file, with how often each occurs.
    ///
    /// The lock is held from the first statement to the last: once per file, not
    /// once per word.
    #[synchronized(words)]
    pub async fn add_words(&self, counts: HashMap<String, u64>) {
        for (word, count) in counts {
            let entry = words.entries.entry(word).or_default();
            entry.occurrences += count;
            entry.files += 1;
            *words.occurrences += count;
        }
    }

    /// Notes that a text file of this length has been taken in.
    #[synchronized(stats)]
    pub async fn add_file(&self, bytes: u64) {
        *stats.files += 1;
        *stats.bytes += bytes;
    }

    /// How many files have been dealt with so far, in one way or another.
    #[synchronized(stats)]
    pub async fn files_done(&self) -> u64 {
        *stats.files + *stats.binary + stats.unreadable.len() as u64
    }

    /// Takes everything out of the index.
    ///
    /// Under both locks, so nothing can come in between. They are acquired in an
    /// order that is the same everywhere, whatever order is written here.
    #[synchronized(words, stats)]
    pub async fn take(&self) -> Totals {
        let mut unreadable = mem::take(stats.unreadable);
        unreadable.sort();
        Totals {
            entries: mem::take(words.entries),
            occurrences: mem::take(words.occurrences),
            files: mem::take(stats.files),
            bytes: mem::take(stats.bytes),
            binary: mem::take(stats.binary),
            unreadable,
        }
    }
}
