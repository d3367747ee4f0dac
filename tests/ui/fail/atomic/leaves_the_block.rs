use async_monitor::{Mutex, with_lock};

async fn returns(count: &Mutex<u8>) -> Result<u8, u8> {
    with_lock!(count, atomic, {
        *count += 1;
        if *count > 3 {
            return Ok(*count);
        }
    });
    Ok(0)
}

async fn breaks(count: &Mutex<u8>) {
    'outer: loop {
        with_lock!(count, atomic, {
            loop {
                if *count > 3 {
                    break;
                }
                *count += 1;
                break 'outer;
            }
            if *count > 4 {
                continue;
            }
        })
    }
}

fn main() {}
