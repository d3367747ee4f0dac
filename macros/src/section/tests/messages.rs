//! What is said about wrong sections.

use proc_macro2::TokenStream;
use quote::quote;

use super::{assert_messages, fn_errors};
use crate::diagnostics::Errors;
use crate::section::model::{Scope, Section};
use crate::section::{parse, validate, with_lock};

#[test]
fn several_mistakes_are_reported_together() {
    fn_errors(
        quote!(
            ledger,
            atomic,
            retries = 3,
            a = pick(),
            a = other,
            pick(1),
            lock?
        ),
        quote!(
            fn f(&mut self) {}
        ),
        &[
            "`retries` is not an option",
            "has no name in the body",
            "two locks would be bound as `a`: give this one another name, `second = other`",
        ],
    );
}

#[test]
fn a_plain_fn_parks_and_an_async_fn_does_not() {
    let plain = quote!(
        fn f(&self) {}
    );
    let output = fn_errors(quote!(ledger, blocking), plain.clone(), &[]);
    assert!(output.contains("wait_blocking"), "{output}");
    assert!(!output.contains("__parks"), "{output}");
    // What it can be without, the type of the lock says.
    let output = fn_errors(quote!(ledger, read(cfg)), plain.clone(), &[]);
    assert!(output.contains("wait_blocking"), "{output}");
    assert_eq!(output.matches("__parks").count(), 2, "{output}");
    let output = fn_errors(quote!(ledger, blocking, timeout = x), plain, &[]);
    assert!(output.contains("block_on_for"), "{output}");
    let asynchronous = quote!(
        async fn f(&self) {}
    );
    let advice = "an `async fn` waits without: remove `blocking`";
    fn_errors(quote!(ledger, blocking), asynchronous, &[advice]);
    let boxed = quote!(
        fn f<'life0>(&'life0 self) -> Pin<Box<dyn Future<Output = ()> + Send + 'life0>> {
            Box::pin(async move {})
        }
    );
    fn_errors(quote!(ledger, blocking), boxed, &[advice]);
    assert_messages(
        &with_lock(quote!(a.b, blocking, { f().await })),
        &["the `.await` in the block says that it has one"],
    );
    assert_messages(
        &with_lock(quote!(a.b, blocking, { async { f().await } })),
        &[],
    );
}

#[test]
fn a_const_fn_acquires_no_lock() {
    let method = quote!(
        const fn f(&self) {}
    );
    let output = fn_errors(quote!(ledger), method, &["remove `const`"]);
    assert!(!output.contains("__entering"), "{output}");
}

#[test]
fn a_lock_that_hides_a_parameter_is_an_error() {
    let method = quote!(
        async fn f(&self, ledger: u8) {}
    );
    let hidden = "the parameter `ledger` could not be used in the body, where the lock has its \
                  name: give the lock another one, `other = ";
    for (lock, place) in [
        (
            quote!(ledger),
            "self.ledger`, or if the parameter is the lock, `other = ledger`",
        ),
        (quote!(a.ledger), "a.ledger`"),
        (quote!(read(self.ledger)), "read(self.ledger)`"),
    ] {
        fn_errors(lock, method.clone(), &[&format!("{hidden}{place}")]);
    }
    fn_errors(quote!(other = ledger), method.clone(), &[]);
    fn_errors(quote!(ledger = self.ledger), method, &[]);
    let function = quote!(
        async fn f(ledger: &Ledger) {}
    );
    fn_errors(quote!(ledger), function.clone(), &[]);
    let same = "ledger.ledger`, or if the body does not need the parameter, the same, \
                `ledger = ledger.ledger`";
    fn_errors(
        quote!(ledger.ledger),
        function.clone(),
        &[&format!("{hidden}{same}")],
    );
    fn_errors(quote!(ledger = ledger.ledger), function, &[]);
    fn_errors(
        quote!(a.ledger),
        quote!(
            async fn f(
                a: &A,
                In {
                    c: Ledger(ref ledger),
                    ..
                }: In,
            ) {
            }
        ),
        &[&format!("{hidden}a.ledger`")],
    );
    fn_errors(
        quote!(a.ledger),
        quote!(
            async fn f(a: &A, ledger::In { a: (_, [b]) }: In) {}
        ),
        &[],
    );
}

