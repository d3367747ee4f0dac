//! What `#[check]` is given, and what it stands on. (`async_monitor::check` is there with its
//! feature alone.)

#[async_monitor_macros::check(cancel = 0)]
async fn misspelled() {}

#[async_monitor_macros::check(cancels)]
async fn no_value() {}

#[async_monitor_macros::check]
fn not_async(sum: u64) -> u64 {
    sum
}

#[async_monitor_macros::check]
struct NoFn;

fn main() {
    // The items are there all the same.
    let _ = misspelled();
    let _ = no_value();
    let _: u64 = not_async(1);
    let _ = NoFn;
}
