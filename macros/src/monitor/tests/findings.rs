//! What is found in the methods of an impl.

use proc_macro2::TokenStream;
use quote::quote;

use crate::diagnostics::Errors;
use crate::monitor::model::Monitor;
use crate::monitor::{analysis, parse};

/// The messages about the methods, in the order in which they are found.
fn findings(methods: &TokenStream) -> Vec<String> {
    let messages = found(methods).into_iter();
    messages.map(|finding| finding.error.to_string()).collect()
}

/// What is said, if anything, where the locks that are read are those of one task at a
/// time.
fn findings_of_exclusive_locks(methods: &TokenStream) -> Vec<String> {
    let findings = found(methods).into_iter();
    let messages = findings.filter_map(|finding| {
        let mut instead = finding.of_exclusive_lock.into_iter();
        let error = instead
            .next()
            .map_or(Some(finding.error), |(_, error)| error);
        error.map(|error| error.to_string())
    });
    messages.collect()
}

/// What is found where no lock is one of `sync`.
fn found(methods: &TokenStream) -> Vec<analysis::Finding> {
    let mut findings = found_of_any_kind(methods);
    findings.retain(|finding| !is_of_sync_lock(finding));
    findings
}

/// Whether it is said of a lock of `sync` only.
fn is_of_sync_lock(finding: &analysis::Finding) -> bool {
    let mut conditions = finding.conditions.iter();
    conditions.any(|(kind, _)| kind.to_string() == "sync")
}

