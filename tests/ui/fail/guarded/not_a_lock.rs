use async_monitor::Guarded;

#[derive(Guarded)]
struct Account {
    #[lock]
    number: u8,
}

fn main() {}
