//! Fields that are configured away, raw names, docs, names from macros.

#![deny(warnings)]

use async_monitor::{Guarded, Lock, Mutex, synchronized, with_lock};

/// An object.
#[derive(Guarded)]
pub struct Object {
    r#type: Lock,
    /// Documented.
    ///
    /// At length.
    #[guarded_by(r#type)]
    r#fn: Guarded<u8>,
    #[cfg(any())]
    #[guarded_by(missing)]
    configured: Nothing,
    #[cfg(all())]
    #[guarded_by(r#type)]
    #[doc = "Also documented."]
    kept: Guarded<u8>,
}

impl Object {
    #[synchronized(r#type)]
    pub async fn raw(&self) -> u8 {
        *r#type.r#fn += 1;
        *r#type.kept
    }

    #[allow(clippy::unused_unit)]
    #[cfg(all())]
    #[synchronized(t = self.r#type)]
    pub async fn named(&self) -> () {
        *t.r#fn += 1;
    }
}

macro_rules! object {
    ($name:ident { $lock:ident: $lock_ty:ty, $field:ident: $ty:ty }) => {
        #[derive(Guarded)]
        struct $name {
            $lock: $lock_ty,
            #[guarded_by($lock)]
            $field: Guarded<$ty>,
        }

        impl $name {
            #[synchronized($lock)]
            async fn get(&self) -> $ty {
                $lock.$field.clone()
            }
        }
    };
}

object!(FromMacro {
    lock: Lock,
    text: String
});

macro_rules! locked {
    ($lock:expr, $value:ident, $body:expr) => {
        with_lock!($value = $lock, { $body })
    };
}

static GLOBAL: Mutex<u8> = Mutex::new(0);

async fn by_macro() -> u8 {
    locked!(GLOBAL, value, {
        *value += 1;
        *value
    })
}

fn main() {
    let object = Object {
        r#type: Lock::new(),
        r#fn: Guarded::new(1),
        kept: Guarded::new(2),
    };
    drop((object.raw(), object.named(), by_macro()));
    let object = FromMacro {
        lock: Lock::new(),
        text: Guarded::new(String::new()),
    };
    drop(object.get());
}
