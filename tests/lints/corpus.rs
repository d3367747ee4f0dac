//! Code that tools have something to say about, each piece under an attribute of
//! async-monitor. What is said must be the same where the attributes are left out.

#![warn(unused, clippy::all, clippy::pedantic, missing_docs)]
#![warn(missing_debug_implementations, single_use_lifetimes, unreachable_pub)]
#![warn(clippy::missing_const_for_fn, clippy::unused_self, clippy::unwrap_used)]
#![warn(elided_lifetimes_in_paths, unused_qualifications, unnameable_types)]

#[allow(unused_imports)]
use async_monitor::{Elapsed, Guarded, Lock, Mutex, monitor, synchronized};

/// A lock that is nowhere used without the attributes.
pub static LOCK: Mutex<u8> = Mutex::new(0);

/// Something to wait for.
pub async fn step() {
    core::future::ready(()).await;
}

#[synchronized(lock = LOCK)]
async fn never_called() {
    step().await;
}

fn neighbour_never_called() {}

/// Has methods that are never called.
#[derive(Debug)]
pub struct Private {
    /// A field.
    pub entries: Mutex<Vec<u8>>,
}

impl Private {
    /// Is called.
    #[synchronized(lock = self.entries)]
    pub async fn called(&self) -> usize {
        step().await;
        3
    }

    #[synchronized(lock = self.entries)]
    async fn never_called(&self) {
        step().await;
    }

    fn neighbour_never_called(&self) -> u8 {
        1
    }
}

#[synchronized(lock = LOCK)]
pub async fn without_docs(a: u8, bb: u8, cc: u8, d: u8, ee: u8, ff: u8, gg: u8, hh: u8) -> Result<u8, u8> {
    step().await;
    if a > 3 {
        panic!("{bb}{cc}{d}{ee}{ff}{gg}{hh}")
    }
    Ok(a)
}

/// Has locals and parameters that are not needed.
#[synchronized(lock = LOCK)]
pub async fn unused_locals(unused_parameter: u8, mut not_mutated: u8, (a, unused): (u8, u8)) -> u8 {
    let unused_local = 3;
    let mut not_mutated_either = 4;
    step().await;
    let sum = not_mutated + not_mutated_either + a;
    return sum;
}

/// Goes on behind a `return`.
#[synchronized(lock = LOCK)]
pub async fn unreachable(x: u8) -> u8 {
    step().await;
    if x > 3 {
        return 5;
        step().await;
    }
    let y = x;
    y
}

/// Ends behind a `return`.
#[synchronized(lock = LOCK)]
pub async fn unreachable_at_the_end(x: u8) -> u8 {
    step().await;
    return x;
    step().await;
}

/// Has an item behind a statement, and needless braces.
#[synchronized(lock = LOCK)]
pub async fn items_and_braces(x: u8) -> u8 {
    step().await;
    const C: u8 = 4;
    { x + C }
}

/// Has needless lifetimes and parentheses.
#[synchronized(lock = LOCK)]
pub async fn lifetimes<'a>(x: &'a u8) -> u8 {
    step().await;
    (*x)
}

/// Is one expression, on one line.
#[synchronized(lock = LOCK)]
pub async fn one_line(x: u8) -> u8 { x + 1 }

/// Begins with an item.
#[synchronized(lock = LOCK)]
pub async fn begins_with_an_item(x: u8) -> u8 {
    use core::cmp::max;
    const C: u8 = 4;
    step().await;
    max(x, C)
}

/// Ends in a call that may panic, behind an item.
#[synchronized(lock = LOCK)]
pub async fn ends_in_a_call(x: Option<u8>) -> u8 {
    step().await;
    const C: u8 = 4;
    u8::max(x.unwrap(), C)
}

/// Does nothing.
#[synchronized(lock = LOCK)]
pub async fn empty() {}

/// Never returns.
#[synchronized(lock = LOCK)]
pub async fn never() -> ! {
    step().await;
    panic!("always");
}

/// Is braces in braces.
#[synchronized(lock = LOCK)]
pub async fn braces(x: u8) -> u8 {
    {
        step().await;
        x
    }
}

