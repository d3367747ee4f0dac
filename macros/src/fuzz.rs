//! Inputs that are wrong in random ways: whatever a user writes, a macro neither
//! panics nor keeps its complaints to itself, each complaint has a place, and no
//! expansion binds a name that an item of the user's could have.
//!
//! Valid inputs are mutated token by token, several times over. A failure prints
//! the seed of its input, and the input:
//!
//! ```text
//! FUZZ_SEED=1234 cargo test -p async-monitor-macros --lib fuzz
//! ```
//!
//! tries that one again, and `FUZZ_INPUTS=1000000` tries more than the few that
//! guard every change.

use std::panic::{self, AssertUnwindSafe};
use std::{env, iter};

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

use crate::bindings::unreserved;
use crate::forms::with_all_forms;
use crate::random::Random;
use crate::{check, guarded, monitor, section};

/// How many inputs are tried where `FUZZ_INPUTS` does not say it.
const INPUTS: u64 = 20_000;

/// A macro, and what it is given: for an attribute, its arguments and the item
/// are two groups in parentheses.
#[derive(Clone, Copy, Debug)]
enum Macro {
    Derive,
    Synchronized,
    WithLock,
    Monitor,
    Holding,
    Check,
}

impl Macro {
    fn expand(self, input: TokenStream) -> TokenStream {
        match self {
            Macro::Derive => guarded::derive(input),
            Macro::WithLock => section::with_lock(input),
            Macro::Synchronized => {
                let (arguments, item) = two(input);
                section::synchronized(arguments, item)
            }
            Macro::Monitor => {
                let (arguments, item) = two(input);
                monitor::monitor(arguments, item)
            }
            Macro::Holding => {
                let (arguments, item) = two(input);
                monitor::holding(&arguments, &item)
            }
            Macro::Check => {
                let (arguments, item) = two(input);
                check::check(arguments, item)
            }
        }
    }
}

/// The contents of two groups, or nothing where they are missing by now.
fn two(input: TokenStream) -> (TokenStream, TokenStream) {
    let mut groups = input.into_iter().map(|token| match token {
        TokenTree::Group(group) => group.stream(),
        other => other.into(),
    });
    let first = groups.next().unwrap_or_default();
    (first, groups.collect())
}

