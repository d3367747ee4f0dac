//! `#[monitor(plain)]`: methods of structs without a derive.

use async_monitor::{Mutex, RwLock, monitor, sync, synchronized};
use futures::executor::block_on;

#[derive(Debug, Default)]
struct State {
    jobs: Vec<String>,
    pushed: usize,
}

impl State {
    fn push(&mut self, job: &str) -> usize {
        self.jobs.push(job.to_owned());
        self.pushed += 1;
        self.pushed
    }

    fn len(&self) -> usize {
        self.jobs.len()
    }
}

#[derive(Debug, Default)]
struct Jobs {
    state: Mutex<State>,
    short: sync::Mutex<State>,
    table: RwLock<State>,
}

#[monitor(plain)]
impl Jobs {
    #[synchronized(state)]
    async fn push(&self, job: &str) -> usize {
        state.push(job)
    }

    /// A method of `State`, under the lock that is held: there is no held form of this
    /// struct's own `push`, whose name it has.
    #[synchronized(state)]
    async fn push_twice(&self, job: &str) -> (usize, usize) {
        (state.push(job), state.push(job))
    }

    #[synchronized(short)]
    fn push_short(&self, job: &str) -> usize {
        short.push(job)
    }

    #[synchronized(write(table))]
    async fn push_table(&self, job: &str) -> usize {
        table.push(job)
    }

    #[synchronized(read(table))]
    async fn table_len(&self) -> usize {
        table.len()
    }

    /// Other locks may be acquired, in one order.
    #[synchronized(state)]
    async fn push_to_all(&self, job: &str) -> [usize; 3] {
        let short = self.push_short(job);
        let table = self.push_table(job).await;
        [state.push(job), short, table]
    }
}

#[test]
fn sections_compose_by_methods_of_what_the_lock_has_inside() {
    let jobs = Jobs::default();
    assert_eq!(block_on(jobs.push("a")), 1);
    assert_eq!(block_on(jobs.push_twice("b")), (2, 3));
    assert_eq!(block_on(jobs.push_to_all("c")), [4, 1, 1]);
    assert_eq!(block_on(jobs.table_len()), 1);
}

/// The value is bound as a reference to itself, so that it can be given to a fn.
#[test]
fn a_section_binds_the_value() {
    struct Count(sync::Mutex<u32>);
    struct Counter {
        count: Count,
        number: sync::Mutex<u32>,
    }

    fn add(number: &mut u32) -> u32 {
        *number += 1;
        *number
    }

    #[monitor(plain)]
    impl Counter {
        #[synchronized(number)]
        fn add(&self) -> u32 {
            add(number)
        }

        /// The lock of another object is another lock.
        #[synchronized(number)]
        fn add_both(&self) -> u32 {
            *self.count.0.lock() += 1;
            add(number)
        }
    }

    let counter = Counter {
        count: Count(sync::Mutex::new(0)),
        number: sync::Mutex::new(0),
    };
    assert_eq!((counter.add(), counter.add_both()), (1, 2));
    assert_eq!(*counter.count.0.lock(), 1);
}
