//! Bugs that a check finds, with their tables.

use std::sync::Arc;

use async_monitor::Mutex;
use async_monitor::check::Check;

#[test]
fn lost_update() {
    let failure = Check::new()
        .cancels(0)
        .run(|run| {
            let account = Arc::new(Mutex::new(0));
            run.name("account", &*account);
            for name in ["ada", "bob", "eve"] {
                let account = Arc::clone(&account);
                run.spawn(name, async move {
                    let seen = *account.lock().await;
                    *account.lock().await = seen + 10;
                });
            }
            run.finally(move || assert_eq!(*account.try_lock().unwrap(), 30, "an update was lost"));
        })
        .unwrap_err();
    println!("{failure}");
}
