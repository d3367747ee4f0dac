use async_monitor::{Mutex, with_lock};

async fn section(a: &Mutex<u8>, b: &Mutex<u8>) -> u8 {
    let sum: u8 = with_lock!(x = a, x = b, atomic, {
        if *x == 1 {
            return 3;
        }
        *x
    });
    sum
}

fn main() {}
