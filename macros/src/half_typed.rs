//! What macros emit for code that somebody is typing: an editor completes what it finds in the
//! expansion, so whatever is half typed, the items stay, and so do the statements of sections.

use proc_macro2::TokenStream;

use crate::{guarded, monitor, section};

/// The expansion has an error, and all of `kept`, which are tokens.
#[track_caller]
fn keeps(expansion: &TokenStream, kept: &[&str]) {
    let spaced = |tokens: &TokenStream| tokens.to_string();
    let text = spaced(expansion);
    assert!(text.contains("compile_error"), "no error: {text}");
    for kept in kept {
        let tokens: TokenStream = kept.parse().expect("tokens");
        assert!(text.contains(&spaced(&tokens)), "no `{kept}`: {text}");
    }
}

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("tokens")
}

/// Fns under attributes that are being typed.
#[test]
fn an_attribute_keeps_its_fn() {
    let item = "pub async fn withdraw(&self, amount: i64) -> Result<i64, Overdraft> \
                { *ledger.balance -= amount; Ok(*ledger.balance) }";
    for arguments in [
        "ledger, when =",
        "ledger, when = *ledger.balance >=",
        "ledger, when = |ledger| true",
        "ledger.",
        "self.",
        "self.ledger..",
        "read(ledger.)",
        "read()",
        "ledger, timeout =",
        "ledger, timeout = Duration::",
        "ledger, atomic no_await",
        "ledger =",
        "ledger = pick(key.)",
        "\"ledger\"",
        "ledger, crate = ::",
        "ledger, log:",
        "ledger => log",
        "ledger, ledger",
        "",
        ",",
        "1",
        "&",
    ] {
        let arguments = tokens(arguments);
        let expansion = section::synchronized(arguments, tokens(item));
        keeps(
            &expansion,
            &[
                "pub async fn withdraw(&self, amount: i64) -> Result<i64, Overdraft>",
                "*ledger.balance -= amount; Ok(*ledger.balance)",
            ],
        );
    }
}

/// What may be the name of a lock is known, and has no type.
#[test]
fn names_of_locks_are_bound() {
    for (arguments, bound) in [
        (
            "ledger, timeo: 1",
            "let ledger = :: core :: compile_error !",
        ),
        ("STATE.", "let state ="),
        ("a = self.inner.", "let a ="),
        ("self.ledger.", "let ledger ="),
        ("\"ledger\"", "let ledger = :: core :: compile_error !"),
        (
            "self.acquire_ledger().await",
            "let ledger = :: core :: compile_error !",
        ),
    ] {
        let item = "fn f(&self) { (ledger, a, state) }";
        let expansion = section::synchronized(tokens(arguments), tokens(item));
        keeps(&expansion, &[bound, "(ledger, a, state)"]);
    }
}

