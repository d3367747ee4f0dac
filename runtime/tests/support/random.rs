//! Numbers that look random, for all random tests.
#![allow(dead_code, reason = "a test needs some of it")]

/// Splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
/// For the same seed, the same numbers.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0xA076_1D64_78BD_642F))
    }

    /// Runs a test with as many seeds, and says which one fails.
    pub(crate) fn seeds(seeds: u64, mut test: impl FnMut(&mut Random)) {
        struct Seed(u64);
        impl Drop for Seed {
            fn drop(&mut self) {
                if std::thread::panicking() {
                    eprintln!("random test: seed {}", self.0);
                }
            }
        }
        // Miri takes some ten thousand times as long.
        let seeds = if cfg!(miri) {
            seeds.div_ceil(20)
        } else {
            seeds
        };
        for seed in 1..=seeds {
            let seed = Seed(seed);
            test(&mut Random::new(seed.0));
        }
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed >> 32) as usize * bound) >> 32
    }

    /// True once in so many times.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of some values.
    pub(crate) fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// The index of one of `items`, if there are any.
    pub(crate) fn index<T>(&mut self, items: &[T]) -> Option<usize> {
        (!items.is_empty()).then(|| self.below(items.len()))
    }

    /// One of `items`, taken out.
    pub(crate) fn take<T>(&mut self, items: &mut Vec<T>) -> Option<T> {
        let index = self.index(items)?;
        Some(items.swap_remove(index))
    }
}
