//! Tokio or smol. Nothing else in this example, and nothing in the library,
//! knows which of them runs the tasks.

use std::fmt;
use std::future;
use std::io;
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use futures::future::BoxFuture;

#[derive(Clone, Copy, ValueEnum)]
pub enum Executor {
    Tokio,
    Smol,
}

/// `smol::spawn` would use one thread; this executor has as many as run it.
static SMOL: smol::Executor<'static> = smol::Executor::new();

impl Executor {
    /// Runs a future, and all that it spawns, on as many threads as there are
    /// cores.
    pub fn run<F: Future>(self, main: F) -> io::Result<F::Output> {
        match self {
            Executor::Tokio => Ok(tokio::runtime::Runtime::new()?.block_on(main)),
            Executor::Smol => {
                for _ in 0..thread::available_parallelism()?.get() {
                    let run = || smol::block_on(SMOL.run(future::pending::<()>()));
                    thread::Builder::new().spawn(run)?;
                }
                Ok(smol::block_on(main))
            }
        }
    }

    /// Starts a task. What is returned waits for its end; a panic of the task is
    /// passed on.
    pub fn spawn<T: Send + 'static>(
        self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> BoxFuture<'static, T> {
        match self {
            Executor::Tokio => {
                let handle = tokio::spawn(task);
                Box::pin(async { handle.await.expect("a task panicked") })
            }
            Executor::Smol => Box::pin(SMOL.spawn(task)),
        }
    }

    /// Runs code that blocks on a thread where that disturbs nobody.
    pub async fn unblock<T: Send + 'static>(self, code: impl FnOnce() -> T + Send + 'static) -> T {
        match self {
            Executor::Tokio => {
                let handle = tokio::task::spawn_blocking(code);
                handle.await.expect("a task panicked")
            }
            Executor::Smol => smol::unblock(code).await,
        }
    }

    pub async fn sleep(self, time: Duration) {
        match self {
            Executor::Tokio => tokio::time::sleep(time).await,
            Executor::Smol => {
                smol::Timer::after(time).await;
            }
        }
    }
}

impl fmt::Display for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Executor::Tokio => "tokio",
            Executor::Smol => "smol",
        })
    }
}
