//! The definitions of text files, texts and words.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str;

use walkdir::{DirEntry, WalkDir};

/// A NUL byte among so many first bytes shows that a file is no text.
pub const HEAD: usize = 8 * 1024;

/// So much of a file is in memory at a time, however long the file is.
const CHUNK: usize = 64 * 1024;

/// The longest word, in bytes. Longer runs are data rather than words, and
/// could be as long as the file.
pub const LONGEST_WORD: usize = 255;

/// All regular files below a directory. Links are not followed.
pub fn walk(dir: &Path) -> impl Iterator<Item = walkdir::Result<PathBuf>> {
    WalkDir::new(dir)
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_left_out(entry))
        .filter_map(|entry| match entry {
            Ok(entry) if entry.file_type().is_file() => Some(Ok(entry.into_path())),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
}

/// The inside of git, and what calls itself a cache (<https://bford.info/cachedir>),
/// such as the `target` of cargo.
fn is_left_out(entry: &DirEntry) -> bool {
    entry.file_type().is_dir()
        && (entry.file_name() == ".git" || entry.path().join("CACHEDIR.TAG").is_file())
}

/// What words are made of.
pub fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The words of one file.
pub struct Text {
    /// How often each word occurs.
    pub counts: HashMap<String, u64>,
    /// The length of the file.
    pub bytes: u64,
}

/// Counts the words of a file, chunk by chunk. `None`: it is no text.
pub fn read(path: &Path) -> io::Result<Option<Text>> {
    let mut file = File::open(path)?;
    let mut words = Words::default();
    let mut bytes = 0;
    let mut chunk = Vec::with_capacity(CHUNK);
    loop {
        // The chunk begins with what the last one has left: the first bytes of a
        // character that goes on here.
        let room = CHUNK - chunk.len();
        let read = file.by_ref().take(room as u64).read_to_end(&mut chunk)?;
        let is_last = read < room;
        if bytes == 0 && chunk.iter().take(HEAD).any(|&byte| byte == 0) {
            return Ok(None);
        }
        bytes += read as u64;

        let text = match str::from_utf8(&chunk) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() && !is_last => {
                let (whole, _cut) = chunk.split_at(error.valid_up_to());
                str::from_utf8(whole).expect("it is valid up to there")
            }
            Err(_) => return Ok(None),
        };
        words.add(text);
        let done = text.len();
        chunk.drain(..done);

        if is_last {
            words.end();
            let counts = words.counts;
            return Ok(Some(Text { counts, bytes }));
        }
    }
}

/// Counts words in a text that comes in pieces. A word may be cut anywhere: it
/// stays in `word` until its end has come.
#[derive(Default)]
struct Words {
    counts: HashMap<String, u64>,
    word: String,
}

impl Words {
    fn add(&mut self, text: &str) {
        for character in text.chars() {
            if is_word(character) {
                // A word that is too long already does not get longer.
                if self.word.len() <= LONGEST_WORD {
                    self.word.extend(character.to_lowercase());
                }
            } else if !self.word.is_empty() {
                self.end();
            }
        }
    }

    /// The word, if there is one, goes no further.
    fn end(&mut self) {
        if let Some(count) = self.counts.get_mut(&self.word) {
            *count += 1;
        } else if (1..=LONGEST_WORD).contains(&self.word.len()) {
            self.counts.insert(self.word.clone(), 1);
        }
        self.word.clear();
    }
}
