//! The example `keyspace`, as a server: over plain sockets, and with the tools of
//! Redis if they are installed. Each test runs with each form of the state.

#[path = "../programs/mod.rs"]
mod programs;
mod server;
#[cfg(unix)]
mod signals;
mod tools;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use programs::example;
use server::{Server, ask, bulk, request};

const FORMS: [&str; 2] = ["by-hand", "monitor"];

#[test]
fn pipelined_requests_however_they_are_cut() {
    let value = b"\r\n\0\xff*1";
    let requests = [
        request(&[b"SET", b"k\0\r\n", value]),
        b"ping\r\n".to_vec(),
        request(&[b"GET", b"k\0\r\n"]),
        request(&[b"GET"]),
        b"  echo \"a b\"  \n".to_vec(),
    ]
    .concat();
    let replies = [
        b"+OK\r\n+PONG\r\n".to_vec(),
        bulk(value),
        b"-ERR wrong number of arguments for 'get' command\r\n".to_vec(),
        bulk(b"a b"),
    ]
    .concat();
    for form in FORMS {
        let server = Server::start(form, &[]);
        for step in [1, 2, 7, requests.len()] {
            let mut client = server.connect();
            for part in requests.chunks(step) {
                client.write_all(part).unwrap();
                if step < 7 {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            let mut received = vec![0; replies.len()];
            client.read_exact(&mut received).unwrap();
            assert_eq!(received, replies, "{}", received.escape_ascii());
        }

        // More replies than fit into the buffers of the sockets, read meanwhile.
        let mut client = server.connect();
        let mut sender = client.try_clone().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    sender.write_all(&requests).unwrap();
                }
            });
            for _ in 0..20_000 {
                let mut received = vec![0; replies.len()];
                client.read_exact(&mut received).unwrap();
                assert_eq!(received, replies);
            }
        });
    }
}

#[test]
fn what_is_no_request_ends_the_connection() {
    for form in FORMS {
        let server = Server::start(form, &[]);
        // The reply must not be lost because of what was sent and is never read.
        let unread = [&b"*1\r\n:1\r\n"[..], &[b'x'; 100_000]].concat();
        for (bytes, error) in [
            (&unread[..], "expected '$', got ':'"),
            (b"*1\r\n$99999999999\r\n", "invalid bulk length"),
            (b"*1\r\n$-1\r\n", "invalid bulk length"),
            (b"*1048577\r\n", "invalid multibulk length"),
            (b"*1\r\n:1\r\n", "expected '$', got ':'"),
            (b"get \"k\r\n", "unbalanced quotes in request"),
            (&[b'x'; 1 << 20], "too big inline request"),
        ] {
            let mut client = server.connect();
            // It may be closed before all is written.
            let _ = client.write_all(&[b"PING\r\n", bytes].concat());
            let mut replies = String::new();
            client.read_to_string(&mut replies).unwrap();
            assert_eq!(
                replies,
                format!("+PONG\r\n-ERR Protocol error: {error}\r\n")
            );
        }
        let mut client = server.connect();
        assert_eq!(ask(&mut client, "QUIT"), "+OK");
        assert_eq!(client.read(&mut [0]).unwrap(), 0);

        // The server goes on, also when clients go in the middle of a request.
        server
            .connect()
            .write_all(b"*2\r\n$3\r\nGET\r\n$100\r\nk")
            .unwrap();
        assert_eq!(ask(&mut server.connect(), "PING"), "+PONG");
    }
}

#[test]
fn sections_exclude_each_other() {
    const CLIENTS: usize = 8;
    const TIMES: usize = 1000;
    for form in FORMS {
        let server = Server::start(form, &[]);
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    let mut client = server.connect();
                    client.write_all(&b"INCR n\r\n".repeat(TIMES)).unwrap();
                    client.write_all(b"QUIT\r\n").unwrap();
                    client.read_to_end(&mut Vec::new()).unwrap();
                });
            }
        });
        let sum = (CLIENTS * TIMES).to_string();
        let reply = ask(&mut server.connect(), "GET n");
        assert_eq!(reply, format!("${}\r\n{sum}", sum.len()));
    }
}

