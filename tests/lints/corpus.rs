//! Code with warnings of the compiler and of clippy, each piece under an attribute of
//! async-monitor. The warnings must be the same without the attributes.

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

/// Sections whose bodies use what the lock binds: without the attributes, it is the
/// parameter itself.
pub mod bound {
    #[allow(unused_imports)]
    use super::synchronized;

    /// What the sections here hold, and what they bind.
    #[cfg(not(feature = "plain"))]
    pub type Number<'m> = &'m async_monitor::Mutex<u8>;
    /// What the sections here bind.
    #[cfg(feature = "plain")]
    pub type Number<'m> = &'m mut u8;

    /// A lock for sections that never suspend.
    #[cfg(not(feature = "plain"))]
    pub type Short<'m> = &'m async_monitor::sync::Mutex<u8>;
    /// What the sections here bind.
    #[cfg(feature = "plain")]
    pub type Short<'m> = &'m mut u8;

    /// Two locks.
    #[cfg(not(feature = "plain"))]
    pub type Numbers<'m> = &'m async_monitor::RwLock<u8>;
    /// Two bindings.
    #[cfg(feature = "plain")]
    pub type Numbers<'m> = &'m u8;

    /// Deserves nothing.
    #[synchronized(m)]
    pub async fn get(m: Number<'_>) -> u8 {
        *m
    }

    /// Deserves nothing.
    #[synchronized(read(m))]
    pub async fn read(m: Numbers<'_>) -> u8 {
        *m
    }

    /// Deserves nothing.
    #[synchronized(m, atomic)]
    pub async fn set(m: Number<'_>, value: u8) {
        *m = value;
    }

    /// Deserves nothing.
    #[synchronized(m, no_await)]
    pub async fn add(m: Number<'_>, value: u8) -> u8 {
        *m += value;
        *m
    }

    /// Deserves nothing.
    #[synchronized(m)]
    pub fn short(m: Short<'_>, value: u8) -> u8 {
        *m += u8::from(value > 3);
        *m
    }

    /// Deserves nothing.
    #[synchronized(m, n)]
    pub fn both_short(m: Short<'_>, n: Short<'_>) -> Option<u8> {
        core::mem::swap(m, n);
        m.checked_add(u8::from(*n > 1))
    }

    /// Deserves nothing.
    #[synchronized(m)]
    pub async fn short_in_a_task(m: Short<'_>) -> u8 {
        *m
    }

    /// Deserves nothing.
    #[synchronized(m, atomic)]
    pub async fn short_or_undo(m: Short<'_>, value: u8) -> Option<u8> {
        *m = m.checked_add(value)?;
        Some(*m)
    }

    /// Deserves nothing.
    #[synchronized(m, blocking)]
    pub fn park(m: Number<'_>, value: u8) -> u8 {
        *m += u8::from(value > 3);
        *m
    }

    /// Deserves nothing.
    #[synchronized(m, blocking, atomic)]
    pub fn park_or_undo(m: Number<'_>, value: u8) -> Option<u8> {
        *m = m.checked_add(value)?;
        Some(*m)
    }

    /// Deserves nothing.
    #[synchronized(m, when = *m > 0)]
    pub async fn take(m: Number<'_>) -> u8 {
        core::mem::take(m)
    }

    /// Deserves nothing.
    #[synchronized(m, n)]
    pub async fn both(m: Number<'_>, n: Number<'_>) -> u8 {
        core::mem::swap(m, n);
        *m
    }

    /// Deserves nothing.
    #[synchronized(m, n, atomic)]
    pub async fn both_or_none(m: Number<'_>, n: Number<'_>) -> u8 {
        core::mem::swap(m, n);
        *m
    }

    /// Deserves nothing: the expectation is met.
    #[synchronized(m)]
    pub async fn expected(m: Number<'_>, #[expect(unused_variables)] hint: u8) -> u8 {
        *m
    }

    /// Deserves nothing: the expectation is met.
    #[synchronized(m)]
    #[expect(clippy::too_many_arguments)]
    pub async fn many_expected(m: Number<'_>, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8) -> u8 {
        *m + a + b + c + d + e + f + g
    }

