//! Two sections take a permit of each of two semaphores, in opposite orders.

use async_monitor::{Semaphore, with_lock};

use crate::support::{a_moment, run_tasks};

struct Host {
    disk: Semaphore,
    network: Semaphore,
}

impl Host {
    async fn upload(&self) {
        with_lock!(self.disk, {
            a_moment().await;
            with_lock!(self.network, {
                a_moment().await;
            })
        })
    }

    async fn download(&self) {
        with_lock!(self.network, {
            a_moment().await;
            with_lock!(self.disk, {
                a_moment().await;
            })
        })
    }
}

pub fn run() {
    let host: &Host = Box::leak(Box::new(Host {
        disk: Semaphore::new(1),
        network: Semaphore::new(1),
    }));
    run_tasks([Box::pin(host.upload()), Box::pin(host.download())]);
}