/// Returns `()`, said aloud.
#[synchronized(lock = LOCK)]
pub async fn unit() -> () {
    step().await;
    ()
}

/// Wraps what needs no wrapping.
#[synchronized(lock = LOCK)]
pub async fn needless_question(x: Result<u8, u8>) -> Result<u8, u8> {
    step().await;
    Ok(x?)
}

/// Expects lints.
#[synchronized(lock = LOCK)]
#[expect(clippy::unused_unit)]
pub async fn expects(
    #[expect(unused_variables)] hint: u8,
    #[allow(unused_variables)] other: u8,
) -> () {
    step().await;
    #[expect(unused_variables)]
    let local = 3;
}

/// Expects a lint for nothing.
#[synchronized(lock = LOCK)]
#[expect(clippy::unused_unit)]
pub async fn expects_in_vain() {
    step().await;
}

/// Is all or nothing.
#[synchronized(lock = LOCK, atomic)]
pub async fn atomic(x: u8, unused: u8) -> Result<u8, u8> {
    let local = 3;
    step().await;
    if x > 3 {
        return Err(3);
    }
    Ok(x)
}

/// Does not suspend, but for the lock.
#[synchronized(lock = LOCK, no_await)]
pub async fn without_await(x: u8, unused: u8) -> Result<u8, u8> {
    let local = 3;
    if x > 3 {
        return Err(3);
    }
    Ok(x)
}

/// Does not wait for long.
#[synchronized(lock = LOCK, timeout = core::time::Duration::from_secs(3))]
pub async fn in_time(x: u8, unused: u8) -> Result<u8, Elapsed> {
    step().await;
    return Ok(x);
}

/// Waits for a condition.
#[synchronized(lock = LOCK, when = true)]
pub async fn conditional(x: u8, unused: u8) -> u8 {
    step().await;
    return x;
}

/// Has several branches.
#[synchronized(lock = LOCK)]
pub async fn branches(x: u8) -> &'static str {
    step().await;
    match x {
        0 => "nothing",
        1 if x % 2 == 3 => {
            step().await;
            "one"
        }
        _ => "many",
    }
}

/// Is implemented.
pub trait Runs {
    /// Runs.
    fn run(&self) -> impl Future<Output = u8>;
}

impl Runs for Private {
    #[synchronized(lock = LOCK)]
    async fn run(&self) -> u8 {
        let unused = 3;
        step().await;
        return 4;
    }
}

/// Is a monitor.
#[derive(Guarded)]
pub struct Account {
    /// Is plain.
    pub id: u64,
    /// Guards nothing that is looked at here.
    #[lock]
    pub ledger: Lock,
}

#[monitor]
impl Account {
    /// Is called from elsewhere.
    #[synchronized(ledger)]
    pub async fn deposit(&self, amount: u8, unused: u8) -> Result<u8, u8> {
        step().await;
        let local = 3;
        if amount > 3 {
            return Err(amount);
        }
        Ok(amount)
    }

    #[synchronized(ledger)]
    async fn never_called(&self) {
        step().await;
    }

    fn neighbour_never_called(&self) {}

    /// Has a parameter that is not needed, and says so.
    #[synchronized(ledger)]
    pub async fn expects(
        &self,
        #[expect(unused_variables)] hint: u8,
        #[expect(unused_variables)] other: u8,
        mut not_mutated: u8,
    ) -> u8 {
        step().await;
        other + not_mutated
    }
}

/// Makes a monitor.
macro_rules! monitor {
    ($name:ident) => {
        /// Is made by a macro.
        #[derive(Guarded)]
        pub struct $name {
            /// Guards nothing.
            #[lock]
            pub lock: Lock,
        }

        #[monitor]
        impl $name {
            /// Is called from elsewhere.
            #[synchronized(lock)]
            pub async fn public(&self) {
                self.calls().await;
            }

            async fn calls(&self) {
                step().await;
            }

            #[synchronized(lock)]
            async fn never_called(&self) {
                step().await;
            }
        }
    };
}

monitor!(Made);
