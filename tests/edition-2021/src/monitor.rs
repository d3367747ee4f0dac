//! `#[monitor]` under the same lints.

use async_monitor::{monitor, synchronized, with_lock, Guarded, Lock, Mutex, RwLock};

/// Words, and how often they were looked up.
#[derive(Debug, Default, Guarded)]
pub struct Words<'d, T> {
    /// Of the whole.
    pub name: &'d str,
    /// The lock of the words.
    pub list: Lock,
    #[guarded_by(list)]
    items: Guarded<Vec<T>>,
    #[lock(rw)]
    limits: RwLock<()>,
    #[guarded_by(limits)]
    longest: Guarded<usize>,
    log: Mutex<Vec<usize>>,
}

#[monitor]
#[allow(clippy::elidable_lifetime_names)] // the name is what is tested
impl<'d, T: Clone + PartialEq> Words<'d, T> {
    /// Adds a word.
    ///
    /// # Errors
    ///
    /// The word, if it is there.
    #[synchronized(list)]
    pub async fn add(&self, word: T) -> Result<usize, T> {
        if list.contains(&word).await {
            return Err(word);
        }
        list.items.push(word);
        Ok(list.items.len())
    }

    /// Adds those that are new. See [`Self::add`].
    #[synchronized(list)]
    pub async fn add_all(&self, words: impl IntoIterator<Item = T>) {
        for word in words {
            drop(list.add(word).await);
        }
    }

    /// Whether it is there.
    #[must_use]
    #[synchronized(list)]
    pub async fn contains(&self, word: &T) -> bool {
        list.items.contains(word)
    }

    /// The name, whatever the index.
    #[synchronized(list)]
    pub async fn name(&self, _index: usize) -> &str {
        list.items.truncate(Self::MANY);
        self.name
    }

    #[synchronized(list)]
    async fn private(&self, (a, mut b): (usize, usize), _: u8) -> Option<T> {
        b += a;
        list.items.get(b).cloned()
    }

    /// Always something.
    #[synchronized(list)]
    #[allow(clippy::too_many_arguments)]
    pub async fn many(&self, m1: u8, m2: u8, m3: u8, m4: u8, m5: u8, m6: u8, m7: u8, m8: u8) -> u8 {
        list.items.clear();
        [m1, m2, m3, m4, m5, m6, m7].iter().sum::<u8>() + m8
    }

    #[synchronized(list)]
    async fn seven(&self, m1: u8, m2: u8, m3: u8, m4: u8, m5: u8, m6: u8) -> Option<u8> {
        list.items.clear();
        Some(m1 + m2 + m3 + m4 + m5 + m6)
    }

    /// Called in its other form only.
    #[synchronized(list)]
    async fn helper(&self) {
        list.items.dedup();
    }

    /// How long the longest is.
    #[synchronized(read(limits))]
    pub async fn longest(&self) -> usize {
        *limits.longest
    }

    /// Changes how long the longest is.
    #[synchronized(write(limits))]
    pub async fn lengthen(&self, by: usize) -> usize {
        *limits.longest += by;
        limits.longest().await
    }

    /// Writes it down.
    #[synchronized(log)]
    pub async fn note(&self, entry: usize) {
        log.push(entry);
    }

    /// All of it.
    pub async fn everything(&self) -> Option<T> {
        let sum = self.seven(1, 1, 1, 1, 1, 1).await;
        self.note(sum.map_or(0, usize::from)).await;
        with_lock!(self.list, {
            list.helper().await;
            list.private((0, 0), 1).await
        })
    }
}

impl<T> Words<'_, T> {
    const MANY: usize = 1000;
}

#[cfg(test)]
mod tests {
    use super::Words;
    use futures::executor::block_on;

    #[test]
    fn the_macros_work() {
        let words = Words::default();
        block_on(async {
            words.add_all(["a", "b", "a"]).await;
            assert_eq!(words.add("b").await, Err("b"));
            assert_eq!(words.name(1).await, "");
            assert_eq!(words.many(1, 1, 1, 1, 1, 1, 1, 1).await, 8);
            assert_eq!(words.everything().await, None);
            assert_eq!(words.lengthen(3).await, 3);
        });
    }
}
