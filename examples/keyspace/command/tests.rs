//! Each command, and each way in which it is refused.

use super::*;
use crate::state::ByHand;

/// Talks to a state of its own.
struct Client {
    session: Session<ByHand>,
    replies: Replies,
}

impl Client {
    fn new() -> Self {
        Self::sharing(Arc::default(), 1)
    }

    fn sharing(state: Arc<ByHand>, id: u64) -> Self {
        Client {
            session: Session::new(state, id),
            replies: Replies::default(),
        }
    }

    /// The reply to words with spaces between them, with spaces for line ends.
    #[track_caller]
    fn ask(&mut self, request: &str) -> String {
        let request: Vec<_> = request.split(' ').map(str::as_bytes).collect();
        self.replies.clear();
        let flow = self.session.execute(&request, &mut self.replies);
        assert!(flow.is_continue());
        let reply = String::from_utf8(self.replies.bytes().to_vec()).unwrap();
        let line = reply.strip_suffix("\r\n").expect("a whole reply");
        line.replace("\r\n", " ")
    }

    #[track_caller]
    fn check(&mut self, dialogue: &[(&str, &str)]) {
        for (request, reply) in dialogue {
            assert_eq!(self.ask(request), *reply, "{request}");
        }
    }
}

const WRONG_TIME: &str = "-ERR invalid expire time";

#[tokio::test]
async fn values() {
    Client::new().check(&[
        ("get k", "$-1"),
        ("SET k v", "+OK"),
        ("gEt k", "$1 v"),
        ("set k w get", "$1 v"),
        ("set k x nx", "$-1"),
        ("set k x nx get", "$1 w"),
        ("set l x xx", "$-1"),
        ("set k x xx", "+OK"),
        ("set l x get", "$-1"),
        ("mset a 1 b 2", "+OK"),
        ("mget a none b", "*3 $1 1 $-1 $1 2"),
        ("incr a", ":2"),
        ("incrby a 40", ":42"),
        ("decr a", ":41"),
        ("decrby a 40", ":1"),
        ("get a", "$1 1"),
        ("incr k", "-ERR value is not an integer or out of range"),
        ("incrby a x", "-ERR value is not an integer or out of range"),
        (
            "incrby a 9223372036854775807",
            "-ERR increment or decrement would overflow",
        ),
        (
            "decrby a -9223372036854775808",
            "-ERR decrement would overflow",
        ),
        ("exists a b none a", ":3"),
        ("dbsize", ":4"),
        ("del a b none", ":2"),
        ("flushall", "+OK"),
        ("flushall async", "+OK"),
        ("flushall now", "-ERR syntax error"),
        ("flushall sync sync", "-ERR syntax error"),
        ("dbsize", ":0"),
    ]);
}

#[tokio::test(start_paused = true)]
async fn times() {
    Client::new().check(&[
        ("ttl k", ":-2"),
        ("pttl k", ":-2"),
        ("expire k 1", ":0"),
        ("set k v", "+OK"),
        ("ttl k", ":-1"),
        ("expire k 100", ":1"),
        ("ttl k", ":100"),
        ("pttl k", ":100000"),
        ("pexpire k 1500", ":1"),
        ("ttl k", ":2"),
        ("persist k", ":1"),
        ("persist k", ":0"),
        ("set k v ex 10 xx", "+OK"),
        ("ttl k", ":10"),
        ("set k v PX 10", "+OK"),
        ("pttl k", ":10"),
        ("set k v ex 0", WRONG_TIME),
        ("set k v px -1", WRONG_TIME),
        ("set k v ex 9223372036854775807", WRONG_TIME),
        ("expire k 9223372036854775807", WRONG_TIME),
        (
            "set k v ex x",
            "-ERR value is not an integer or out of range",
        ),
        ("set k v ex", "-ERR syntax error"),
        ("set k v ex 1 px 1", "-ERR syntax error"),
        ("set k v nx xx", "-ERR syntax error"),
        ("set k v xx nx", "-ERR syntax error"),
        ("set k v soon", "-ERR syntax error"),
        ("expire k x", "-ERR value is not an integer or out of range"),
        ("expire k -1", ":1"),
        ("exists k", ":0"),
    ]);
}