    /// An expectation that is not met.
    #[synchronized(m)]
    #[expect(unused_variables)]
    pub async fn expected_in_vain(m: Number<'_>) -> u8 {
        *m
    }

    /// Deserves nothing.
    #[synchronized(m)]
    #[allow(unused_variables)]
    pub async fn allowed(m: Number<'_>, hint: u8) -> u8 {
        *m
    }

    // Nobody calls it.
    #[synchronized(m)]
    async fn uncalled(m: Number<'_>) -> u8 {
        *m
    }

    #[synchronized(m)]
    pub async fn without_docs(m: Number<'_>) -> u8 {
        *m
    }

    /// Says nothing about its errors.
    #[synchronized(m)]
    pub async fn fails(m: Number<'_>) -> Result<u8, String> {
        if *m == 0 {
            return Err(String::new());
        }
        Ok(*m)
    }

    /// Says nothing about its panics.
    #[synchronized(m)]
    pub async fn panics(m: Number<'_>) -> u8 {
        assert!(*m > 0, "nothing there");
        m.checked_add(1).unwrap()
    }

    /// Takes too much.
    #[synchronized(m)]
    pub async fn many(m: Number<'_>, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8) -> u8 {
        *m + a + b + c + d + e + f + g
    }

    /// A parameter, a variable, a `mut`, a value and an assignment that nothing uses.
    #[synchronized(m)]
    pub async fn unused(m: Number<'_>, hint: u8) -> u8 {
        let twice = *m * 2;
        let mut same = *m;
        m.checked_add(1);
        let mut last = 3;
        last = 4;
        same
    }

    /// The same under every option.
    #[synchronized(m, atomic)]
    pub async fn unused_if_atomic(m: Number<'_>, hint: u8) -> u8 {
        let twice = *m * 2;
        let mut same = *m;
        same
    }

    /// The same under every option.
    #[synchronized(m, no_await)]
    pub async fn unused_without_await(m: Number<'_>, hint: u8) -> u8 {
        let twice = *m * 2;
        let mut same = *m;
        same
    }

    /// The same in a plain fn.
    #[synchronized(m)]
    pub fn unused_short(m: Short<'_>, hint: u8) -> u8 {
        let twice = u8::from(*m > 2);
        let mut same = *m;
        same
    }

    /// The same under every option.
    #[synchronized(m, blocking)]
    pub fn unused_parked(m: Number<'_>, hint: u8) -> u8 {
        let twice = u8::from(*m > 2);
        let mut same = *m;
        same
    }

    /// The same under every option.
    #[synchronized(m, when = *m > 0)]
    pub async fn unused_when(m: Number<'_>, hint: u8) -> u8 {
        let twice = *m * 2;
        let mut same = *m;
        same
    }

    /// Code that is not reached, and a `return` too many.
    #[synchronized(m)]
    pub async fn unreachable(m: Number<'_>) -> u8 {
        if *m == 0 {
            return 1;
            *m += 1;
        }
        return *m;
    }

    /// Braces and parentheses too many.
    #[synchronized(m)]
    pub async fn superfluous(m: Number<'_>) -> u8 {
        if (*m == 0) {
            return { 1 };
        }
        let n = { *m };
        (n)
    }

    /// A block in a body.
    #[synchronized(m)]
    pub async fn block(m: Number<'_>) -> u8 {
        { *m }
    }

    /// What clippy finds in bodies.
    #[synchronized(m)]
    pub async fn clumsy(m: Number<'_>) -> bool {
        let mut words = Vec::new();
        words.push(1);
        for index in 0..words.len() {
            *m += words[index];
        }
        if *m == 0 { true } else { false }
    }

