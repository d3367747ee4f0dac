//! Names that are keywords, and methods that are called as those of the derive, but for what
//! follows, which is no field.

#![deny(warnings)]

use async_monitor::{Guarded, Lock, Mutex, monitor, synchronized, with_lock};

static SUPER: Mutex<u8> = Mutex::new(1);

#[derive(Guarded)]
#[guarded(new)]
struct Object {
    r#type: Lock,
    #[guarded_by(r#type)]
    r#fn: Guarded<u8>,
    r#mod: u8,
}

#[monitor]
impl Object {
    #[synchronized(r#type)]
    async fn sum(&self, r#in @ _: u8, ref r#ref: u8) -> u8 {
        let others = self.read_1().await + self.read_1e().await;
        let others = others + self.acquire_self().await + self.write_super().await;
        r#type.add(r#in, *r#ref).await + others + self.r#mod
    }

    #[synchronized(r#type)]
    async fn add(&self, r#in @ _: u8, ref r#ref: u8) -> u8 {
        *r#type.r#fn += r#in + *r#ref;
        *r#type.r#fn
    }

    async fn read_1(&self) -> u8 {
        1
    }

    async fn read_1e(&self) -> u8 {
        1
    }

    async fn acquire_self(&self) -> u8 {
        1
    }

    async fn write_super(&self) -> u8 {
        with_lock!(one = SUPER, { *one })
    }
}

fn main() {
    let object = Object::new(1, 1);
    let sum = futures::executor::block_on(object.sum(1, 1));
    assert_eq!(sum, 3 + 4 + 1);
}