#[test]
fn a_condition_belongs_to_one_lock() {
    let function = quote!(
        async fn f(&self) {}
    );
    fn_errors(quote!(a, when = *a.x > 0), function.clone(), &[]);
    fn_errors(
        quote!(a, b, when = *a.x > 0),
        function,
        &["`when` waits at one lock"],
    );
}

#[test]
fn blocks_need_a_lock_and_a_body() {
    assert_messages(&with_lock(quote!()), &["without a block"]);
    assert_messages(&with_lock(quote!(a.b)), &["without a block"]);
    assert_messages(&with_lock(quote!({ 1 })), &["without a lock"]);
    assert_messages(
        &with_lock(quote!({ 1 }, a)),
        &["the block is the last argument"],
    );
    assert_messages(&with_lock(quote!(a.b, { 1 },)), &[]);
    assert_messages(&with_lock(quote!(a.b, c.b, {})), &["bound as `b`"]);
    assert_messages(
        &with_lock(quote!(read(a.b), atomic, no_await, { y.await })),
        &["`atomic`", "`no_await`"],
    );
    assert_messages(
        &with_lock(quote!(a.b, x = 3, {})),
        &["`x` is not an option"],
    );
}

#[test]
fn a_timeout_without_a_timer_is_an_error() {
    let messages = |has_timer| {
        let errors = Errors::new();
        let (arguments, _) = parse::block(quote!(a.b, timeout = x, {}), &errors);
        let arguments = validate::arguments(arguments, &errors);
        let section = Section::new(arguments, &Scope::of_block());
        validate::check_timeout(&section, has_timer, &errors);
        errors.messages()
    };
    assert!(messages(true).is_empty());
    let messages = messages(false);
    assert!(messages.len() == 1, "{messages:?}");
    assert!(
        messages[0].contains("its feature `tokio` or `smol`"),
        "{messages:?}"
    );
}

#[test]
fn blocks_that_are_atomic_are_not_left_early() {
    let left = |body: TokenStream| with_lock(quote!(a.b, atomic, { #body }));
    assert_messages(
        &left(quote!(if x { return } loop { continue 'c } break;)),
        &["this `return`", "this `continue`", "this `break`"],
    );
    assert_messages(&left(quote!(f()?; loop { break }; || return)), &[]);
    let function = quote!(
        async fn f() {
            return;
        }
    );
    fn_errors(quote!(crate::G, atomic), function, &[]);
}

#[test]
fn options_are_written_once_and_have_their_kind_of_value() {
    let method = quote!(
        async fn f(&self) {}
    );
    fn_errors(
        quote!(crate = ::a, ledger, crate = ::b),
        method.clone(),
        &["`crate` is written twice"],
    );
    fn_errors(
        quote!(ledger, crate = pick(3)),
        method,
        &["this is not a path: write `crate = ::path`"],
    );
}

#[test]
fn a_name_close_to_an_option_can_still_be_a_lock() {
    let item = || {
        quote!(
            async fn f(&self) {}
        )
    };
    for lock in [
        quote!(crates = self.crates),
        quote!(rate = limiter.rate),
        quote!(then = now),
        quote!(timeouts = timeouts),
        quote!(self.atomics),
        quote!(a = nowait),
        quote!(self.when),
    ] {
        fn_errors(lock, item(), &[]);
    }
    for (option, meant) in [
        (quote!(timout = d), "write `timeout = duration`"),
        (quote!(Timeout = d), "write `timeout = duration`"),
        (quote!(wehn = c), "write `when = condition`"),
        (quote!(krate = ::c), "write `crate = ::path`"),
        (quote!(atomics), "write `atomic`"),
        (quote!(noawait), "write `no_await`"),
        (quote!(no_await = true), "write `no_await`"),
        (quote!(when(c)), "write `when = condition`"),
    ] {
        fn_errors(quote!(ledger, #option, owner), item(), &[meant]);
    }
}