    /// A name, a lifetime and a parameter that are not as they should be.
    #[synchronized(m)]
    pub async fn badName<'a>(m: Number<'_>, name: &'a str, WORD: &String, vec: Vec<u8>) -> usize {
        name.len() + WORD.len() + vec.len() + usize::from(*m)
    }

    /// Deprecated, and used.
    #[synchronized(m)]
    #[deprecated]
    pub async fn old(m: Number<'_>) -> u8 {
        *m
    }

    /// Uses what it should not, and leaves a value alone.
    #[synchronized(m)]
    pub async fn caller(m: Number<'_>, other: Number<'_>) -> u8 {
        must(*m);
        old(other).await
    }

    #[must_use]
    fn must(value: u8) -> u8 {
        value
    }

    /// An object.
    #[derive(Debug)]
    pub struct Object {
        /// A number.
        pub number: u8,
    }

    impl Object {
        /// Deserves nothing.
        #[synchronized(m = m)]
        pub async fn get(&self, m: Number<'_>) -> u8 {
            *m + self.number
        }

        // Neither of the two is called.
        #[synchronized(m = m)]
        async fn uncalled(&self, m: Number<'_>) -> u8 {
            *m + self.number
        }

        fn uncalled_either(&self) -> u8 {
            self.number
        }

        /// Is not named as it should be.
        #[synchronized(m = m)]
        pub async fn into_number(&self, m: Number<'_>) -> u8 {
            *m + self.number
        }

        /// No `is_empty`.
        #[synchronized(m = m)]
        pub async fn len(&self, m: Number<'_>) -> usize {
            usize::from(*m + self.number)
        }
    }
}

/// A derive and a monitor whose methods use what the lock binds.
pub mod object {
    #[allow(unused_imports)]
    use async_monitor::{Guarded, Lock, Mutex, RwLock, monitor, synchronized};

    /// What a body finds under the name of a lock, where no section binds it.
    #[cfg(feature = "plain")]
    #[allow(missing_copy_implementations, missing_debug_implementations, missing_docs, non_upper_case_globals, clippy::missing_docs_in_private_items)]
    pub mod bindings {
        pub struct Ledger {
            pub balance: &'static i64,
        }
        pub const ledger: Ledger = Ledger { balance: &0 };
    }
    #[cfg(feature = "plain")]
    use bindings::ledger;

    /// An account.
    #[derive(Guarded)]
    pub struct Account {
        /// A number that is not guarded.
        pub id: i64,
        /// The lock.
        pub ledger: Lock,
        /// What it guards.
        #[guarded_by(ledger)]
        pub balance: Guarded<i64>,
        #[lock(rw)]
        pub undocumented: RwLock<u8>,
        #[lock]
        pub inner: Mutex<u8>,
    }

    #[monitor]
    impl Account {
        /// Deserves nothing.
        #[synchronized(ledger)]
        pub async fn get(&self) -> i64 {
            *ledger.balance + self.id
        }

        /// Deserves nothing.
        #[synchronized(ledger, atomic)]
        pub async fn get_or_nothing(&self) -> i64 {
            *ledger.balance + self.id
        }

        /// Says nothing about its errors.
        #[synchronized(ledger)]
        pub async fn fails(&self) -> Result<i64, &'static str> {
            ledger.balance.checked_add(self.id).ok_or("too much")
        }

        #[synchronized(ledger)]
        pub async fn without_docs(&self) -> i64 {
            *ledger.balance + self.id
        }

        /// A parameter, a variable and a `mut` that nothing uses.
        #[synchronized(ledger)]
        pub async fn unused(&self, hint: u8) -> i64 {
            let twice = *ledger.balance * 2;
            let mut same = *ledger.balance + self.id;
            same
        }

        /// Deserves nothing: the expectation is met.
        #[synchronized(ledger)]
        pub async fn expected(&self, #[expect(unused_variables)] hint: u8) -> i64 {
            *ledger.balance + self.id
        }

        // Nobody calls it.
        #[synchronized(ledger)]
        async fn uncalled(&self) -> i64 {
            *ledger.balance + self.id
        }

        fn uncalled_either(&self) -> i64 {
            self.id
        }

