//! The server: runs a task for each connection, and lets each connection answer the requests it has
//! received before it shuts down.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time;

use crate::connection;
use crate::program::complain;
use crate::state::State;

/// How long connections may take to write their last replies.
const GRACE: Duration = Duration::from_secs(5);

/// How long to wait when no connection can be accepted, as there are no file
/// descriptors left: until others have been closed.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves clients until `stop` completes.
pub async fn run<S: State>(
    listener: TcpListener,
    max_connections: usize,
    stop: impl Future<Output = ()>,
) {
    let state = Arc::new(S::default());
    let background = tokio::spawn({
        let state = Arc::clone(&state);
        async move { state.remove_expired().await }
    });

    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    for id in 1.. {
        let stream = tokio::select! {
            () = &mut stop => break,
            stream = accept(&listener, &mut connections) => stream,
        };
        if connections.len() >= max_connections {
            refuse(stream);
            continue;
        }
        let mut stopped = stopped.clone();
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let stop = async move {
                // An error would mean that the server is gone.
                let _ = stopped.wait_for(|stopped| *stopped).await;
            };
            // A connection that breaks concerns nobody else.
            let _ = connection::serve(stream, state, id, stop).await;
        });
    }

    drop(listener);
    stopping.send_replace(true);
    let all = async {
        while let Some(ended) = connections.join_next().await {
            report_panic(ended);
        }
    };
    let _ = time::timeout(GRACE, all).await;
    connections.shutdown().await;
    state.shut_down();
    report_panic(background.await);
}

/// The next client. Meanwhile, forgets the connections that have ended.
async fn accept(listener: &TcpListener, connections: &mut JoinSet<()>) -> TcpStream {
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => return stream,
                Err(error) => {
                    complain(format_args!("cannot accept a connection: {error}"));
                    time::sleep(PAUSE).await;
                }
            },
            Some(ended) = connections.join_next() => report_panic(ended),
        }
    }
}

/// Tells a client that there are too many. It is not waited for.
fn refuse(mut stream: TcpStream) {
    tokio::spawn(async move {
        let error = b"-ERR max number of clients reached\r\n";
        time::timeout(PAUSE, stream.write_all(error)).await??;
        stream.shutdown().await
    });
}

fn report_panic(ended: Result<(), JoinError>) {
    match ended {
        Err(error) if error.is_panic() => complain(format_args!("a task panicked: {error}")),
        _ => {}
    }
}