const SEEDS: &[(Macro, &str)] = &[
    (
        Macro::Derive,
        "pub struct Account { pub id: u64, ledger: Lock, #[guarded_by(ledger)] balance: \
         Guarded<i64>, /** docs */ #[guarded_by(ledger)] history: Guarded<Vec<i64>> }",
    ),
    (
        Macro::Derive,
        "#[guarded(crate = ::monitor)] pub(crate) struct Cache<'d, K: Hash + 'd, T: ?Sized = u8, \
         const N: usize = 3> where K: Eq, Self: Sized { #[lock(rw)] table: \
         async_monitor::RwLock<()>, #[guarded_by(table)] entries: Guarded<HashMap<K, [&'d u8; \
         N]>>, #[lock] r#type: Arc<Mutex<Vec<Self>>>, #[cfg(test)] rest: Guarded<T> }",
    ),
    (
        Macro::Derive,
        "#[guarded(new, debug, snapshot(Clone))] struct Shop { #[lock(sync)] till: sync::Lock, \
         #[guarded_by(till)] r#in: Guarded<u8>, r#fn: sync::RwLock<()>, #[guarded_by(r#fn)] \
         r#ref: Guarded<Box<[u8]>> }",
    ),
    // Half typed.
    (
        Macro::Derive,
        "struct Account { own, ledger: Lock, #[guarded_by(ledger)] balance: Guarded<i64>, pub, \
         history: Guarded<Vec< }",
    ),
    (
        Macro::Derive,
        "struct Pair(Lock, #[guarded_by(0)] Guarded<u8>);",
    ),
    (
        Macro::Derive,
        "enum State { On { #[lock] lock: Lock }, Off(u8) }",
    ),
    (
        Macro::Synchronized,
        "(ledger, when = *ledger.balance >= amount, timeout = self.patience) (pub async fn \
         withdraw(&self, amount: i64) -> Result<i64, Elapsed> { *ledger.balance -= amount; if x { \
         return Ok(3); } Ok(self.f().await?) })",
    ),
    (
        Macro::Synchronized,
        "(a = read(self.inner.state)?, g = GLOBAL, write(b), atomic, no_await, crate = ::m) \
         (#[must_use] async fn f<'a, T: Into<U>, U>(self: &'a Arc<Self>, (x, mut y): (u8, u8), \
         it: impl Iterator<Item = T>) -> impl Iterator<Item = U> + use<'a, T, U> where U: Clone { \
         #![allow(unused)] m!(x => y.await); with_lock!(q, { 1 }); it })",
    ),
    (
        Macro::Synchronized,
        "(s = pick(key)) (fn f<'life0>(&'life0 self) -> Pin<Box<dyn Future<Output = u8> + Send + \
         'life0>> { Box::pin(async move { if let Some(__ret) = None::<u8> { return __ret; } let \
         __self = self; let __ret: u8 = { __self.g(); 3 }; __ret }) })",
    ),
    (
        Macro::Synchronized,
        "(self.a.b, read(c), blocking, timeout = t, atomic) (fn f(&mut self, x: u8) -> \
         Option<u8> { b.push(x); self.d.f()?; Some(x) })",
    ),
    // Operands of an `.await`, in macros and out of them.
    (
        Macro::Synchronized,
        "(ledger, log?) (async fn f(&self) -> u8 { assert_eq!(self.a().await, b.await, \"{}\", \
         with_lock!(self.c, { d.await })); let v = vec![f(x)?.await; 3]; dbg!(a.await); let y = \
         -db.raw(x).y[0]?.g().await; if matches!(y.await, A | B if c.await) { return !(x).y.await } \
         unsafe { f() }.await; <T as U>::f::<T>(x).await; async move { z.await }.await; \
         'a: { break 'a ..(x)?.await } async fn g() -> Bytes<{ N }> { h.await } m!(x).await })",
    ),
    // Half typed.
    (
        Macro::Synchronized,
        "(ledger, \"log\", when = *ledger.balance >=) (pub async fn withdraw(&self, amount: i64) \
         -> { log.push(SELF.await.); ledger. })",
    ),
    (Macro::Synchronized, "() (struct S { a: u8 })"),
    (
        Macro::Monitor,
        "() (impl<'d, T: Clone> bank::Account<'d, T> where T: Send { #[synchronized(ledger)] pub \
         async fn deposit(&self, amount: i64) -> &str { *ledger.balance += amount; self.name() } \
         #[synchronized(ledger, when = *ledger.balance > n, timeout = self.t)] async fn \
         withdraw(&self, n: i64) -> Result<i64, E> { ledger.deposit(-n).await; \
         with_lock!(self.log, { log.push(n) }); Ok(self.other(n).await?) } async fn other<'a>(&'a \
         self, (a, b): (u8, &'a u8)) -> &'a u8 { self.acquire_log().await; b } \
         #[synchronized(read(cfg), atomic)] async fn limit(self: &Self) -> u8 { \
         Self::deposit(self, 1).await; Box::pin(self.limit()).await } fn plain(&self) {} const N: \
         u8 = 3; })",
    ),
    (
        Macro::Monitor,
        "(allow(nested, order), crate = ::m) (impl Account { #[async_monitor::synchronized(a, b)] \
         async fn f(&mut self, mut x: u8, _: u8) { self.a.lock().await; loop { break } } type T = \
         u8; m! {} })",
    ),
    // With helpers, and half typed.
    (
        Macro::Monitor,
        "() (impl Account { #[synchronized(ledger)] pub async fn first(&self, ref r#in: u8, _a @ _: \
         u8) { ledger.helper(r#in).await; self.read_1e().await; self.second().await; } pub asy \
         #[holding(read(ledger))] fn helper(&self, by: u8) -> Option<&u8> { ledger.a.get(by) } fn \
         next(&self, amount: ) { } #[synchronized(ledger)] async fn second(&self) { \
         Self::third(self).await } async fn third(&self) { self.acquire_ledger().await; } })",
    ),
    (Macro::Monitor, "() (trait T { fn f(&self); })"),
    (
        Macro::Holding,
        "(read(ledger)) (fn helper<T: Into<u8>>(&self, by: T) -> Option<&u8> { ledger.get(by) })",
    ),
    (
        Macro::Check,
        "(cancels = 0, max_runs = 3 * N, crate = ::m) (#[ignore] pub async fn holds() { a().await; \
         check::spawn(\"b\", async move { c.await }).await })",
    ),
    (
        Macro::WithLock,
        "account.ledger, { *ledger.balance += 1; loop { break 'a; } ledger.f().await }",
    ),
    // In the body of another section.
    (
        Macro::WithLock,
        "account.ledger?, SUPER, { use {{}, {}}; b.f().await; with_lock!(c.d, { e.await }); loop { \
         return Err(1)?; } },",
    ),
    (
        Macro::WithLock,
        "a = from.ledger, b = read(to.ledger)?, (*x).y, GLOBAL, atomic, timeout = \
         Duration::from_secs(1), when = a.x, { for x in y { continue; } || return; z? },",
    ),
];

