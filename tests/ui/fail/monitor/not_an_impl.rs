use async_monitor::{Guarded, Lock, monitor};

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

#[monitor]
pub struct Other;

#[monitor]
pub enum Enum {}

#[monitor]
async fn function() {}

#[monitor]
pub trait Trait {
    fn method(&self);
}

#[monitor]
impl Trait for Account {
    fn method(&self) {}
}

#[monitor]
impl Trait for (Account, Other) {
    fn method(&self) {}
}

#[monitor]
impl dyn Trait {}

#[monitor]
mod module {}

pub async fn everything_is_there(account: &Account, _: Other, _: Enum) {
    account.method();
    function().await;
}

fn main() {}
