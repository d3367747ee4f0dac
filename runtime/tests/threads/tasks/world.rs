//! The shared state of the crowd, and the counters of holders.

use std::cell::UnsafeCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex};

use async_monitor::{BoundedSemaphore, Lock, Mutex, RwLock, Semaphore};

use crate::random::Random;

/// How many permits a semaphore has.
pub(crate) const PERMITS: usize = 4;

/// How much money there is in a book, for those who wait for it with `when`.
pub(crate) const MONEY: usize = 4;

/// The guarded data: plain numbers, so that a write beside another access shows in
/// the counts at the end, and in a sanitizer.
#[derive(Debug)]
pub(crate) struct Book {
    first: usize,
    second: usize,
    pub(crate) balance: usize,
}

impl Book {
    const fn new() -> Self {
        Book {
            first: 0,
            second: 0,
            balance: MONEY,
        }
    }

    /// Writes, as the only holder.
    pub(crate) fn write(&mut self, inside: &Inside) {
        assert_eq!(self.first, self.second, "somebody else writes");
        self.first += 1;
        inside.written.fetch_add(1, Ordering::Relaxed);
        self.second += 1;
        assert_eq!(self.first, self.second, "somebody else writes");
    }

    /// Returns a value that nobody writes while somebody reads.
    pub(crate) fn read(&self) -> usize {
        assert_eq!(self.first, self.second, "somebody writes");
        self.first
    }
}

/// A book without a lock of its own, as `Lock` and the semaphores have no data.
pub(crate) struct Beside(UnsafeCell<Book>);

// SAFETY: whoever calls one of the methods holds what excludes the others. That is what
// is tested.
unsafe impl Sync for Beside {}

impl Beside {
    pub(crate) fn write(&self, inside: &Inside) {
        // SAFETY: as above.
        unsafe { (*self.0.get()).write(inside) }
    }

    pub(crate) fn read(&self) -> usize {
        // SAFETY: as above.
        unsafe { (*self.0.get()).read() }
    }
}

/// The mode of a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    Upgradable,
    Write,
    Permits(usize),
}

/// The holders of one primitive. (Relaxed, so that it does not provide ordering that the
/// primitive has to provide.)
#[derive(Debug, Default)]
pub(crate) struct Inside {
    readers: AtomicUsize,
    upgradable: AtomicUsize,
    writers: AtomicUsize,
    permits: AtomicUsize,
    written: AtomicUsize,
}

impl Inside {
    fn counter(&self, mode: Mode) -> (&AtomicUsize, usize) {
        match mode {
            Mode::Read => (&self.readers, 1),
            Mode::Upgradable => (&self.upgradable, 1),
            Mode::Write => (&self.writers, 1),
            Mode::Permits(permits) => (&self.permits, permits),
        }
    }

    fn enter(&self, mode: Mode) {
        let (counter, by) = self.counter(mode);
        let before = counter.fetch_add(by, Ordering::Relaxed);
        let most = match mode {
            Mode::Read => usize::MAX,
            Mode::Upgradable | Mode::Write => 1,
            Mode::Permits(_) => PERMITS,
        };
        assert!(before + by <= most, "{mode:?} is inside: {self:?}");
        let others = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        let excluded = match mode {
            Mode::Read | Mode::Upgradable => others(&self.writers),
            Mode::Write => others(&self.readers) + others(&self.upgradable),
            Mode::Permits(_) => 0,
        };
        assert_eq!(excluded, 0, "{mode:?} is inside: {self:?}");
    }

    fn leave(&self, mode: Mode) {
        let (counter, by) = self.counter(mode);
        let before = counter.fetch_sub(by, Ordering::Relaxed);
        assert!(before >= by, "{mode:?} leaves: {self:?}");
    }

    fn check(&self, written: usize) {
        for mode in [Mode::Read, Mode::Upgradable, Mode::Write, Mode::Permits(0)] {
            let left = self.counter(mode).0.load(Ordering::Relaxed);
            assert_eq!(left, 0, "{mode:?} has not left: {self:?}");
        }
        assert_eq!(
            self.written.load(Ordering::Relaxed),
            written,
            "a write is lost"
        );
    }
}

/// Counts a holder, from after the acquisition until before the release.
#[derive(Debug)]
pub(crate) struct Token<'w> {
    inside: &'w Inside,
    mode: Mode,
}

