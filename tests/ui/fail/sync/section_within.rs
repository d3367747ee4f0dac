// In a plain fn, a section within parks the thread, too, which it has to say.
use async_monitor::{Mutex, sync, synchronized, with_lock};

struct Jobs {
    state: sync::Mutex<Vec<u32>>,
    other: sync::Mutex<Vec<u32>>,
    log: Mutex<Vec<u32>>,
}

impl Jobs {
    #[synchronized(state)]
    fn sync(&self) {
        with_lock!(self.other, {
            other.append(state);
        })
    }

    #[synchronized(state)]
    fn awaits(&self) -> usize {
        if state.is_empty() {
            return 0;
        }
        async_monitor::with_lock!(self.log, {
            log.push(1);
            log.len()
        })
    }

    #[synchronized(state, other.state)]
    fn parameter(&self, other: &Jobs) {}
}

fn main() {}
