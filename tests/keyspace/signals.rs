//! The end of the server, by a signal.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::FORMS;
use crate::server::{Server, ask, bulk, request};

/// Sends a signal.
fn kill(server: &Server, signal: &str) {
    let kill = format!("kill -{signal} {}", server.process.id());
    let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_signal_closes_all_connections() {
    for form in FORMS {
        for signal in ["INT", "TERM"] {
            let mut server = Server::start(form, &[]);
            let mut clients: Vec<_> = (0..3).map(|_| server.connect()).collect();
            ask(&mut clients[0], "SET k v EX 1000");
            ask(&mut clients[1], "SUBSCRIBE c");
            clients[2].write_all(b"*2\r\n$4\r\nPI").unwrap();
            let start = Instant::now();
            kill(&server, signal);
            for client in &mut clients {
                assert_eq!(client.read(&mut [0]).unwrap(), 0);
            }
            drop(clients);
            assert_eq!(server.process.wait().unwrap().code(), Some(0));
            assert!(start.elapsed() < Duration::from_secs(4));
            assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err());
        }
    }
}

/// The replies are more than the buffers of the sockets take, and the client reads
/// them only after the signal.
#[test]
fn what_was_received_is_answered() {
    const REQUESTS: usize = 64;
    for form in FORMS {
        let mut server = Server::start(form, &[]);
        let mut client = server.connect();
        let value = vec![b'x'; 1 << 20];
        client.write_all(&request(&[b"SET", b"k", &value])).unwrap();
        client.read_exact(&mut [0; 5]).unwrap();
        let get = request(&[b"GET", b"k"]);
        client.write_all(&get.repeat(REQUESTS)).unwrap();
        // The server has begun to answer, so it has read them all.
        client.read_exact(&mut [0]).unwrap();

        kill(&server, "TERM");
        thread::sleep(Duration::from_millis(100));
        let mut replies = vec![b'$'];
        client.read_to_end(&mut replies).unwrap();
        assert!(replies == bulk(&value).repeat(REQUESTS));
        assert_eq!(server.process.wait().unwrap().code(), Some(0));
    }
}

/// A client that never reads delays the end, but not for ever.
#[test]
fn a_client_that_does_not_read_is_not_waited_for() {
    for form in FORMS {
        let mut server = Server::start(form, &[]);
        let mut client = server.connect();
        let value = vec![b'x'; 32 << 20];
        client.write_all(&request(&[b"ECHO", &value])).unwrap();
        client.read_exact(&mut [0]).unwrap();
        kill(&server, "TERM");
        let start = Instant::now();
        assert_eq!(server.process.wait().unwrap().code(), Some(0));
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
