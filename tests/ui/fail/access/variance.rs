use async_monitor::{Guarded, Lock};

#[derive(Guarded)]
struct Slot<T> {
    lock: Lock,
    #[guarded_by(lock)]
    item: Guarded<T>,
}

fn shortened<'g, 's>(guard: SlotLockGuard<'g, &'static str>) -> SlotLockGuard<'g, &'s str> {
    guard
}

fn held<'g, 's>(held: SlotLockHeld<'g, &'static str>) -> SlotLockHeld<'g, &'s str> {
    held
}

fn main() {}
