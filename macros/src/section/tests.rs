use proc_macro2::TokenStream;
use quote::quote;

use super::function::{self, Kind};
use super::model::{Scope, Section};
use super::{synchronized, with_lock};
use crate::diagnostics::Errors;

/// The text of the messages in an output.
fn messages(output: &TokenStream) -> Vec<String> {
    let text = output.to_string();
    let parts = text.split("compile_error").skip(1);
    let messages = parts.filter_map(|part| {
        let literal = part.get(part.find('"')?..)?;
        let end = literal.rfind('"')?;
        Some(literal.get(1..end)?.to_owned())
    });
    messages.collect()
}

#[track_caller]
fn assert_messages(output: &TokenStream, expected: &[&str]) {
    let messages = messages(output);
    assert_eq!(messages.len(), expected.len(), "{messages:#?}");
    for (message, expected) in messages.iter().zip(expected) {
        assert!(
            message.contains(expected),
            "{message:?} is not about {expected:?}"
        );
    }
}

#[track_caller]
fn fn_errors(arguments: TokenStream, item: TokenStream, expected: &[&str]) -> String {
    let output = synchronized(arguments, item);
    assert_messages(&output, expected);
    output.to_string()
}

#[test]
fn signatures_are_kept() {
    let signature = quote! {
        /// Docs.
        #[must_use]
        pub(crate) async fn f<'a, T: Into<U>, U>(
            self: &'a Arc<Self>,
            (a, mut b): (u8, u8),
            it: impl Iterator<Item = T>,
        ) -> impl Iterator<Item = U> + use<'a, T, U>
        where
            U: Clone,
    };
    let output = fn_errors(quote!(ledger), quote!(#signature { b += a; it }), &[]);
    assert!(output.starts_with(&signature.to_string()), "{output}");
    assert!(output.ends_with("{ { ; b += a ; it } } }"), "{output}");
}

#[test]
fn items_are_emitted_next_to_errors() {
    let method = quote! {
        fn f<T>(&self, t: T) -> u8 where T: Clone { *ledger.balance }
    };
    let output = fn_errors(
        quote!(ledger, wat = 3),
        method.clone(),
        &["is not an option"],
    );
    assert!(output.starts_with("fn f < T > (& self , t : T) -> u8 where T : Clone"));

    let output = fn_errors(quote!(), method, &["without a lock"]);
    assert!(output.contains("{ * ledger . balance }"));

    let item = quote!(
        pub struct S<T>(T)
        where
            T: Clone;
    );
    let output = fn_errors(quote!(ledger), item.clone(), &["this is not a fn"]);
    assert!(output.starts_with(&item.to_string()));

    let item = quote!(
        async fn required(&self);
    );
    let output = fn_errors(quote!(ledger), item.clone(), &["without a body"]);
    assert!(output.starts_with(&item.to_string()));
}

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
fn a_mutable_receiver_is_checked_only_with_a_lock_of_its_own() {
    let checked = |arguments, item| {
        let output = fn_errors(arguments, item, &[]);
        output.matches("__check_lock").count()
    };
    let method = quote!(
        async fn f(&mut self) {}
    );
    assert_eq!(checked(quote!(ledger), method.clone()), 1);
    assert_eq!(
        checked(quote!(l = self.ledger, read(cfg)), method.clone()),
        2
    );
    assert_eq!(checked(quote!(self.shared.ledger), method.clone()), 0);
    assert_eq!(checked(quote!(crate::GLOBAL), method), 0);
    let typed = quote!(
        async fn f(self: &mut Self) {}
    );
    assert_eq!(checked(quote!(ledger), typed), 1);
    let shared = quote!(
        async fn f(&self) {}
    );
    assert_eq!(checked(quote!(ledger), shared), 0);
}

#[test]
fn a_base_is_evaluated_once_unless_it_is_a_path() {
    let count = |lock: TokenStream| {
        let output = with_lock(quote!(#lock.ledger, {})).to_string();
        output.matches("__base0").count()
    };
    for path in [
        quote!(account),
        quote!(self.a.0.b),
        quote!((a.b)),
        quote!((self)),
    ] {
        assert_eq!(count(path.clone()), 0, "{path}");
    }
    for other in [
        quote!(f()),
        quote!(a[0]),
        quote!(a.b().c),
        quote!(GLOBAL),
        quote!(m::account),
        quote!((*a)),
    ] {
        assert_eq!(count(other.clone()), 4, "{other}");
    }
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
fn bare_names_are_fields_where_there_is_a_receiver() {
    let method = quote!(
        async fn f(&self, param: &Lock) {}
    );
    let function = quote!(
        async fn f(param: &Lock) {}
    );
    let is_field = |arguments, item| {
        let output = synchronized(arguments, item).to_string();
        assert!(!output.contains("compile_error"), "{output}");
        output.contains("probe")
    };
    assert!(is_field(quote!(other = self.param), method.clone()));
    assert!(is_field(quote!(GLOBAL), method.clone()));
    assert!(is_field(quote!(l = ledger), method.clone()));
    assert!(is_field(quote!(l = read(ledger)), method.clone()));
    assert!(is_field(quote!(&(self.a.b)), method.clone()));
    assert!(!is_field(quote!(l = param), method.clone()));
    assert!(!is_field(quote!(g = GLOBAL), method.clone()));
    assert!(!is_field(quote!(self::GLOBAL), method));
    assert!(!is_field(quote!(param), function));
}

#[test]
fn statics_are_bound_in_lower_case() {
    let output = synchronized(
        quote!(crate::GLOBAL_STATE),
        quote!(
            async fn f() {}
        ),
    )
    .to_string();
    assert!(output.contains("let global_state = "), "{output}");
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
        let (arguments, _) = super::parse::block(quote!(a.b, timeout = x, {}), &errors);
        let arguments = super::validate::arguments(arguments, &errors);
        let section = Section::new(arguments, &Scope::of_block());
        super::validate::check_timeout(&section, has_timer, &errors);
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

/// The type that a body which ends in the section is told to have.
#[test]
fn the_output_of_a_fn_is_known_unless_it_is_impl_trait() {
    let output = |item| {
        let errors = Errors::new();
        let function = function::parse(item, &errors);
        assert!(errors.messages().is_empty());
        let output = function.and_then(|function| function.output());
        output.map(|output| output.to_string())
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        output(quote!(
            async fn f() {}
        )),
        some("()")
    );
    assert_eq!(
        output(quote!(
            async fn f() -> &str {
                ""
            }
        )),
        some("& str")
    );
    assert_eq!(
        output(quote!(
            async fn f() -> Vec<impl Debug> {
                x
            }
        )),
        None
    );
    assert_eq!(
        output(quote!(
            fn f() -> Pin<Box<dyn Future<Output = Result<u8, E>> + Send + 'a>> {
                Box::pin(async move { x })
            }
        )),
        some("Result < u8 , E >")
    );
}

fn kind(item: TokenStream) -> Kind {
    let errors = Errors::new();
    let kind = function::parse(item, &errors).map(|function| function.kind);
    assert!(errors.messages().is_empty());
    kind.expect("a fn")
}

#[test]
fn boxed_futures_are_recognized() {
    assert_eq!(
        kind(quote!(
            async fn f() {}
        )),
        Kind::Async
    );
    assert_eq!(
        kind(quote!(
            fn f() {}
        )),
        Kind::Plain
    );
    assert_eq!(
        kind(quote!(
            fn f() -> u8 {
                Box::pin(3)
            }
        )),
        Kind::Plain
    );
    assert_eq!(
        kind(quote!(
            fn f() -> F {
                Box::new(async move { 1 })
            }
        )),
        Kind::Plain
    );
    assert_eq!(
        kind(quote!(
            fn f() -> F {
                Box::pin(async move { 1 })
            }
        )),
        Kind::Boxed { is_renamed: false }
    );
    assert_eq!(
        kind(quote! {
            fn f(&self) -> F {
                Box::pin(async move { let __self = self; let _: () = { __self.g() }; })
            }
        }),
        Kind::Boxed { is_renamed: true }
    );
}

#[test]
fn statements_of_async_trait_come_after_the_locks() {
    let output = synchronized(
        quote!(self.inner.state),
        quote! {
            fn f(&self) -> Pin<Box<F>> {
                Box::pin(async move {
                    if let Some(__ret) = None::<u8> { return __ret; }
                    let __self = self;
                    let (a, b) = { let __arg1 = __arg1; __arg1 };
                    let __ret: u8 = { __self.first(); a };
                    __ret
                })
            }
        },
    )
    .to_string();
    let position = |text: &str| {
        output
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {output}"))
    };
    assert!(position("__arg1 }") < position("& __self . inner"));
    assert!(position("& __self . inner") < position("__self . first ()"));
    assert_eq!(output.matches(":: wait (").count(), 1, "{output}");
}

#[test]
fn the_runtime_can_be_reached_by_another_path() {
    let item = quote!(
        async fn f(&self, remote: &Remote) -> Result<(), E> {}
    );
    let output = fn_errors(
        quote!(ledger, r = read(cfg)?, crate = ::other::path),
        item,
        &[],
    );
    assert!(output.contains(":: other :: path :: __private"), "{output}");
    assert!(!output.contains("async_monitor"), "{output}");
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

/// What never ends does not commit: the call would be unreachable, which a crate may forbid.
#[test]
fn a_block_that_never_ends_does_not_commit() {
    let expanded = |body: TokenStream| with_lock(quote!(m, atomic, { #body })).to_string();
    for body in [
        quote!(f(); panic!("x")),
        quote!(todo!();),
        quote!(if a {
            unreachable!()
        } else {
            loop {
                f().await;
            }
        }),
        quote!(match a {
            1 => core::panic!(),
            _ => {
                unsafe { unimplemented!() }
            }
        }),
    ] {
        let text = expanded(body);
        assert!(
            !text.contains(":: commit") && !text.contains("allow"),
            "{text}"
        );
    }
    for body in [
        quote!(f()),
        quote!(if a {
            panic!()
        }),
        quote!(panic!(); f()),
        quote!(match a {
            1 => panic!(),
            _ => 2,
        }),
    ] {
        let text = expanded(body);
        assert!(
            text.contains(":: commit") && !text.contains("allow"),
            "{text}"
        );
    }
    // Perhaps.
    for body in [
        quote!(my!()),
        quote!(loop {
            break;
        }),
        quote!(std::process::exit(1)),
    ] {
        let text = expanded(body);
        assert!(
            text.contains(":: commit") && text.contains("allow"),
            "{text}"
        );
    }
}
