use async_monitor::{Guarded, Lock};

mod other {
    pub struct Guarded<T>(pub std::cell::UnsafeCell<T>, pub Inner<T>);
    pub type Inner<T> = std::sync::Arc<async_monitor::Guarded<T>>;

    impl<T> std::ops::Deref for Guarded<T> {
        type Target = async_monitor::Guarded<T>;

        fn deref(&self) -> &async_monitor::Guarded<T> {
            &self.1
        }
    }
}

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: other::Guarded<i64>,
}

fn main() {}