/// An editor completes a name where the code as it is expands to the same as the code with a name,
/// up to that.
#[test]
fn what_is_half_typed_expands_to_the_same() {
    let attribute = |arguments: &str| {
        let item = "async fn f(&self, parts: &Parts) { ledger.f() }";
        section::synchronized(tokens(arguments), tokens(item)).to_string()
    };
    let block = |arguments: &str| {
        section::with_lock(tokens(&format!("{arguments}, {{ ledger.f() }}"))).to_string()
    };
    // The keys of locks differ, and are of one length.
    let digits = |text: String| text.replace(|char: char| char.is_ascii_digit(), "0");
    for arguments in [
        "ledger, when = ledger.history.",
        "ledger, when = ledger.",
        "ledger, when = *ledger.balance > 0 && ledger.history.| && true",
        "ledger, when = !(ledger.history.)",
        "ledger, when = (ledger.history.|).len() == 1, timeout = LIMIT",
        "ledger, when = ledger.history.is_e",
        "ledger, when = ",
        "ledger, when = |, atomic",
        "ledger, timeout = |, atomic",
        "ledger, timeout = self.",
        "self.",
        "self.le",
        "read(self.|)",
        "log, self.",
        "self.inner.",
        "parts.",
    ] {
        let at = arguments
            .find('|')
            .unwrap_or(arguments.trim_end_matches(')').len());
        let (before, behind) = arguments.split_at(at);
        let behind = behind.trim_start_matches('|');
        for expand in [&attribute as &dyn Fn(&str) -> String, &block] {
            let as_it_is = digits(expand(&format!("{before}{behind}")));
            let with_a_name = digits(expand(&format!("{before}name{behind}")));
            let typed = before.rsplit(|char: char| !char.is_alphanumeric() && char != '_');
            let name = format!("{}name", typed.into_iter().next().unwrap_or_default());
            let (same, _) = with_a_name.split_once(&name).expect("the name");
            let same = same.trim_end_matches([' ', '.']);
            assert!(as_it_is.starts_with(same), "{arguments}: {as_it_is}");
            let is_whole = before.ends_with(char::is_alphanumeric);
            assert_eq!(as_it_is.contains("compile_error"), !is_whole, "{arguments}");
        }
    }
}

/// What may follow a `.`, and what means something to a macro only.
#[test]
fn what_is_whole_stays_as_it_is() {
    for condition in [
        "(0..).contains(ledger.balance)",
        "(..=3).contains(ledger.balance)",
        "(1..*ledger.balance).is_empty()",
        "ledger.0.1 == ledger.pair.0",
        "holds!(ledger.)",
        "{ let x = 1.; x > 0. }",
    ] {
        let item = tokens("async fn f(&self) { ledger.f() }");
        let arguments = tokens(&format!("ledger, when = {condition}"));
        let expansion = section::synchronized(arguments, item);
        let text = expansion.to_string().replace(' ', "");
        assert!(!text.contains("compile_error"), "{condition}: {expansion}");
        let kept = condition.replace(' ', "");
        assert!(text.contains(&kept), "{condition}: {expansion}");
    }
}

/// Items that are being typed, under an attribute that is right.
#[test]
fn an_attribute_keeps_what_is_no_item_yet() {
    for item in [
        "pub async fn withdraw(&self, amount: ) -> i64 { *ledger.balance }",
        "pub async fn withdraw(&self, amount: i64) -> { *ledger.balance }",
        "pub async fn withdraw(&self, amount: i64)",
        "pub async fn withdraw",
        "pub asy",
        "fn (&self) { ledger. }",
        "async fn withdraw<T: >(&self) where T { ledger. }",
    ] {
        let expansion = section::synchronized(tokens("ledger"), tokens(item));
        if expansion.to_string().contains("compile_error") {
            keeps(&expansion, &[item]);
        }
    }
}

/// Bodies that are being typed, in sections that are right otherwise: no error of ours.
#[test]
fn statements_are_kept_as_they_are() {
    for body in [
        "ledger.",
        "ledger.balance.",
        "*ledger.balance += ; self.",
        "let x = ledger.history.iter().",
        "if ledger.balance > { }",
        "self.notify(ledger.)",
        "match ledger.",
        "let",
        "ledger.balance.await.",
        "x.",
        "for x in ledger.history",
        "ledger.history.push(self.id.)",
        "with_lock!(self.log, { log. })",
        "with_lock!(self.log, )",
        "format!(\"{}\", ledger.)",
        "#[]",
        "|x| ledger.",
        "async move { ledger. }",
    ] {
        let fn_ = format!("async fn f(&self) {{ {body} }}");
        let expansion = section::synchronized(tokens("ledger"), tokens(&fn_)).to_string();
        assert!(!expansion.contains("compile_error"), "{body}: {expansion}");
        // What is awaited, and a section within, are put within the section.
        if !body.contains("await") && !body.contains("with_lock") {
            let body = tokens(body).to_string();
            assert!(expansion.contains(&body), "{body}: {expansion}");
        }
    }
}