        /// Takes too much.
        #[synchronized(ledger)]
        pub async fn many(&self, b: i64, c: i64, d: i64, e: i64, f: i64, g: i64, h: i64) -> i64 {
            *ledger.balance + self.id + b + c + d + e + f + g + h
        }

        /// Takes just enough.
        #[synchronized(ledger)]
        pub async fn enough(&self, b: i64, c: i64, d: i64, e: i64, f: i64, g: i64) -> i64 {
            *ledger.balance + self.id + b + c + d + e + f + g
        }

        /// Says nothing about its panics.
        #[synchronized(ledger)]
        pub async fn asserts(&self) -> i64 {
            assert!(*ledger.balance > 0, "nothing there");
            *ledger.balance + self.id
        }

        /// Says nothing about its panics.
        #[synchronized(ledger)]
        pub async fn unwraps(&self) -> i64 {
            ledger.balance.checked_add(self.id).unwrap()
        }

        /// Deserves nothing: it is the method of another type.
        #[synchronized(ledger)]
        pub async fn unwraps_something_else(&self, other: Other) -> i64 {
            other.unwrap();
            *ledger.balance + self.id
        }

        /// Says nothing about its panics.
        #[synchronized(ledger, atomic)]
        pub async fn panics_later(&self, amount: i64) -> Result<i64, &'static str> {
            super::step().await;
            if amount > self.id {
                panic!("later");
            }
            Ok(*ledger.balance)
        }

        /// Says when it panics.
        ///
        /// # Panics
        ///
        /// Always.
        #[synchronized(ledger)]
        pub async fn panics_as_it_says(&self) -> ! {
            panic!("always")
        }

        // Nobody calls it, and nobody need know when it panics.
        #[synchronized(ledger)]
        async fn uncalled_panics(&self) -> i64 {
            assert!(*ledger.balance > 0, "nothing there");
            *ledger.balance + self.id
        }

        /// Wraps its value, and uses nothing of the object.
        #[synchronized(ledger)]
        pub async fn wraps(&self, value: u8) -> Option<u8> {
            Some(value)
        }

        /// What is asked of parameters.
        #[synchronized(ledger)]
        pub async fn parameters(
            &self,
            name: String,
            names: &Vec<String>,
            boxed: Box<Vec<u8>>,
            byte: &u8,
            changed: &mut String,
        ) -> usize {
            name.len() + names.len() + boxed.len() + usize::from(*byte) + changed.len()
        }

        /// Many flags, a parameter that is not used, and parameters without a name.
        #[synchronized(ledger)]
        pub async fn flags(&self, a: bool, b: bool, c: bool, d: bool, _: u8, (e, _f): (u8, u8)) -> u8 {
            u8::from(a && b && c && d) + e
        }

        /// Generics that are not needed.
        #[synchronized(ledger)]
        pub async fn generics<'a, 'b, T, U: Clone>(&'a self, value: &'b u8, other: U) -> U {
            let _ = value;
            other
        }

        /// A type that is complex.
        #[synchronized(ledger)]
        pub async fn complex(&self) -> Option<Box<dyn Fn(Vec<Vec<Box<(u8, u16, Vec<u8>)>>>) -> Vec<Box<Vec<u8>>>>> {
            None
        }

        /// Must be used, which is said twice.
        #[synchronized(ledger)]
        #[must_use]
        pub async fn must(&self) -> Result<i64, u8> {
            Err(3)
        }

        /// Is inlined.
        #[synchronized(ledger)]
        #[inline(always)]
        pub async fn inlined(&self) -> i64 {
            self.id
        }

        /// A `return` that is not needed.
        #[synchronized(ledger)]
        pub async fn returns(&self) -> i64 {
            let id = self.id;
            return id;
        }

        /// Reads.
        #[synchronized(read(undocumented))]
        pub async fn reads(&self, by: Option<u8>) -> u8 {
            by.expect("a number")
        }
    }

    /// Has a method of a well-known name.
    #[derive(Debug)]
    pub struct Other;

    impl Other {
        /// Does nothing.
        pub const fn unwrap(&self) {}
    }
}