fn found_of_any_kind(methods: &TokenStream) -> Vec<analysis::Finding> {
    let errors = Errors::new();
    let arguments = parse::arguments(quote!(), &errors);
    let block = parse::block(quote!(impl<T> bank::Account<T> { #methods }), &errors);
    let monitor = Monitor::new(block.expect("it is an impl"), &arguments, &errors);
    assert_eq!(errors.messages(), Vec::<String>::new());
    analysis::findings(&monitor, &arguments)
}

/// Checks the findings about one statement, in a method that holds `a`, next to
/// methods of `a`, of `b`, and of none.
#[track_caller]
fn in_section(statement: TokenStream, expected: &[&str]) {
    let messages = findings(&quote! {
        #[synchronized(a)]
        async fn deposit(&self) {}
        async fn helper(&self) { self.deposit().await; }
        fn blocking(&self) { self.acquire_a_blocking(); }
        async fn unrelated(&self) { self.c.fetch().await; }
        #[synchronized(b)]
        async fn other(&self) {}
        #[synchronized(a)]
        async fn body(&self, other: &Self) { #statement }
    });
    assert_eq!(messages.len(), expected.len(), "{messages:#?}");
    for (message, expected) in messages.iter().zip(expected) {
        assert!(message.starts_with("`body` holds `a`"), "{message}");
        assert!(message.contains(expected), "{message:?}: {expected:?}");
    }
}

#[test]
fn calls_that_are_awaited_are_found() {
    let deposit: &[&str] = &["`deposit` acquires it again, which"];
    in_section(quote!(self.deposit().await), deposit);
    in_section(quote!((self.deposit()).await?;), deposit);
    in_section(quote!((&*self).deposit().await), deposit);
    in_section(quote!(Box::pin(self.deposit()).await), deposit);
    in_section(
        quote!(std::boxed::Box::pin((self.deposit())).await),
        deposit,
    );
    in_section(quote!(Self::deposit(self).await), deposit);
    in_section(quote!(bank::Account::deposit(&self).await), deposit);
    in_section(quote!(<Self>::deposit(self).await), deposit);
    in_section(quote!(<Account>::deposit(&self, 1).await), deposit);
    in_section(quote!(self.deposit::<u8>().await), deposit);
    in_section(
        quote!(if x {
            loop {
                f(self.deposit().await)
            }
        }),
        deposit,
    );
    in_section(quote!(assert!(self.deposit().await)), deposit);
    in_section(
        quote!(let x = match self.deposit().await { _ => 1 };),
        deposit,
    );
}

#[test]
fn futures_that_are_bound_are_awaited_later() {
    let deposit: &[&str] = &["`deposit` acquires it again, which"];
    in_section(quote!(let fut = self.deposit(); fut.await + 1), deposit);
    in_section(
        quote!(let mut fut: Pin<_> = Box::pin(self.deposit()); (&mut fut).await;),
        deposit,
    );
    in_section(
        quote!(let fut = pin!(self.deposit()); if x { fut.await }),
        deposit,
    );
    in_section(
        quote!(let mut fut = std::pin::pin!(self.deposit()); fut.as_mut().await),
        deposit,
    );
    in_section(
        quote!(let fut = self.deposit(); let other = fut; other.await),
        deposit,
    );
    in_section(
        quote!({
            let fut = self.deposit();
            fut.await
        }),
        deposit,
    );
    in_section(quote!(join!(self.deposit(), other)), deposit);
    in_section(
        quote!(let fut = self.deposit(); tokio::join!(other(), fut)),
        deposit,
    );
    in_section(quote!(async { self.deposit().await }.await), deposit);
    in_section(quote!(futures::executor::block_on(self.deposit())), deposit);
}

#[test]
fn acquisitions_are_found_however_they_are_spelled() {
    let again: &[&str] = &["`body` holds `a` here, and acquires it again"];
    for statement in [
        quote!(self.acquire_a().await),
        quote!(Self::acquire_a(self).await),
        quote!(<Self>::acquire_a(&self).await),
        quote!(self.a.acquire().await),
        quote!((&self.a).acquire().await),
        quote!(Lock::acquire(&self.a).await),
        quote!(async_monitor::Mutex::lock(&self.a).await),
        quote!(let guard = self.a.acquire(); guard.await),
        quote!(Lock::acquire_blocking(&self.a)),
        quote!(Self::acquire_a_blocking(self)),
    ] {
        in_section(statement, again);
    }
}

/// The whole message about the last method, which is called `m`.
#[track_caller]
fn says(methods: TokenStream, expected: &str) {
    assert_eq!(findings(&methods), [expected]);
}

#[test]
fn what_to_write_instead() {
    let others = quote! {
        #[synchronized(a)] async fn add(&self) {}
        #[synchronized(read(a))] async fn get(&self) {}
        #[synchronized(a, when = true)] async fn take(&self) {}
        #[synchronized(a, b)] async fn both(&self) {}
        #[synchronized(a)] async fn form(&self) -> impl Sized {}
        async fn helper(&self) { self.add().await; }
        async fn direct(&self) { self.acquire_a().await; }
    };
    let writing = |body| quote!(#others #[synchronized(x = a)] async fn m(&self) { #body });
    let reading = |body| quote!(#others #[synchronized(read(a))] async fn m(&self) { #body });

    let holds = "`m` holds `a` here, and";
    let again = "acquires it again, which is a deadlock:";
    for (body, expected) in [
        (
            quote!(self.add().await),
            format!(
                "{holds} `add` {again} write `x.add(..)`, which runs under the lock already held"
            ),
        ),
        (
            quote!(self.get().await),
            format!(
                "{holds} `get` {again} write `x.get(..)`, which runs under the lock already held"
            ),
        ),
        (
            quote!(self.take().await),
            format!(
                "{holds} `take` {again} nobody could make its condition true meanwhile, so call \
                 `take` before or after"
            ),
        ),
        (
            quote!(self.both().await),
            format!(
                "{holds} `both` {again} it takes several locks, so call `both` before or after, or \
                 move what both do to a method of `a` alone"
            ),
        ),
        (
            quote!(self.form().await),
            format!("{holds} `form` {again} call `form` before or after, when `a` is free"),
        ),
        (
            quote!(self.direct().await),
            format!(
                "{holds} `direct` {again} call it before or after, or let `direct` take what is \
                 held, `x: &mut AccountAHeld<'_>`"
            ),
        ),
        (
            quote!(self.helper().await),
            format!(
                "{holds} `helper` acquires it again, through `add`, which is a deadlock: call it \
                 before or after, or let `helper` take what is held, `x: &mut AccountAHeld<'_>`"
            ),
        ),
        (
            quote!(self.acquire_a().await),
            format!("{holds} {again} use `x`, which leads to what it guards"),
        ),
    ] {
        says(writing(body), &expected);
    }

    let holds = "`m` holds `a` for reading here, and";
    for (body, expected) in [
        (
            quote!(self.get().await),
            format!(
                "{holds} `get` reads it again, which is a deadlock once a writer waits in between: \
                 write `a.get(..)`, which runs under the lock already held"
            ),
        ),
        (
            quote!(self.add().await),
            format!(
                "{holds} `add` {again} hold `write(a)` here, and write `a.add(..)`, which runs \
                 under the lock already held"
            ),
        ),
        (
            quote!(self.helper().await),
            format!(
                "{holds} `helper` acquires it again, through `add`, which is a deadlock: call it \
                 before or after, or let `helper` take what is held, `a: &AccountAReadHeld<'_>`"
            ),
        ),
        (
            quote!(with_lock!(read(self.a), {})),
            format!(
                "{holds} reads it again, which is a deadlock once a writer waits in between: use \
                 `a`, which leads to what it guards"
            ),
        ),
        (
            quote!(with_lock!(self.a, {})),
            format!(
                "{holds} waits for all who read it, which is a deadlock: hold `write(a)` from the \
                 beginning, and use `a`"
            ),
        ),
    ] {
        says(reading(body), &expected);
    }
}

/// The source text where the error about a method that holds `a` stands.
fn place(body: &str) -> Option<String> {
    let method = format!("impl Account {{ #[synchronized(a)] async fn m(&self) {{ {body} }} }}");
    let errors = Errors::new();
    let arguments = parse::arguments(quote!(), &errors);
    let block = parse::block(method.parse().expect("these are tokens"), &errors);
    let monitor = Monitor::new(block.expect("it is an impl"), &arguments, &errors);
    assert_eq!(errors.messages(), Vec::<String>::new());
    let findings = analysis::findings(&monitor, &arguments);
    findings.first()?.error.span().source_text()
}

#[test]
fn errors_stand_at_the_lock() {
    for (body, token) in [
        ("with_lock!(self.b, self.a, {})", "a"),
        ("with_lock!(self.a, {})", "a"),
        ("self.acquire_a().await;", "acquire_a"),
        ("self.a.lock().await;", "lock"),
    ] {
        assert_eq!(place(body).as_deref(), Some(token), "{body}");
    }
}

#[test]
fn who_gives_up_waits_in_vain_and_not_for_ever() {
    says(
        quote! {
            #[synchronized(a)] async fn m(&self) { with_lock!(self.a, timeout = t, {}); }
        },
        "`m` holds `a` here, and acquires it again, which can only run out of time: use `a`, which \
         leads to what it guards",
    );
    let messages = findings(&quote! {
        #[synchronized(a, timeout = t)] async fn add(&self) -> Result<(), Elapsed> {}
        #[synchronized(a)] async fn m(&self) { self.add().await; }
    });
    assert!(messages[0].contains("`add` acquires it again, which can only run out of time: "));

    for second in [
        quote!(with_lock!(self.a, timeout = t, {});),
        quote!(self.add().await;),
        quote!(self.through().await;),
    ] {
        let messages = findings(&quote! {
            #[synchronized(a, timeout = t)] async fn add(&self) -> Result<(), Elapsed> {}
            async fn through(&self) { with_lock!(self.a, timeout = t, {}); }
            #[synchronized(a)] async fn one(&self) { with_lock!(self.b, {}); }
            #[synchronized(b)] async fn two(&self) { #second }
        });
        assert_eq!(messages, Vec::<String>::new());
    }
}

#[test]
fn calls_go_through_other_methods() {
    let helper: &[&str] = &["`helper` acquires it again, through `deposit`, which"];
    in_section(quote!(self.helper().await), helper);
    in_section(quote!(self.helper()), &[]);
    in_section(quote!(self.blocking()), &["`blocking` acquires it again"]);
    in_section(
        quote!(Self::blocking(self)),
        &["`blocking` acquires it again"],
    );
    in_section(quote!(self.unrelated().await), &[]);
    in_section(quote!(self.unknown().await), &[]);
}

#[test]
fn acquisitions_are_found_by_name() {
    let again: &[&str] = &["acquires it again"];
    for statement in [
        quote!(self.acquire_a().await),
        quote!(self.acquire_a_blocking()),
        quote!(self.write_a().await),
        quote!(self.read_a().await),
        quote!(self.a.lock().await),
        quote!(self.a.lock_owned().await),
        quote!((self.a).write().await),
        quote!(self.a.read_blocking()),
        quote!(self.a.acquire().await),
        quote!(self.a.upgradable_read().await),
        quote!(with_lock!(self.a, {})),
        quote!(async_monitor::with_lock!(x = write(self.a), { 1 })),
    ] {
        in_section(statement, again);
    }
    for statement in [
        quote!(self.acquire_a()),
        quote!(self.try_acquire_a()),
        quote!(self.a.try_lock()),
        quote!(self.a.lock()),
        quote!(self.acquire_aa().await),
        quote!(self.acquire().await),
        quote!(self.acquire_blocking()),
        quote!(self.ab.lock().await),
        quote!(self.inner.a.lock().await),
        quote!(other.a.lock().await),
        quote!(with_lock!(other.a, {})),
        quote!(with_lock!(a, {})),
        quote!(a.lock().await),
    ] {
        in_section(statement, &[]);
    }
}

#[test]
fn what_runs_elsewhere_is_not_looked_at() {
    for statement in [
        quote!(async { self.deposit().await }),
        quote!(|| self.acquire_a_blocking()),
        quote!(
            fn f(this: &X) {
                self.deposit().await
            }
        ),
        quote!(select!(self.deposit().await)),
        quote!(#[cfg(x)] self.deposit().await;),
        quote!(#[allow(y)] #[cfg(x)] let x = self.deposit().await;),
        quote!(let fut = self.deposit();),
        quote!(let fut = self.deposit(); drop(fut);),
        quote!(let fut = self.deposit(); let fut = other(); fut.await),
        quote!({ let fut = self.deposit(); } fut.await),
        quote!(let fut = self.deposit(); let (fut, other) = two(); fut.await),
        quote!(<Self as Other>::deposit(self).await),
        quote!(Lock::acquire(&other.a).await),
        quote!(let = self.deposit().await),
        quote!(other.deposit().await),
        quote!(self.inner.deposit().await),
        quote!((!self).deposit().await),
        quote!(Self::deposit(other).await),
        quote!(Other::deposit(self).await),
        quote!(pool::pin(self.deposit()).await),
        quote!(Box::hygienic(self.deposit()).await),
    ] {
        in_section(statement, &[]);
    }
}

#[test]
fn names_that_are_there_twice_are_not_known() {
    let messages = findings(&quote! {
        #[cfg(x)] #[synchronized(a)] async fn deposit(&self) {}
        #[cfg(not(x))] async fn deposit(&self) {}
        #[synchronized(a)] async fn body(&self) { self.deposit().await }
    });
    assert_eq!(messages, Vec::<String>::new());
}

/// Each method takes the first lock, and then the others, in the order given.
#[track_caller]
fn in_order(methods: &[&[&str]], expected: &[&str]) {
    let methods = methods.iter().enumerate().map(|(index, locks)| {
        let name = quote::format_ident!("m{index}");
        let body = locks.iter().rev().fold(quote!(), |inside, lock| {
            let lock = quote::format_ident!("{lock}");
            quote!(with_lock!(self.#lock, { #inside });)
        });
        quote!(async fn #name(&self) { #body })
    });
    let messages = findings(&methods.collect());
    assert_eq!(messages.len(), expected.len(), "{messages:#?}");
    for (message, expected) in messages.iter().zip(expected) {
        assert!(message.contains(expected), "{message:?}: {expected:?}");
    }
}

#[test]
fn opposite_orders_are_found() {
    in_order(&[&["a", "b"], &["a", "b"], &["b"], &["b", "c"]], &[]);
    in_order(
        &[&["a", "b"], &["b", "a"]],
        &[
            "`m0` acquires `b` while it holds `a`, and `m1` acquires `a` while it holds `b`",
            "`m1` acquires `a` while it holds `b`, against the order in `m0`",
        ],
    );
    in_order(
        &[&["a", "b"], &["b", "c"], &["c", "a"]],
        &["all at once", "against the order in `m0`", "against"],
    );
    // Reported once, however many do it, and not again as a part of more.
    in_order(
        &[&["a", "b"], &["b", "a"], &["b", "c", "a"], &["a", "b"]],
        &["both", "against"],
    );
    // Each by itself.
    in_order(
        &[&["a", "b"], &["b", "a"], &["c", "d"], &["d", "c"]],
        &["`m0`", "`m1`", "`m2`", "`m3`"],
    );
}

#[test]
fn what_another_lock_keeps_apart_is_no_hazard() {
    in_order(&[&["g", "a", "b"], &["g", "b", "a"]], &[]);
    in_order(&[&["g", "a", "b"], &["b", "a"]], &["both", "against"]);
}

#[test]
fn a_lock_of_one_task_at_a_time_is_acquired_again_where_it_is_read_twice() {
    let others = quote! {
        #[synchronized(a)] async fn add(&self) {}
        #[synchronized(read(a))] async fn get(&self) {}
        async fn helper(&self) { self.get().await; }
    };
    let says = |body: TokenStream, expected: &str| {
        let methods = quote!(#others #[synchronized(read(a))] async fn m(&self) { #body });
        let expected = format!("`m` holds `a` here, and {expected}");
        assert_eq!(findings_of_exclusive_locks(&methods), [expected]);
    };
    says(
        quote!(self.get().await;),
        "`get` acquires it again, which is a deadlock: write `a.get(..)`, which runs under the \
         lock already held",
    );
    says(
        quote!(self.add().await;),
        "`add` acquires it again, which is a deadlock: hold `a` here, and write `a.add(..)`, \
         which runs under the lock already held",
    );
    says(
        quote!(self.helper().await;),
        "`helper` acquires it again, through `get`, which is a deadlock: call it before or \
         after, or let `helper` take what is held, `a: &AccountAHeld<'_>`",
    );
    says(
        quote!(self.acquire_a().await;),
        "acquires it again, which is a deadlock: hold `a` in place of `read(a)`, and use `a`",
    );
    says(
        quote!(with_lock!(read(self.a), {});),
        "acquires it again, which is a deadlock: use `a`, which leads to what it guards",
    );
}

#[test]
fn a_lock_of_one_task_at_a_time_keeps_others_apart_where_it_is_read() {
    let methods = quote! {
        #[synchronized(read(g))] async fn m0(&self) {
            with_lock!(self.a, { with_lock!(self.b, {}) });
        }
        async fn m1(&self) {
            with_lock!(read(self.g), { with_lock!(self.b, { with_lock!(self.a, {}) }) });
        }
    };
    assert_eq!(findings(&methods).len(), 2);
    assert_eq!(findings_of_exclusive_locks(&methods), Vec::<String>::new());
}

#[test]
fn a_method_that_writes_is_none_of_a_view_that_reads() {
    let others = quote! {
        #[synchronized(a)] async fn add(&self) {}
        #[synchronized(read(a))] async fn get(&self) {}
        #[synchronized(b)] async fn other(&self) {}
    };
    let reading = |body| quote!(#others #[synchronized(x = read(a))] async fn m(&self) { #body });
    let message = |instead| {
        format!(
            "`m` holds `a` only to read here, and `add` writes: hold `{instead}` in place of \
             `read(a)`"
        )
    };
    let writes = reading(quote!(x.add().await; x.get().await;));
    assert_eq!(findings(&writes), [message("write(a)")]);
    assert_eq!(findings_of_exclusive_locks(&writes), [message("a")]);
    let inside = quote! {
        #others
        async fn m(&self) { with_lock!(read(self.a), b = self.b, { a.add().await; b.other().await }); }
    };
    assert_eq!(findings(&inside), [message("write(a)")]);

    for body in [
        quote!(x.get().await),
        // Of something else.
        quote!(a.add().await),
        quote!(x.other().await),
        quote!(x.a.add().await),
        quote!(let x = y; x.add().await),
        quote!(with_lock!(x = y.z, { x.add().await })),
        quote!(|x: T| x.add()),
    ] {
        assert_eq!(findings(&reading(body)), Vec::<String>::new());
    }
}

#[test]
fn locks_of_one_section_are_in_no_order() {
    let messages = findings(&quote! {
        #[synchronized(a, b)] async fn one(&self) {}
        #[synchronized(b, a)] async fn two(&self) {}
        #[synchronized(c)] async fn three(&self) { self.one().await }
    });
    assert_eq!(messages, Vec::<String>::new());
    let messages = findings(&quote! {
        #[synchronized(a, b)] async fn one(&self) { self.acquire_c().await; }
        #[synchronized(c)] async fn two(&self) { self.one().await }
    });
    assert!(
        messages.iter().any(|m| m.contains("against the order")),
        "{messages:#?}"
    );
}

/// A sync lock is acquired in the call.
#[test]
fn sync_locks_are_acquired_without_an_await() {
    for (body, expected) in [
        (quote!(self.acquire_a();), 1),
        (quote!(let guard = self.a.lock();), 1),
        (quote!(if self.read_a().is_empty() {}), 1),
        (quote!(self.try_acquire_a();), 0),
        (quote!(self.acquire_b();), 0),
        (quote!(other.acquire_a();), 0),
        (quote!(let later = || self.acquire_a();), 0),
    ] {
        let methods = quote!(#[synchronized(a)] fn m(&self) { #body });
        let found = found_of_any_kind(&methods);
        let of_sync = found.iter().filter(|finding| is_of_sync_lock(finding));
        assert_eq!(of_sync.count(), expected, "{body}");
        assert_eq!(findings(&methods), Vec::<String>::new(), "{body}");
    }
}

/// What names the struct may be what no name can be with `r#`.
#[test]
fn advice_for_an_impl_of_self() {
    for name in ["Self", "super", "r#type"] {
        let this: TokenStream = name.parse().expect("tokens");
        let item = quote!(impl #this {
            #[synchronized(a)]
            async fn f(&self) {
                self.g().await
            }
            async fn g(&self) {
                self.acquire_a().await;
            }
        });
        let view = format!("&mut {}AHeld<'_>", name.trim_start_matches("r#"));
        let output = crate::monitor::monitor(TokenStream::new(), item).to_string();
        assert!(output.contains(&view), "no {view} in {output}");
    }
}
