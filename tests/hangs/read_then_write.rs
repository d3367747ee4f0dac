//! A section that reads calls a method that writes.

use async_monitor::{Guarded, RwLock, synchronized};
use futures::executor::block_on;

#[derive(Guarded, Default)]
struct Settings {
    #[lock(rw)]
    map: RwLock<()>,
    #[guarded_by(map)]
    colour: Guarded<Option<String>>,
}

impl Settings {
    #[synchronized(read(map))]
    async fn colour(&self) -> String {
        match map.colour {
            Some(colour) => colour.clone(),
            None => self.set_colour("green").await,
        }
    }

    #[synchronized(map)]
    async fn set_colour(&self, colour: &str) -> String {
        map.colour.insert(colour.to_owned()).clone()
    }
}

pub fn run() {
    println!("{}", block_on(Settings::default().colour()));
}
