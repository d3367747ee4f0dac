//! Threads, real ones or shuttle's, and what they do at random.

use std::env;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

#[cfg(async_monitor_shuttle)]
use shuttle::{future::block_on, thread};
#[cfg(not(async_monitor_shuttle))]
use {futures::executor::block_on, std::thread};

use crate::Random;

/// Who is in the crowd, and how often each of them does something.
pub(crate) struct Member<'a> {
    /// A number, from 0 on.
    pub(crate) number: usize,
    pub(crate) turns: usize,
    pub(crate) random: &'a mut Random,
}

fn variable(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?.replace('_', "");
    Some(value.parse().expect("a number"))
}

/// Some threads share a value, and each of them takes its turns; afterwards
/// `check` examines the value.
///
/// Shuttle does that many times over, with a few turns each; real threads once,
/// with many.
pub(crate) fn crowd<T: Send + Sync + 'static>(
    members: usize,
    new: impl Fn() -> T + Send + Sync + 'static,
    act: impl Fn(&T, Member<'_>) + Send + Sync + Copy + 'static,
    check: impl Fn(&T) + Send + Sync + 'static,
) {
    let seed = variable("ASYNC_MONITOR_SEED").unwrap_or(1);
    let run = move |turns: usize, seed: u64| {
        let shared = Arc::new(new());
        let threads: Vec<_> = (0..members)
            .map(|number| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let seed = (seed << 8) + number as u64;
                    let random = &mut Random::new(seed);
                    let member = Member {
                        number,
                        turns,
                        random,
                    };
                    act(&shared, member);
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("the others have said why");
        }
        check(&shared);
    };

    #[cfg(not(async_monitor_shuttle))]
    {
        let steps = variable("ASYNC_MONITOR_STEPS").unwrap_or(40_000);
        run(steps as usize / members, seed);
    }
    #[cfg(async_monitor_shuttle)]
    {
        use shuttle::rand::{Rng, thread_rng};

        const TURNS: usize = 4;
        let _ = seed;
        let steps = variable("ASYNC_MONITOR_STEPS").unwrap_or(12_000) as usize;
        let runs = steps / (members * TURNS) / 2;
        let run = Arc::new(run);
        let again = Arc::clone(&run);
        shuttle::check_random(move || run(TURNS, thread_rng().r#gen()), runs);
        shuttle::check_pct(move || again(TURNS, thread_rng().r#gen()), runs, 3);
    }
}

/// Waits for a future, on this thread.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    block_on(future)
}

/// Waits for a future, on this thread, but perhaps gives up after a few polls.
/// `polled` is called after the first poll.
pub(crate) fn patiently<F: Future>(
    random: &mut Random,
    future: F,
    polled: impl FnOnce(),
) -> Option<F::Output> {
    let patience = match random.below(4) {
        0 => Some(random.below(3)),
        _ => None,
    };
    block_on(give_up(patience, future, polled))
}

async fn give_up<F: Future>(
    mut patience: Option<usize>,
    future: F,
    polled: impl FnOnce(),
) -> Option<F::Output> {
    /// A task of its own, with a waker that does nothing.
    struct Deaf;

    impl Wake for Deaf {
        fn wake(self: Arc<Self>) {}
    }

    let deaf = Waker::from(Arc::new(Deaf));
    let mut future = pin!(future);
    let mut polled = Some(polled);
    std::future::poll_fn(|cx| {
        // Where another poll is to come anyway, any waker does.
        let result = match patience {
            Some(left) if left % 2 == 1 => {
                let cx = &mut Context::from_waker(&deaf);
                future.as_mut().poll(cx)
            }
            _ => future.as_mut().poll(cx),
        };
        if let Some(polled) = polled.take() {
            polled();
        }
        if let Poll::Ready(output) = result {
            return Poll::Ready(Some(output));
        }
        match &mut patience {
            None => Poll::Pending,
            Some(0) => Poll::Ready(None),
            Some(left) => {
                *left -= 1;
                cx.waker().wake_by_ref();
                thread::yield_now();
                Poll::Pending
            }
        }
    })
    .await
}
