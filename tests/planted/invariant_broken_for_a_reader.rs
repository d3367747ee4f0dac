//! What is moved from one shelf to another is on neither for a moment.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Guarded, Lock, synchronized, with_lock};

use crate::support::task;

#[derive(Guarded)]
struct Store {
    front: Lock,
    #[guarded_by(front)]
    on_show: Guarded<u32>,
    back: Lock,
    #[guarded_by(back)]
    in_stock: Guarded<u32>,
}

impl Store {
    #[synchronized(back)]
    async fn fetch(&self) {
        *back.in_stock -= 1;
    }

    #[synchronized(front)]
    async fn show(&self) {
        *front.on_show += 1;
    }

    async fn restock(&self) {
        self.fetch().await;
        self.show().await;
    }

    #[synchronized(front, back)]
    async fn restock_mended(&self) {
        *back.in_stock -= 1;
        *front.on_show += 1;
    }

    async fn count(&self) -> u32 {
        with_lock!(f = self.front, b = self.back, { *f.on_show + *b.in_stock })
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let store = Arc::new(Store {
        front: Lock::new(),
        on_show: Guarded::new(1),
        back: Lock::new(),
        in_stock: Guarded::new(9),
    });
    task(run, "clerk", &store, move |store| async move {
        if is_mended {
            store.restock_mended().await;
        } else {
            store.restock().await;
        }
    });
    task(run, "auditor", &store, |store| async move {
        assert_eq!(store.count().await, 10, "something is missing");
    });
}
