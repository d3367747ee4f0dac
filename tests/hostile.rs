//! Safe code that tries to access data without its lock, or under another lock: what
//! compiles must do no harm. Code that must not compile is in `tests/ui/fail/hostile`.

#![forbid(unsafe_code)]
// What is strange is the point.
#![allow(
    clippy::forget_non_drop,
    clippy::needless_arbitrary_self_type,
    clippy::needless_return
)]

#[path = "hostile/bodies.rs"]
mod bodies;
#[path = "hostile/macros.rs"]
mod macros;
#[path = "hostile/monitors.rs"]
mod monitors;
#[path = "hostile/names.rs"]
mod names;
#[path = "hostile/never.rs"]
mod never;
#[path = "hostile/sections.rs"]
mod sections;
#[path = "hostile/shared.rs"]
mod shared;
#[path = "hostile/sizes.rs"]
mod sizes;
