//! What an impl expands to.

use proc_macro2::TokenStream;
use quote::quote;

#[test]
fn items_are_emitted_next_to_errors() {
    let output = |arguments, item| crate::monitor::monitor(arguments, item).to_string();
    for item in [
        quote!(
            pub struct S<T>(T)
            where
                T: Clone;
        ),
        quote!(
            impl<T> Trait for S<T>
            where
                T: Clone,
            {
                fn f(&self);
            }
        ),
        quote!(
            async fn f<T>()
            where
                T: Clone,
            {
            }
        ),
    ] {
        let text = output(quote!(), item.clone());
        assert!(text.starts_with(&item.to_string()), "{text}");
        assert!(text.contains("compile_error"), "{text}");
    }
    let text = output(
        quote!(retries = 3),
        quote!(
            impl<T> S<T>
            where
                T: Clone,
            {
                const X: u8 = 1;
                #[inline]
                fn f(&self) -> T;
            }
        ),
    );
    assert!(
        text.starts_with("impl < T > S < T > where T : Clone , { const X : u8 = 1 ;"),
        "{text}"
    );
    let text = output(
        quote!(),
        quote!(impl S { #[synchronized] async fn f(&self) { let = } fn g() { let = } }),
    );
    assert!(text.contains("async fn f (& self) { let = }"), "{text}");
    assert!(text.contains("fn g () { let = }"), "{text}");
}

#[test]
fn a_body_is_written_once_in_each_form() {
    let text = crate::monitor::monitor(
        quote!(),
        quote! {
            impl Account {
                #[synchronized(ledger)]
                async fn f(&self, (a, b): (u8, u8)) -> &str { body_of_f() }
                #[synchronized(ledger, other)]
                async fn g(&self) { body_of_g() }
                #[synchronized(ledger, when = true)]
                async fn h(&self) { body_of_h() }
            }
        },
    )
    .to_string();
    // One for where the lock is of the derive, one for where it is not, one for the linter.
    assert_eq!(text.matches("body_of_f").count(), 3, "{text}");
    assert_eq!(text.matches("body_of_g").count(), 1);
    assert_eq!(text.matches("body_of_h").count(), 1);
    assert!(
        text.contains("# [cfg (not (clippy))] Account ! { write ledger { fn __f_held <"),
        "{text}"
    );
    assert!(text.contains("async fn f (& mut self , __arg1 : (u8 , u8)) -> & '__guard str"));
    // The attribute stays on these, and on no other.
    assert_eq!(text.matches("# [synchronized (ledger)]").count(), 3);
    assert_eq!(text.matches("# [synchronized").count(), 5);
}

#[test]
fn no_lint_is_allowed() {
    let item = quote! {
        impl Account {
            #[synchronized(ledger)]
            pub async fn f(&self) -> ! { panic!() }
            #[synchronized(read(ledger), atomic)]
            async fn g(&self, a: u8) -> Result<u8, u8> { Ok(a) }
        }
    };
    let text = crate::monitor::monitor(quote!(), item).to_string();
    assert!(!text.contains("allow"), "{text}");
}

#[test]
fn the_first_paragraph_of_the_docs_goes_along() {
    let docs = |docs: TokenStream| {
        let item = quote!(impl A { #docs #[synchronized(l)] async fn f(&self) {} });
        let text = crate::monitor::monitor(quote!(), item).to_string();
        let held_forms = text
            .split("automatically_derived")
            .nth(1)
            .unwrap_or_default();
        (
            held_forms.contains("One."),
            held_forms.contains("A::f"),
            held_forms.contains("Two."),
        )
    };
    assert_eq!(
        docs(quote!(#[doc = " One."] #[doc = ""] #[doc = "Two."])),
        (true, true, false)
    );
    assert_eq!(
        docs(quote!(#[doc = " One. See [`Self::g`]."])),
        (false, true, false)
    );
    assert_eq!(docs(quote!()), (false, true, false));
}