impl<'w> Token<'w> {
    pub(crate) fn enter(inside: &'w Inside, mode: Mode) -> Self {
        inside.enter(mode);
        Token { inside, mode }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// The guard was converted to another mode.
    pub(crate) fn change(&mut self, mode: Mode) {
        self.inside.leave(self.mode);
        // Should it fail, there is nothing to leave.
        self.mode = Mode::Permits(0);
        self.inside.enter(mode);
        self.mode = mode;
    }
}

impl Drop for Token<'_> {
    fn drop(&mut self) {
        self.inside.leave(self.mode);
    }
}

/// One of the primitives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Lock,
    Mutex,
    RwLock,
    Semaphore,
    Bounded,
}

impl Place {
    pub(crate) const ALL: [Place; 5] = [
        Place::Lock,
        Place::Mutex,
        Place::RwLock,
        Place::Semaphore,
        Place::Bounded,
    ];
}

/// Money that a task has taken out of the books and has to pay in again.
#[derive(Debug, Default)]
pub(crate) struct Purse {
    pub(crate) of_mutex: AtomicUsize,
    pub(crate) of_rwlock: AtomicUsize,
    /// How many sections of the owner hold their lock.
    pub(crate) sections: AtomicUsize,
}

impl Purse {
    pub(crate) fn owed(&self, place: Place) -> usize {
        match place {
            Place::Mutex => self.of_mutex.load(Ordering::Relaxed),
            Place::RwLock => self.of_rwlock.load(Ordering::Relaxed),
            _ => 0,
        }
    }
}

/// A section that is under way.
pub(crate) struct InSection<'w> {
    _token: Token<'w>,
    purse: Arc<Purse>,
}

impl<'w> InSection<'w> {
    /// The caller is in a section over one of the books.
    pub(crate) fn begin(inside: &'w Inside, mode: Mode, purse: &Arc<Purse>) -> Self {
        purse.sections.fetch_add(1, Ordering::Relaxed);
        InSection {
            _token: Token::enter(inside, mode),
            purse: Arc::clone(purse),
        }
    }
}

impl Drop for InSection<'_> {
    fn drop(&mut self) {
        self.purse.sections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The members of the crowd, and what they may do.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) seed: u64,
    pub(crate) workers: usize,
    pub(crate) tasks: usize,
    pub(crate) rounds: usize,
    pub(crate) outsiders: usize,
    pub(crate) turns: usize,
    /// The primitives in use.
    pub(crate) places: Vec<Place>,
    /// Nothing is held from one poll of a task to the next. Then all workers may park at
    /// once: nothing needs one of them to be released.
    pub(crate) prompt: bool,
    /// How many workers may park at a time.
    pub(crate) may_park: usize,
    /// How often a worker parks, once in so many times.
    pub(crate) parks: usize,
    /// Some wait to upgrade.
    pub(crate) upgrades: bool,
    /// A holder of a share keeps it until it gets another share, for which it waits; and
    /// a request for more than a share gives up soon.
    pub(crate) shares: bool,
    /// A thread that does nothing else drops what others throw away.
    pub(crate) janitor: bool,
}

impl Rules {
    pub(crate) fn place(&self, random: &mut Random) -> Place {
        random.of(&self.places)
    }
}

/// The shared state of the crowd.
pub(crate) struct World {
    pub(crate) rules: Rules,
    pub(crate) lock: Arc<Lock>,
    pub(crate) mutex: Arc<Mutex<Book>>,
    pub(crate) rwlock: Arc<RwLock<Book>>,
    pub(crate) semaphore: Arc<Semaphore>,
    pub(crate) bounded: Arc<BoundedSemaphore>,
    of_lock: Beside,
    of_semaphore: Beside,
    of_bounded: Beside,
    inside: [Inside; Place::ALL.len()],
    /// How often something has been acquired.
    pub(crate) served: AtomicUsize,
    /// How many workers are parked.
    parked: AtomicUsize,
    /// The primitives that threads wait for.
    pub(crate) waits: StdMutex<BTreeMap<String, String>>,
}

