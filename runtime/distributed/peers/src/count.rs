//! A proxy that counts the messages of Postgres.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::Failed;

#[derive(Default)]
pub struct Counts {
    /// What is answered to the last byte before the client goes on, or another task of it: a
    /// `Query`, or a `Sync`.
    pub round_trips: AtomicU64,
    pub notifications: AtomicU64,
}

pub struct Counting {
    pub port: u16,
    pub counts: Arc<Counts>,
}

impl Counting {
    pub async fn start(target: (String, u16)) -> Result<Self, Failed> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let counts = Arc::new(Counts::default());
        let counting = Arc::clone(&counts);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect((&*target.0, target.1)).await else {
                    continue;
                };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let (client, server) = (client.into_split(), server.into_split());
                let counts = Arc::clone(&counting);
                tokio::spawn(async move {
                    // The first message has no kind.
                    let messages = Messages::new(4);
                    let _ended = forward(client.0, server.1, messages, |kind| {
                        if matches!(kind, b'Q' | b'S') {
                            counts.round_trips.fetch_add(1, Ordering::Relaxed);
                        }
                    })
                    .await;
                });
                let counts = Arc::clone(&counting);
                tokio::spawn(async move {
                    let messages = Messages::new(5);
                    let _ended = forward(server.0, client.1, messages, |kind| {
                        if kind == b'A' {
                            counts.notifications.fetch_add(1, Ordering::Relaxed);
                        }
                    })
                    .await;
                });
            }
        });
        Ok(Counting { port, counts })
    }
}

async fn forward(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut messages: Messages,
    mut count: impl FnMut(u8),
) -> std::io::Result<()> {
    let mut buffer = vec![0; 65536];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        messages.read(&buffer[..length], &mut count);
        to.write_all(&buffer[..length]).await?;
    }
}

/// Where in the messages of a connection: each has a kind, and its length without that.
struct Messages {
    header: Vec<u8>,
    header_length: usize,
    skip: usize,
}

impl Messages {
    fn new(header_length: usize) -> Self {
        Messages {
            header: Vec::new(),
            header_length,
            skip: 0,
        }
    }

    fn read(&mut self, mut bytes: &[u8], count: &mut impl FnMut(u8)) {
        while !bytes.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                self.skip -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let missing = self.header_length - self.header.len();
            let taken = missing.min(bytes.len());
            self.header.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if self.header.len() == self.header_length {
                let (kind, length) = self.header.split_at(self.header_length - 4);
                let length = length
                    .iter()
                    .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
                if let [kind] = kind {
                    count(*kind);
                }
                self.skip = length.saturating_sub(4);
                self.header.clear();
                self.header_length = 5;
            }
        }
    }
}
