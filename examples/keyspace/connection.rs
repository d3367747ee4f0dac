//! One connection: reads requests, writes replies, and messages in between.
//!
//! All requests that have arrived are processed before anything is written. So a client that sends
//! many requests at once gets its replies in few packets. If a client does not read its replies,
//! its requests are not read either.

use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{self, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time;

use crate::command::Session;
use crate::protocol::{Replies, Requests};
use crate::state::State;
use crate::subscriber::Subscriber;

/// Replies are written when there are that many bytes, even if more requests
/// have arrived.
const WRITE_AT: usize = 64 << 10;

/// How long a client may take to stop sending after its connection was closed.
const LINGER: Duration = Duration::from_secs(1);

/// Serves a client until it goes, breaks the protocol, is too slow, or `stop`
/// completes.
pub async fn serve<S: State>(
    mut stream: TcpStream,
    state: Arc<S>,
    id: u64,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    // What belongs together is written at once already.
    stream.set_nodelay(true)?;
    let mut stop = pin!(stop);
    let mut session = Session::new(state, id);
    let mut requests = Requests::default();
    let mut replies = Replies::default();
    loop {
        let next = answer(&mut requests, &mut session, &mut replies);
        write(&mut stream, session.subscriber(), &mut replies).await?;
        match next {
            Next::Answer => continue,
            Next::Read => {}
            Next::Close => return close(stream).await,
        }
        tokio::select! {
            biased; // so that messages do not keep a client from unsubscribing
            () = &mut stop => return close(stream).await,
            received = requests.read_from(&mut stream) => {
                if received? == 0 {
                    return Ok(());
                }
            }
            message = session.inbox().receive() => {
                replies.message(&message);
                while replies.bytes().len() < WRITE_AT {
                    let Some(message) = session.inbox().try_receive() else { break };
                    replies.message(&message);
                }
            }
        }
    }
}

/// What to do after replies are written.
enum Next {
    Answer,
    Read,
    Close,
}

/// Answers the requests that have arrived.
fn answer<S: State>(
    requests: &mut Requests,
    session: &mut Session<S>,
    replies: &mut Replies,
) -> Next {
    while replies.bytes().len() < WRITE_AT {
        match requests.next() {
            Ok(None) => return Next::Read,
            Ok(Some(request)) => {
                if session.execute(&request, replies).is_break() {
                    return Next::Close;
                }
            }
            Err(error) => {
                replies.error(format!("ERR {error}"));
                return Next::Close;
            }
        }
    }
    Next::Answer
}

/// Writes the replies, unless this is a subscriber that is too slow.
async fn write(
    stream: &mut TcpStream,
    subscriber: &Subscriber,
    replies: &mut Replies,
) -> io::Result<()> {
    if replies.bytes().is_empty() {
        return Ok(());
    }
    tokio::select! {
        biased;
        () = subscriber.too_slow() => {
            return Err(io::Error::new(ErrorKind::TimedOut, "the subscriber is too slow"));
        }
        written = stream.write_all(replies.bytes()) => written?,
    }
    replies.clear();
    Ok(())
}

/// Closes a connection so that the client gets what was written last: as long as
/// there is something that was not read, it could be lost.
async fn close(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut nowhere = io::sink();
    time::timeout(LINGER, io::copy(&mut stream, &mut nowhere)).await??;
    Ok(())
}
