//! A section over a lock of one thread calls a method that acquires it.

use async_monitor::{Guarded, local, synchronized};
use futures::executor::block_on;

#[derive(Guarded, Default)]
struct Window {
    layout: local::Lock,
    #[guarded_by(layout)]
    width: Guarded<u32>,
}

impl Window {
    #[synchronized(layout)]
    async fn resize(&self, width: u32) {
        *layout.width = width;
        self.redraw().await;
    }

    #[synchronized(layout)]
    async fn redraw(&self) {
        println!("{}", *layout.width);
    }
}

pub fn run() {
    block_on(Window::default().resize(80));
}