#[test]
fn entries_expire() {
    for form in FORMS {
        let server = Server::start(form, &[]);
        let mut client = server.connect();
        ask(&mut client, "SET later v EX 1000");
        ask(&mut client, "SET k v PX 50");
        assert_eq!(ask(&mut client, "DBSIZE"), ":2");
        let start = Instant::now();
        while ask(&mut client, "DBSIZE") != ":1" {
            assert!(start.elapsed() < Duration::from_secs(10), "never removed");
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(ask(&mut client, "GET k"), "$-1");
        assert_eq!(ask(&mut client, "TTL later"), ":1000");
    }
}

#[test]
fn messages_arrive_in_order() {
    const MESSAGES: usize = 1000;
    for form in FORMS {
        let server = Server::start(form, &[]);
        let mut publisher = server.connect();
        let mut subscribers: Vec<_> = (0..3).map(|_| server.connect()).collect();
        for subscriber in &mut subscribers {
            assert_eq!(
                ask(subscriber, "SUBSCRIBE c"),
                "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1"
            );
        }
        let mut expected = Vec::new();
        for number in 0..MESSAGES {
            assert_eq!(ask(&mut publisher, &format!("PUBLISH c {number}")), ":3");
            expected.extend(request(&[b"message", b"c", number.to_string().as_bytes()]));
        }
        for subscriber in &mut subscribers {
            let mut received = vec![0; expected.len()];
            subscriber.read_exact(&mut received).unwrap();
            assert_eq!(received, expected);
        }

        // Who is gone is no subscriber.
        drop(subscribers);
        let start = Instant::now();
        while ask(&mut publisher, "PUBLISH c gone") != ":0" {
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "still subscribed"
            );
        }
    }
}

/// It gets what was published until it was too slow, without a gap.
#[test]
fn a_subscriber_that_does_not_read_is_closed() {
    for form in FORMS {
        let server = Server::start(form, &[]);
        let mut publisher = server.connect();
        let mut subscriber = server.connect();
        ask(&mut subscriber, "SUBSCRIBE c");
        let payload = vec![b'x'; 1 << 20];
        let publish = request(&[b"PUBLISH", b"c", &payload]);
        let message = request(&[b"message", b"c", &payload]);
        let mut taken = 0;
        loop {
            publisher.write_all(&publish).unwrap();
            match server::reply(&mut publisher).as_str() {
                ":0" => break,
                ":1" => taken += 1,
                other => panic!("{other}"),
            }
            assert!(taken < 256, "nothing limits what is queued");
        }
        assert!(taken >= 8);

        let mut received = Vec::new();
        let end = subscriber.read_to_end(&mut received);
        assert!(end.is_ok() || end.is_err_and(|it| it.kind() == ErrorKind::ConnectionReset));
        assert!(received.len() < taken * message.len());
        for part in received.chunks(message.len()) {
            assert!(message.starts_with(part), "a gap");
        }
        assert_eq!(ask(&mut publisher, "PING"), "+PONG");
    }
}

#[test]
fn connections_have_a_limit() {
    for form in FORMS {
        let server = Server::start(form, &["--max-connections", "1"]);
        let mut first = server.connect();
        assert_eq!(ask(&mut first, "PING"), "+PONG");
        let mut refused = String::new();
        server.connect().read_to_string(&mut refused).unwrap();
        assert_eq!(refused, "-ERR max number of clients reached\r\n");
        assert_eq!(ask(&mut first, "PING"), "+PONG");
        drop(first);

        let start = Instant::now();
        loop {
            let mut next = server.connect();
            if next.write_all(b"PING\r\n").is_ok() && server::reply(&mut next) == "+PONG" {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "still refused");
        }
    }
}

#[test]
fn arguments() {
    let help = example("keyspace").arg("--help").output().unwrap();
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("Exit status:"));

    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().port().to_string();
    for (args, status, answer) in [
        (["--port", "66000"], 2, "66000 is not in 0..=65535"),
        (["--bind", "nowhere"], 2, "invalid value 'nowhere'"),
        (["--state", "none"], 2, "invalid value 'none'"),
        (["--max-connections", "0"], 2, "invalid value '0'"),
        (
            ["--port", &taken],
            3,
            "keyspace: cannot listen on 127.0.0.1 port",
        ),
    ] {
        let run = example("keyspace").args(args).output().unwrap();
        let stderr = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(status), "{stderr}");
        assert!(stderr.contains(answer), "{stderr}");
    }
}
