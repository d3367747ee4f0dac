//! Users have constants, statics and unit structs with the names that expansions bind,
//! but for the underscores: a pattern of such a name is not a binding.

#![deny(warnings)]
#![allow(
    dead_code,
    non_camel_case_types,
    non_upper_case_globals,
    reason = "they are there for their names"
)]

use async_monitor::{AsyncLock, LockId, Mutex, MutexGuard};

/// A lock that can fail.
#[derive(Debug, Default)]
pub struct Remote(Mutex<u8>);

impl AsyncLock for Remote {
    type Guard<'a> = MutexGuard<'a, u8>;
    type Error = String;

    async fn acquire(&self) -> Result<Self::Guard<'_>, String> {
        Ok(self.0.lock().await)
    }

    fn try_acquire(&self) -> Option<Self::Guard<'_>> {
        self.0.try_lock()
    }

    fn id(&self) -> LockId {
        LockId::of(&self.0)
    }
}

/// All that the snapshots in `macros/snapshots` bind, which a test in
/// `macros/src/snapshots.rs` compares, and what the expansions have bound once.
macro_rules! names {
    ($items:ident) => {
        $items! {
            a Account_locks acquired arg0 arg1 arg2 asking at_once base base0 base1 base2 base3 branch Cache_locks
            check committed CONDITION core cx deposit_held derived DERIVED elapsed entry field
            formatter found future gate guard guard0 guard1 guard2 guard3 guards held inside
            lease lease0 lease1 limit limit_held lock lock0 lock1 lock2 lock3 look mode mutable NAME next object other
            outcome owner place plain R r#return released restorable restorable0
            restorable1 restorable2 returned rollback rollback0 rollback1 rollback2
            saved section Shared_locks site slot0 slot1 slot2 slot3 slowly_held snapshot
            snapshot0 snapshot1 snapshot2 this tied type0 type1 type2 type3 value view view0
            view1 view2 view3 waited waited0 waited1 waited2 waited3 waker
        }
    };
}

mod constants {
    macro_rules! constants {
        ($($name:ident)*) => {$( const $name: u8 = 0; )*};
    }
    names!(constants);
    include!("included/every_form.rs");
}

mod statics {
    macro_rules! statics {
        ($($name:ident)*) => {$( static $name: u8 = 0; )*};
    }
    names!(statics);
    include!("included/every_form.rs");
}

mod unit_structs {
    macro_rules! unit_structs {
        ($($name:ident)*) => {$( struct $name; )*};
    }
    names!(unit_structs);
    include!("included/every_form.rs");
}

mod const_parameters {
    use async_monitor::{Guarded, Lock, RwLock, monitor, synchronized};

    /// Has the names as parameters.
    #[derive(Debug, Guarded)]
    pub struct Account<
        T,
        const guard: usize,
        const formatter: usize,
        const released: usize,
        const look: usize,
        const cx: usize,
        const future: usize,
        const this: usize,
        const saved: usize,
    > {
        ledger: Lock,
        #[guarded_by(ledger)]
        balance: Guarded<T>,
        #[lock(rw)]
        config: RwLock<[u8; guard]>,
    }

    #[monitor]
    impl<
        T: Clone,
        const guard: usize,
        const formatter: usize,
        const released: usize,
        const look: usize,
        const cx: usize,
        const future: usize,
        const this: usize,
        const saved: usize,
    > Account<T, guard, formatter, released, look, cx, future, this, saved>
    {
        /// Exchanges.
        #[synchronized(ledger, atomic)]
        pub async fn exchange(&self, other: T) -> T {
            std::mem::replace(ledger.balance, other)
        }

        /// Reads.
        #[synchronized(read(config))]
        pub async fn first<const base0: usize, const value: usize>(&self) -> u8 {
            config.value[base0 + value]
        }
    }
}

fn main() {
    constants::main();
    statics::main();
    unit_structs::main();
}
