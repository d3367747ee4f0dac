use async_monitor::{Guarded, RwLock, with_lock};

use std::cell::Cell;

#[derive(Guarded)]
struct Cells {
    #[lock(rw)]
    lock: RwLock<()>,
    #[guarded_by(lock)]
    cell: Guarded<Cell<u8>>,
}

fn by_hand(cells: &Cells) {
    cells.read_lock_blocking();
}

async fn section(cells: &Cells) -> u8 {
    with_lock!(read(cells.lock), { lock.cell.get() })
}

fn main() {}