/// A `with_lock!` that is being typed keeps its block.
#[test]
fn a_block_is_kept() {
    for input in [
        "account., { *ledger.balance += amount; ledger.f() }",
        "account.ledger { *ledger.balance += amount; ledger.f() }",
        "account.ledger, when =, { *ledger.balance += amount; ledger.f() }",
        "account.ledger, tim = 1, { *ledger.balance += amount; ledger.f() }",
        "{ *ledger.balance += amount; ledger.f() }",
        "account.ledger, { *ledger.balance += amount; ledger.f() } ti",
        "account.ledger, || { *ledger.balance += amount; ledger.f() }",
        "account.ledger, read(), { *ledger.balance += amount; ledger.f() }",
        "account., { use {{}, {}}; *ledger.balance += amount; ledger.f() }",
    ] {
        keeps(
            &section::with_lock(tokens(input)),
            &["*ledger.balance += amount; ledger.f()"],
        );
    }
    keeps(&section::with_lock(tokens("account.ledger,")), &[]);
    keeps(&section::with_lock(tokens("")), &[]);
}

/// The other methods under `#[monitor]` keep their two forms.
#[test]
fn an_impl_keeps_its_other_methods() {
    for half_typed in [
        "pub asy",
        "pub async fn",
        "fn next(&self, amount: ) { }",
        "fn next(&self)",
        "#[synchronized(ledger)] pub async fn next(&self)",
        "#[synch] fn next(&self) -> { }",
        "const N: usize =",
        "type T",
        "self.",
    ] {
        let item = format!(
            "impl Account {{ #[synchronized(ledger)] pub async fn first(&self) {{ ledger.a() }} \
             {half_typed} #[synchronized(ledger)] pub async fn last(&self) {{ ledger.b() }} }}"
        );
        let expansion = monitor::monitor(TokenStream::new(), tokens(&item));
        let kept = [
            "ledger.a()",
            "ledger.b()",
            "fn __first_held",
            "fn __last_held",
        ];
        let text = expansion.to_string();
        for kept in kept {
            let kept = tokens(kept).to_string();
            assert!(text.contains(&kept), "{half_typed}: no `{kept}`: {text}");
        }
    }
}

/// An attribute that is being typed keeps the impl.
#[test]
fn the_arguments_of_monitor_keep_the_impl() {
    for arguments in ["allow()", "allow(nes)", "crate =", "crate = ::", "pla", ","] {
        let item = tokens(
            "impl Account { #[synchronized(ledger)] pub async fn first(&self) { ledger.a() } }",
        );
        let text = monitor::monitor(tokens(arguments), item).to_string();
        for kept in ["fn __first_held", "ledger.a()"] {
            let kept = tokens(kept).to_string();
            assert!(text.contains(&kept), "{arguments}: no `{kept}`: {text}");
        }
    }
}

/// A field that is being typed leaves the others theirs.
#[test]
fn a_struct_keeps_its_other_fields() {
    for half_typed in [
        "own",
        "owner:",
        "pub",
        "#[guarded_by(ledger)]",
        "#[guarded_by(ledger)] owner: Guarded<",
        "owner: Guarded<HashMap<u8, =>>",
        "#[guarded_by(led)] owner: Guarded<u8>",
        "#[guarded_by] owner: Guarded<u8>",
        "owner: Guarded<u8> other",
    ] {
        let fields = "ledger: Lock, #[guarded_by(ledger)] balance: Guarded<i64>";
        for item in [
            format!("pub struct Account {{ {half_typed}, {fields} }}"),
            format!("pub struct Account {{ {fields}, {half_typed} }}"),
        ] {
            keeps(
                &guarded::derive(tokens(&item)),
                &[
                    "pub struct AccountLedgerHeld",
                    "fn acquire_ledger",
                    "balance",
                ],
            );
        }
    }
}
