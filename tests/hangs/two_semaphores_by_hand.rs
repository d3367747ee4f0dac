//! Two tasks take a permit of each of two semaphores, by hand, in opposite orders.

use async_monitor::Semaphore;

use crate::support::{a_moment, run_tasks};

async fn upload(disk: &Semaphore, network: &Semaphore) {
    let _disk = disk.acquire().await;
    a_moment().await;
    let _network = network.acquire().await;
}

async fn download(disk: &Semaphore, network: &Semaphore) {
    let _network = network.acquire().await;
    a_moment().await;
    let _disk = disk.acquire().await;
}

pub fn run() {
    let [disk, network] = [1, 1].map(Semaphore::new).map(Box::new).map(Box::leak);
    let (disk, network): (&Semaphore, &Semaphore) = (disk, network);
    run_tasks([
        Box::pin(upload(disk, network)),
        Box::pin(download(disk, network)),
    ]);
}
