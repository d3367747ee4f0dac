//! A flag is set, and cleared after an await at which the task is cancelled.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Guarded, sync, synchronized};

use crate::support::{a_moment, task};

#[derive(Guarded, Default)]
struct Printer {
    state: sync::Lock,
    #[guarded_by(state)]
    is_busy: Guarded<bool>,
}

/// Clears the flag, whatever happens.
struct Busy<'p>(&'p Printer);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.set_busy(false);
    }
}

impl Printer {
    #[synchronized(state)]
    fn set_busy(&self, is_busy: bool) {
        *state.is_busy = is_busy;
    }

    #[synchronized(state)]
    fn is_busy(&self) -> bool {
        *state.is_busy
    }

    async fn print(&self) {
        self.set_busy(true);
        a_moment().await;
        self.set_busy(false);
    }

    async fn print_mended(&self) {
        self.set_busy(true);
        let _busy = Busy(self);
        a_moment().await;
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let printer = Arc::new(Printer::default());
    task(run, "job", &printer, move |printer| async move {
        if is_mended {
            printer.print_mended().await;
        } else {
            printer.print().await;
        }
    });
    run.finally(move || assert!(!printer.is_busy(), "it is busy for ever"));
}
