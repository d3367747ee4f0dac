//! A macro that takes the local of the section out of its tokens can do nothing with it that two
//! threads could do at a time.

use std::mem;
use std::thread;

use async_monitor::__private::AwaitWithin;
use async_monitor::{Guarded, Lock, synchronized};
use futures::executor::block_on;

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

fn is_section<const N: usize>(_: &async_monitor::__private::Section<'_, N>) {}

/// Not that of the standard library.
macro_rules! vec {
    ($value:ident.$within:ident(&mut $section:ident).await) => {{
        // Nothing shared comes from it.
        $section.__entered(0);
        is_section(&$section);
        $section.__await_within(async {});
        // Nor what would be shared, were it taken once.
        let nested = $section.__enclosing();
        drop((nested.clone(), nested));
    }};
}

/// By a promise that the user makes.
macro_rules! println {
    ($value:ident.$within:ident(&mut $section:ident).await) => {
        $section.__shared().__entered(0)
    };
}

/// What it gives is borrowed mutably.
macro_rules! format {
    ($value:ident.$within:ident(&mut $section:ident).await) => {
        thread::scope(|scope| {
            let a = async {}.__within(&mut $section);
            let b = async {}.__within(&mut $section);
            scope.spawn(|| block_on(a));
            scope.spawn(|| block_on(b));
        })
    };
}

/// Keeps it while the thread is in the section.
macro_rules! matches {
    ($value:ident.$within:ident(&mut $section:ident).await) => {
        async {}.__within(&mut $section)
    };
}

impl Account {
    #[synchronized(ledger)]
    async fn shared(&self) {
        let _x = async {};
        vec!(_x.await);
    }

    #[synchronized(ledger)]
    async fn promised(&self) {
        let _x = async {};
        println!(_x.await);
    }

    #[synchronized(ledger)]
    async fn twice(&self) {
        let _x = async {};
        format!(_x.await);
    }

    #[synchronized(ledger)]
    async fn kept(&self) {
        let _x = async {};
        let kept = matches!(_x.await);
        *ledger.balance += 1;
        mem::drop(kept);
    }
}

fn main() {}
