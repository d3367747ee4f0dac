//! A token is taken out of its place, and its holder is cancelled before it is put back.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Semaphore, SemaphorePermit};

use crate::support::{a_moment, task};

async fn use_token(tokens: &Semaphore, is_mended: bool) {
    let permit: SemaphorePermit<'_> = tokens.acquire().await;
    if is_mended {
        a_moment().await;
        drop(permit);
    } else {
        permit.forget();
        a_moment().await;
        tokens.add_permits(1);
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let tokens = Arc::new(Semaphore::new(1));
    run.name("tokens", &*tokens);
    for name in ["ada", "bob"] {
        task(run, name, &tokens, move |tokens| async move {
            use_token(&tokens, is_mended).await;
        });
    }
    run.finally(move || assert_eq!(tokens.available_permits(), 1, "a token is lost"));
}
