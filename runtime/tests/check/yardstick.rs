//! The cost of a check.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use async_monitor::Mutex;
use async_monitor::check::Check;

/// The processor time of this thread; zero where it is not available.
fn time_of_this_thread() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// One run for each class; with a cancel, less than a third of those begun are redundant.
#[test]
fn three_tasks_of_four_sections_over_two_locks() {
    for (cancels, classes) in [(0, 3_606), (1, 8_298)] {
        let begin = time_of_this_thread();
        let outcome = Check::new()
            .cancels(cancels)
            .run(|run| {
                let locks = Arc::new([Mutex::new(0), Mutex::new(0)]);
                for name in ["a", "b", "c"] {
                    let locks = Arc::clone(&locks);
                    run.spawn(name, async move {
                        for index in [0, 1, 0, 1] {
                            *locks[index].lock().await += 1;
                        }
                    });
                }
            })
            .unwrap();
        let time = time_of_this_thread() - begin;
        println!("{cancels} cancels: {outcome}; {time:?} of this thread");
        assert!(outcome.is_proof());
        assert_eq!(outcome.schedules(), classes);
        let begun = outcome.schedules() + outcome.redundant();
        assert!(outcome.redundant() * 3 < begun && (cancels > 0 || outcome.redundant() == 0));
    }
}
