//! Expected panics are not printed.
//!
//! A check meets the same panic in many schedules, and prints it once, at the end. The panic hook
//! belongs to the process. It is replaced once, by a hook that checks whether its thread runs a
//! check, and otherwise calls the previous hook.

use core::cell::{Cell, RefCell};
use std::format;
use std::panic;
use std::string::String;
use std::sync::Once;
use std::thread_local;

use super::session::{Session, current};

thread_local! {
    static IS_QUIET: Cell<u32> = const { Cell::new(0) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// While it exists, no panic of this thread is printed, and the session is notified of panics.
pub(super) struct Quiet(());

impl Quiet {
    pub(super) fn new() -> Self {
        static HOOK: Once = Once::new();

        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(std::boxed::Box::new(move |info| {
                if IS_QUIET.try_with(Cell::get).unwrap_or(0) == 0 {
                    return before(info);
                }
                current(Session::on_panic);
                if let Some(location) = info.location() {
                    PLACE.set(Some(format!("{}:{}", location.file(), location.line())));
                }
            }));
        });
        IS_QUIET.set(IS_QUIET.get() + 1);
        PLACE.set(None);
        Quiet(())
    }

    pub(super) fn place_of(&self, message: String) -> String {
        place(message)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        IS_QUIET.set(IS_QUIET.get() - 1);
    }
}

/// A message, with the place of the last panic.
pub(super) fn place(message: String) -> String {
    match PLACE.take() {
        Some(place) => format!("{message} ({place})"),
        None => message,
    }
}