/// What mutations put in.
const WORDS: &[&str] = &[
    "self",
    "Self",
    "crate",
    "super",
    "async",
    "await",
    "fn",
    "struct",
    "enum",
    "impl",
    "dyn",
    "where",
    "for",
    "mut",
    "ref",
    "move",
    "return",
    "break",
    "loop",
    "match",
    "if",
    "let",
    "_",
    "pub",
    "unsafe",
    "const",
    "static",
    "type",
    "lock",
    "guarded_by",
    "guarded",
    "Guarded",
    "Mutex",
    "RwLock",
    "Arc",
    "read",
    "write",
    "when",
    "timeout",
    "atomic",
    "no_await",
    "blocking",
    "new",
    "debug",
    "snapshot",
    "sync",
    "rw",
    "holding",
    "plain",
    "ledger",
    "balance",
    "allow",
    "nested",
    "order",
    "synchronized",
    "with_lock",
    "Output",
    "__self",
    "__ret",
    "pin",
    "Box",
    "GLOBAL",
    "try_acquire_ledger",
    "acquire_ledger",
    "assert_eq",
    "format",
    "vec",
    "matches",
    "dbg",
    "use",
    "raw",
    "__section",
    "cancels",
    "SELF",
];
const PUNCTS: &[char] = &[
    '.', ',', ';', ':', '=', '&', '*', '?', '!', '<', '>', '#', '|', '-', '+', '/', '@', '$', '\'',
];

#[test]
fn no_input_panics_or_is_refused_without_a_place() {
    let number = |name| env::var(name).ok().and_then(|text| text.parse().ok());
    let only: Option<u64> = number("FUZZ_SEED");
    let inputs = number("FUZZ_INPUTS").unwrap_or(INPUTS);
    let seeds = only.map_or(0..inputs, |seed| seed..seed + 1);
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let failure = seeds.into_iter().find_map(|seed| {
        let (name, input) = mutated(seed);
        let failure = failure(name, &input)?;
        let (input, failure) = shrunk(name, input, failure);
        Some(format!("seed {seed}: {failure}\n{name:?}: {input}"))
    });
    panic::set_hook(hook);
    if let Some(failure) = failure {
        panic!("{failure}");
    }
}

/// What is wrong with how a macro takes the input.
fn failure(name: Macro, input: &TokenStream) -> Option<String> {
    // As text, so that each token has a place.
    let input: TokenStream = input.to_string().parse().ok()?;
    let expand = AssertUnwindSafe(|| name.expand(input.clone()));
    let output = match panic::catch_unwind(expand) {
        Ok(output) => output,
        Err(payload) => {
            let text = payload
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| payload.downcast_ref::<&str>().copied());
            return Some(format!("a panic: {}", text.unwrap_or("?")));
        }
    };
    let with_all_forms = with_all_forms(output.clone());
    if let [first, ..] = unreserved(&input, &with_all_forms).as_slice() {
        return Some(format!("a name that may be an item's: {first}"));
    }
    let mut errors = Vec::new();
    collect_errors(output, &mut errors);
    let lost = errors.into_iter().find(|(message, span)| {
        // What is missing has no place but that of the macro.
        let is_missing = ["without a", "unexpected end", "expected"]
            .iter()
            .any(|text| message.contains(text));
        span.start().line == 0 && !is_missing
    })?;
    Some(format!("an error without a place: {}", lost.0))
}

/// The messages of `compile_error!`, and where they are shown.
fn collect_errors(tokens: TokenStream, errors: &mut Vec<(String, Span)>) {
    let mut after_name = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let mut inside = group.stream().into_iter();
                match inside.next() {
                    Some(TokenTree::Literal(text)) if after_name => {
                        errors.push((text.to_string(), text.span()));
                    }
                    _ => collect_errors(group.stream(), errors),
                }
                after_name = false;
            }
            TokenTree::Ident(ident) => after_name = ident == "compile_error",
            TokenTree::Punct(_) => {}
            TokenTree::Literal(_) => after_name = false,
        }
    }
}

