//! What a section expands to.

use proc_macro2::TokenStream;
use quote::quote;

use super::fn_errors;
use crate::diagnostics::Errors;
use crate::section::function::{self, Kind};
use crate::section::{synchronized, with_lock};

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
