//! What a check takes.

use std::sync::Arc;

use async_monitor::Mutex;
use async_monitor::check::Check;

#[test]
fn three_tasks_of_four_sections_over_two_locks() {
    for cancels in [0, 1] {
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
        println!("{cancels} cancels: {outcome}");
        assert!(outcome.is_proof());
    }
}
