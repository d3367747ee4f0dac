//! A customer's end of a connection.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Whatever goes wrong between the customer and the office.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A connection of its own, which is cut when this is dropped.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    connection: JoinHandle<()>,
}

/// What the office has answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

impl Answer {
    /// The number in the field `name`.
    pub fn number(&self, name: &str) -> Result<u64, Error> {
        let number = self.body[name].as_u64();
        number.ok_or_else(|| format!("no number {name:?} in {self:?}").into())
    }
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(async move {
            // How it ends is seen by the request.
            let _ = connection.await;
        });
        Ok(Client { sender, connection })
    }

    /// Sends a request, and returns the answer once its head is there.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: &str,
    ) -> Result<Response<Incoming>, Error> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))?;
        Ok(self.sender.send_request(request).await?)
    }

    pub async fn ask(&mut self, method: Method, path: &str, body: &str) -> Result<Answer, Error> {
        let response = self.send(method, path, body).await?;
        let status = response.status();
        let bytes = response.into_body().collect().await?.to_bytes();
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes)?
        };
        Ok(Answer { status, body })
    }

    pub async fn post(&mut self, path: &str, body: &str) -> Result<Answer, Error> {
        self.ask(Method::POST, path, body).await
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// Server-sent events, one after the other.
pub struct Events {
    body: Incoming,
    received: Vec<u8>,
}

impl Events {
    pub fn new(response: Response<Incoming>) -> Self {
        Events {
            body: response.into_body(),
            received: Vec::new(),
        }
    }

    /// The name and the data of the next event; none at the end.
    pub async fn next(&mut self) -> Result<Option<(String, Value)>, Error> {
        loop {
            if let Some(end) = self.received.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = self.received.drain(..end + 2).collect();
                let event = String::from_utf8(event)?;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                if let (Some(name), Some(data)) = (field("event: "), field("data: ")) {
                    return Ok(Some((name.to_owned(), serde_json::from_str(data)?)));
                }
                continue; // a comment, which keeps the connection alive
            }
            match self.body.frame().await {
                Some(frame) => {
                    if let Ok(data) = frame?.into_data() {
                        self.received.extend_from_slice(&data);
                    }
                }
                None => return Ok(None),
            }
        }
    }
}