/// The input of a seed.
fn mutated(seed: u64) -> (Macro, TokenStream) {
    let mut random = Random::new(seed);
    let (name, text) = random.of(SEEDS);
    let mut tokens: TokenStream = text.parse().expect("the seeds are tokens");
    for _ in 0..random.below(4) + 1 {
        tokens = mutate(tokens, &mut random);
    }
    (name, tokens)
}

/// Changes one place, at any depth.
fn mutate(tokens: TokenStream, random: &mut Random) -> TokenStream {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    if tokens.is_empty() {
        return token(random).into();
    }
    let at = random.below(tokens.len());
    if let Some(TokenTree::Group(group)) = tokens.get(at) {
        if random.below(5) != 0 {
            let inside = mutate(group.stream(), random);
            tokens[at] = Group::new(group.delimiter(), inside).into();
            return tokens.into_iter().collect();
        }
    }
    match random.below(7) {
        0 => drop(tokens.remove(at)),
        1 => tokens.insert(at, tokens[at].clone()),
        2 => tokens[at] = token(random),
        3 => tokens.insert(at, token(random)),
        4 => {
            let other = random.below(tokens.len());
            tokens.swap(at, other);
        }
        5 => tokens.truncate(at),
        _ => {
            // A piece of another input.
            let (_, text) = random.of(SEEDS);
            let other: TokenStream = text.parse().expect("the seeds are tokens");
            let piece: Vec<_> = flattened(other).collect();
            let start = random.below(piece.len());
            let len = random.below(6) + 1;
            let piece = piece.into_iter().skip(start).take(len);
            tokens.splice(at..at, piece);
        }
    }
    tokens.into_iter().collect()
}

/// All tokens, those in groups once more after the groups.
fn flattened(tokens: TokenStream) -> Box<dyn Iterator<Item = TokenTree>> {
    Box::new(tokens.into_iter().flat_map(|token| {
        let inside = match &token {
            TokenTree::Group(group) => flattened(group.stream()),
            _ => Box::new(iter::empty()),
        };
        iter::once(token).chain(inside)
    }))
}

/// The input without what is not needed for a failure.
fn shrunk(name: Macro, mut input: TokenStream, mut why: String) -> (TokenStream, String) {
    loop {
        let smaller = smaller(&input).into_iter().find_map(|input| {
            let why = failure(name, &input)?;
            Some((input, why))
        });
        match smaller {
            Some(found) => (input, why) = found,
            None => return (input, why),
        }
    }
}

/// The tokens without one of them, or with one group replaced by something smaller.
fn smaller(tokens: &TokenStream) -> Vec<TokenStream> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut all = Vec::new();
    for at in 0..tokens.len() {
        let mut without = tokens.clone();
        without.remove(at);
        all.push(without.into_iter().collect());
        if let Some(TokenTree::Group(group)) = tokens.get(at) {
            for inside in smaller(&group.stream()) {
                let mut with = tokens.clone();
                with[at] = Group::new(group.delimiter(), inside).into();
                all.push(with.into_iter().collect());
            }
        }
    }
    all
}

/// Some token.
fn token(random: &mut Random) -> TokenTree {
    let span = Span::call_site();
    match random.below(10) {
        0..=3 => Ident::new(random.of(WORDS), span).into(),
        4..=6 => {
            let spacing = match random.below(2) {
                0 => Spacing::Alone,
                _ => Spacing::Joint,
            };
            Punct::new(random.of(PUNCTS), spacing).into()
        }
        7 => match random.below(3) {
            0 => Literal::u64_unsuffixed(random.below(1 << 20) as u64).into(),
            1 => Literal::string("text").into(),
            _ => Ident::new_raw("type", span).into(),
        },
        _ => {
            let delimiters = [
                Delimiter::Parenthesis,
                Delimiter::Brace,
                Delimiter::Bracket,
                Delimiter::None,
            ];
            let delimiter = random.of(&delimiters);
            let inside = match random.below(2) {
                0 => TokenStream::new(),
                _ => token(random).into(),
            };
            Group::new(delimiter, inside).into()
        }
    }
}
