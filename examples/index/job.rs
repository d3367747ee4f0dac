//! The tasks: one thread walks the tree and fills a bounded queue, many tasks empty it, and one
//! task shows the progress.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_monitor::{Barrier, Event, Semaphore, with_lock};
use futures::future::{join_all, select};
use futures::join;
use indicatif::ProgressBar;

use crate::executor::Executor;
use crate::index::{Index, Totals};
use crate::queue::Queue;
use crate::text;

/// How many paths wait in the queue at most.
const QUEUE: usize = 256;

/// How many files are open at a time, however many tasks there are.
const OPEN_FILES: usize = 16;

/// How often the progress bar is drawn.
const TICK: Duration = Duration::from_millis(100);

struct Job {
    executor: Executor,
    index: Index,
    queue: Queue<PathBuf>,
    open_files: Semaphore,
    /// Crossed when all workers are there: then the clock starts.
    start: Barrier,
    /// Set when all workers have left.
    finished: Event,
}

/// Counts the words below `dir`; says what there is and how long it took.
pub async fn run(
    executor: Executor,
    workers: usize,
    dir: PathBuf,
    bar: ProgressBar,
) -> (Totals, Duration) {
    let job = Arc::new(Job {
        executor,
        index: Index::default(),
        queue: Queue::new(QUEUE),
        open_files: Semaphore::new(OPEN_FILES),
        start: Barrier::new(workers + 1),
        finished: Event::new(),
    });

    let workers: Vec<_> = (0..workers)
        .map(|_| executor.spawn(Arc::clone(&job).work()))
        .collect();
    job.start.wait().await.expect("nobody aborts the barrier");
    let clock = Instant::now();

    let walk = executor.unblock({
        let (job, dir) = (Arc::clone(&job), dir.clone());
        move || job.feed(&dir)
    });
    let work = async {
        join!(walk, join_all(workers));
        job.finished.set();
    };
    join!(work, job.show_progress(bar, dir));
    (job.index.take().await, clock.elapsed())
}

impl Job {
    /// Puts all files below `dir` into the queue. This part blocks, and runs on
    /// a thread of its own.
    fn feed(&self, dir: &Path) {
        for found in text::walk(dir) {
            match found {
                Ok(path) => self.queue.push_blocking(path),
                Err(error) => {
                    let mut stats = self.index.acquire_stats_blocking();
                    stats.fields().unreadable.push(error.to_string());
                }
            }
        }
        self.queue.close();
    }

    /// Counts file after file, until the queue has no more.
    async fn work(self: Arc<Self>) {
        self.start.wait().await.expect("nobody aborts the barrier");
        while let Some(path) = self.queue.pop().await {
            let open = self.open_files.acquire().await;
            // The file is counted apart from the index, without any lock ...
            let (path, text) = self
                .executor
                .unblock(move || {
                    let text = text::read(&path);
                    (path, text)
                })
                .await;
            open.release();

            // ... and then added to it at one go.
            match text {
                Ok(Some(text)) => {
                    self.index.add_words(text.counts).await;
                    self.index.add_file(text.bytes).await;
                }
                Ok(None) => with_lock!(self.index.stats, { *stats.binary += 1 }),
                Err(error) => with_lock!(self.index.stats, {
                    stats
                        .unreadable
                        .push(format!("{}: {error}", path.display()));
                }),
            }
        }
    }

    /// Draws the bar until the work is finished.
    async fn show_progress(&self, bar: ProgressBar, dir: PathBuf) {
        if bar.is_hidden() {
            return;
        }
        // The queue is bounded, so the walk that fills it is never far ahead of
        // the workers: a walk of its own finds out how much there is to do.
        let census = self.executor.unblock({
            let bar = bar.clone();
            move || bar.set_length(text::walk(&dir).count() as u64)
        });
        let draw = async {
            while !self.finished.is_set() {
                bar.set_position(self.index.files_done().await);
                select(pin!(self.finished.wait()), pin!(self.executor.sleep(TICK))).await;
            }
        };
        join!(census, draw);
        bar.finish_and_clear();
    }
}
