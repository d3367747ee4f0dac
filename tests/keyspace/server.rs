//! A server for one test, and clients over plain sockets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::programs::example;

/// How long to wait for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server on a port of its own, until this is dropped.
pub struct Server {
    pub process: Child,
    pub port: u16,
}

impl Server {
    pub fn start(form: &str, args: &[&str]) -> Self {
        let mut process = example("keyspace")
            .args(["--port", "0", "--state", form])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example runs");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).unwrap();
        // keyspace: listening on 127.0.0.1:34567, state by-hand
        let rest = line.strip_prefix("keyspace: listening on 127.0.0.1:");
        let rest = rest.unwrap_or_else(|| panic!("unexpected: {line:?}"));
        let (port, state) = rest.split_once(", state ").expect("a port and a form");
        assert_eq!(state.trim(), form);
        let port = port.parse().expect("a port");
        Server { process, port }
    }

    pub fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        client.set_nodelay(true).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.set_write_timeout(Some(PATIENCE)).unwrap();
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A request as an array, or a message.
pub fn request(arguments: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", arguments.len()).into_bytes();
    for argument in arguments {
        bytes.extend(bulk(argument));
    }
    bytes
}

pub fn bulk(bytes: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// Sends words as a request, and returns the reply without the last line end.
pub fn ask(client: &mut TcpStream, words: &str) -> String {
    let words: Vec<_> = words.split(' ').map(str::as_bytes).collect();
    client.write_all(&request(&words)).unwrap();
    reply(client)
}

/// Reads a reply, and returns it without the last line end. Nothing at the end.
pub fn reply(client: &mut TcpStream) -> String {
    let mut reply = line(client);
    let (kind, length) = reply.split_at(reply.len().min(1));
    match (kind, length.parse::<i64>()) {
        ("$", Ok(length @ 0..)) => {
            let mut text = vec![0; length as usize + 2];
            client.read_exact(&mut text).unwrap();
            let text = String::from_utf8(text).unwrap();
            reply += "\r\n";
            reply += text.trim_end_matches("\r\n");
        }
        ("*", Ok(length)) => {
            for _ in 0..length {
                reply += "\r\n";
                reply += &self::reply(client);
            }
        }
        _ => {}
    }
    reply
}

/// Reads a byte at a time: what follows the line is not for us.
fn line(client: &mut TcpStream) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\r\n") {
        match client.read(&mut byte) {
            Ok(1) => line.push(byte[0]),
            _ => break,
        }
    }
    let line = String::from_utf8(line).unwrap();
    line.trim_end_matches("\r\n").to_owned()
}
