//! The interface of a server to its terminal: signals, and lines of text. The example
//! `ticket_office` uses it, too.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Completes with the first signal to stop.
#[cfg(unix)]
pub(crate) fn signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
pub(crate) fn signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// Prints. Whether somebody reads it does not matter.
pub(crate) fn announce(line: impl Display) -> io::Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Says what went wrong. Not `eprintln!`, which panics when nobody reads it.
pub(crate) fn complain(problem: impl Display) {
    let _ = writeln!(io::stderr(), "{}: {problem}", env!("CARGO_CRATE_NAME"));
}
