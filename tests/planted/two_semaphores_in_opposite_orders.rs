//! Two tasks take a permit of each of two semaphores, in opposite orders.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::Semaphore;

use crate::support::task;

struct Host {
    disk: Semaphore,
    network: Semaphore,
}

impl Host {
    async fn upload(&self) {
        let _disk = self.disk.acquire().await;
        let _network = self.network.acquire().await;
    }

    async fn download(&self) {
        let _network = self.network.acquire().await;
        let _disk = self.disk.acquire().await;
    }

    async fn download_mended(&self) {
        let _disk = self.disk.acquire().await;
        let _network = self.network.acquire().await;
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let host = Arc::new(Host {
        disk: Semaphore::new(1),
        network: Semaphore::new(1),
    });
    run.name("disk", &host.disk);
    run.name("network", &host.network);
    task(run, "up", &host, |host| async move { host.upload().await });
    task(run, "down", &host, move |host| async move {
        if is_mended {
            host.download_mended().await;
        } else {
            host.download().await;
        }
    });
}