#[tokio::test]
async fn the_connection() {
    let mut client = Client::new();
    client.check(&[
        ("ping", "+PONG"),
        ("ping text", "$4 text"),
        ("echo text", "$4 text"),
        ("command docs", "*0"),
        ("config get save", "*2 $4 save $0 "),
        ("config get APPENDONLY none", "*2 $10 appendonly $2 no"),
        ("config get none", "*0"),
        (
            "config get",
            "-ERR wrong number of arguments for 'config|get' command",
        ),
        (
            "config set save x",
            "-ERR unknown subcommand 'set'. Try CONFIG HELP.",
        ),
        ("client setname me", "+OK"),
        ("client setinfo lib-name me", "+OK"),
        ("client id", ":1"),
        (
            "client id 1",
            "-ERR wrong number of arguments for 'client|id' command",
        ),
        (
            "client kill",
            "-ERR unknown subcommand 'kill'. Try CLIENT HELP.",
        ),
        ("hello 3", "-NOPROTO unsupported protocol version"),
        (
            "hello x",
            "-ERR Protocol version is not an integer or out of range",
        ),
        (
            "hello 2 auth me",
            "-ERR Syntax error in HELLO option 'auth'",
        ),
        ("reset", "+RESET"),
        (
            "do this \r\n",
            "-ERR unknown command 'do', with args beginning with: 'this' '  ' ",
        ),
    ]);
    assert!(
        client
            .ask("hello 2 setname me")
            .starts_with("*8 $6 server $8 keyspace")
    );
    let long = "x".repeat(10_000);
    assert!(client.ask(&format!("{long} {long} {long}")).len() < 500);
    client.replies.clear();
    assert!(
        client
            .session
            .execute(&[b"Quit"], &mut client.replies)
            .is_break()
    );
    assert_eq!(client.replies.bytes(), b"+OK\r\n");
}

#[tokio::test]
async fn channels() {
    let state = Arc::default();
    let mut client = Client::sharing(Arc::clone(&state), 1);
    let mut other = Client::sharing(state, 2);
    let refused = "-ERR Can't execute 'get': only SUBSCRIBE / UNSUBSCRIBE / PING / QUIT / RESET \
        are allowed in this context";
    client.check(&[
        ("unsubscribe", "*3 $11 unsubscribe $-1 :0"),
        (
            "subscribe a b",
            "*3 $9 subscribe $1 a :1 *3 $9 subscribe $1 b :2",
        ),
        ("subscribe a", "*3 $9 subscribe $1 a :2"),
        ("get k", refused),
        (
            "do",
            "-ERR unknown command 'do', with args beginning with: ",
        ),
        ("ping", "*2 $4 pong $0 "),
        ("ping text", "*2 $4 pong $4 text"),
    ]);
    other.check(&[("publish a hello", ":1"), ("publish none hello", ":0")]);
    client.check(&[
        // What came before it is delivered before the reply.
        (
            "unsubscribe a",
            "*3 $7 message $1 a $5 hello *3 $11 unsubscribe $1 a :1",
        ),
        ("unsubscribe", "*3 $11 unsubscribe $1 b :0"),
        ("get k", "$-1"),
        (
            "subscribe a b",
            "*3 $9 subscribe $1 a :1 *3 $9 subscribe $1 b :2",
        ),
        ("reset", "+RESET"),
        ("get k", "$-1"),
        ("subscribe a", "*3 $9 subscribe $1 a :1"),
    ]);
    assert_eq!(other.ask("publish a hello"), ":1");
    let subscriber = Arc::downgrade(client.session.inbox.subscriber());
    drop(client);
    assert!(subscriber.upgrade().is_none(), "the channel keeps it");
    assert_eq!(other.ask("publish a hello"), ":0");
}

#[tokio::test]
async fn numbers_of_arguments() {
    let mut client = Client::new();
    for command in COMMANDS {
        if command == "quit" {
            continue; // with whatever arguments
        }
        let reply = client.ask(command);
        assert!(!reply.contains("unknown"), "{command}: {reply}");
        client.ask("reset");
    }
    for request in [
        "get",
        "get a b",
        "set a",
        "mget",
        "mset",
        "mset a",
        "mset a b c",
        "incr",
        "incrby a",
        "decr a b",
        "decrby a",
        "del",
        "exists",
        "expire a",
        "pexpire a",
        "persist",
        "ttl",
        "pttl a b",
        "dbsize a",
        "publish a",
        "subscribe",
        "ping a b",
        "echo",
        "reset a",
        "client",
        "config",
    ] {
        let command = request.split(' ').next().unwrap();
        let error = format!("-ERR wrong number of arguments for '{command}' command");
        assert_eq!(client.ask(request), error, "{request}");
    }
}
