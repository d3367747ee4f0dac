// `#[guarded(..)]` on the struct, with mistakes.
use async_monitor::{Guarded, Lock};

struct Opaque;

#[derive(Guarded)]
#[guarded(debgu, new = 3, snapshot)]
#[guarded(new)]
#[guarded(new, serialize)]
struct Misspelled {
    state: Lock,
    #[guarded_by(state)]
    number: Guarded<u64>,
}

#[derive(Guarded)]
#[guarded]
struct Empty {
    #[guarded(new)]
    state: Lock,
    #[guarded_by(state)]
    number: Guarded<u64>,
}

#[derive(Guarded)]
#[guarded(debug, snapshot(Debug))]
struct Missing {
    plain: Opaque,
    state: Lock,
    #[guarded_by(state)]
    opaque: Guarded<Opaque>,
}

#[derive(Guarded)]
#[guarded(new)]
struct Twice {
    state: Lock,
    #[guarded_by(state)]
    number: Guarded<u64>,
}

impl Twice {
    fn new() -> Self {
        Twice::new(1)
    }
}

fn main() {}