impl World {
    pub(crate) fn new(rules: Rules) -> Self {
        let beside = || Beside(UnsafeCell::new(Book::new()));
        World {
            rules,
            lock: Arc::default(),
            mutex: Arc::new(Mutex::new(Book::new())),
            rwlock: Arc::new(RwLock::new(Book::new())),
            semaphore: Arc::new(Semaphore::new(PERMITS)),
            bounded: Arc::new(BoundedSemaphore::new(PERMITS)),
            of_lock: beside(),
            of_semaphore: beside(),
            of_bounded: beside(),
            inside: Default::default(),
            served: AtomicUsize::new(0),
            parked: AtomicUsize::new(0),
            waits: StdMutex::default(),
        }
    }

    pub(crate) fn inside(&self, place: Place) -> &Inside {
        &self.inside[place as usize]
    }

    /// The book of a primitive without data.
    pub(crate) fn beside(&self, place: Place) -> &Beside {
        match place {
            Place::Lock => &self.of_lock,
            Place::Semaphore => &self.of_semaphore,
            Place::Bounded => &self.of_bounded,
            Place::Mutex | Place::RwLock => unreachable!("it has data"),
        }
    }

    pub(crate) fn served(&self) {
        self.served.fetch_add(1, Ordering::Relaxed);
    }

    /// Lets a worker park in `wait`, unless there are too many who do. `what` it waits for
    /// is said where it hangs.
    pub(crate) fn park<T>(&self, what: &dyn fmt::Debug, wait: impl FnOnce() -> T) -> Option<T> {
        let most = self.rules.may_park;
        self.parked
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| {
                (now < most).then_some(now + 1)
            })
            .ok()?;
        let result = self.waiting(what, wait);
        self.parked.fetch_sub(1, Ordering::SeqCst);
        Some(result)
    }

    /// Waits on a thread, and says for what.
    pub(crate) fn waiting<T>(&self, what: &dyn fmt::Debug, wait: impl FnOnce() -> T) -> T {
        let who = std::thread::current().name().unwrap_or("?").to_owned();
        let waits = || self.waits.lock().expect("nobody panics with it");
        waits().insert(who.clone(), format!("{what:?}"));
        let result = wait();
        waits().remove(&who);
        result
    }

    /// Everything is as in the beginning.
    pub(crate) fn check(mut self) {
        let debug = format!("{self:?}");
        assert_eq!(debug.matches("waiters: 0").count(), 5, "{debug}");
        assert_eq!(self.semaphore.available_permits(), PERMITS, "{debug}");
        assert_eq!(self.bounded.available_permits(), PERMITS, "{debug}");
        assert!(self.bounded.release(1).is_err(), "{debug}");
        assert!(self.lock.try_acquire().is_some(), "{debug}");
        assert!(self.mutex.try_lock().is_some(), "{debug}");
        assert!(self.rwlock.try_write().is_some(), "{debug}");
        assert!(
            self.semaphore.try_acquire_many(PERMITS).is_some(),
            "{debug}"
        );
        assert!(self.bounded.try_acquire_many(PERMITS).is_some(), "{debug}");

        let alone = "nobody keeps a primitive";
        Arc::get_mut(&mut self.lock).expect(alone);
        Arc::get_mut(&mut self.semaphore).expect(alone);
        Arc::get_mut(&mut self.bounded).expect(alone);
        let of_mutex = Arc::get_mut(&mut self.mutex).expect(alone).get_mut();
        let of_rwlock = Arc::get_mut(&mut self.rwlock).expect(alone).get_mut();
        assert_eq!((of_mutex.balance, of_rwlock.balance), (MONEY, MONEY));
        let books = [
            self.of_lock.0.get_mut(),
            of_mutex,
            of_rwlock,
            self.of_semaphore.0.get_mut(),
            self.of_bounded.0.get_mut(),
        ];
        for (book, inside) in books.into_iter().zip(&self.inside) {
            inside.check(book.read());
        }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}", self.lock)?;
        writeln!(f, "{:?}", self.mutex)?;
        writeln!(f, "{:?}", self.rwlock)?;
        writeln!(f, "{:?}", self.semaphore)?;
        writeln!(f, "{:?}", self.bounded)?;
        for (place, inside) in Place::ALL.iter().zip(&self.inside) {
            writeln!(f, "{place:?}: {inside:?}")?;
        }
        Ok(())
    }
}
