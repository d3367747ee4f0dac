use async_monitor::synchronized;

struct Plain {
    number: u8,
    std: std::sync::Mutex<u8>,
}

impl Plain {
    #[synchronized(number)]
    async fn number(&self) {}

    #[synchronized(std)]
    async fn std(&self) {}

    #[synchronized(read(number))]
    async fn read(&self) {}

    #[synchronized(l = parameter)]
    async fn parameter(&self, parameter: &u8) {
        let _ = l;
    }
}

fn main() {}
