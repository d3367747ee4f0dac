//! A TCP proxy whose connections can be cut, stalled and slowed down.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// What becomes of what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It arrives.
    Pass,
    /// It arrives later.
    Slow(Duration),
    /// It does not arrive, and nobody is told: a network that is down.
    Stall,
    /// Connections are closed, and refused.
    Cut,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    accepted: usize,
    /// So many of them, the first ones, stall.
    stranded: usize,
}

impl State {
    fn stalls(&self, number: usize) -> bool {
        self.mode == Mode::Stall || (self.mode != Mode::Cut && number <= self.stranded)
    }
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    connections: Mutex<Vec<TcpStream>>,
}

/// The proxy.
#[derive(Debug)]
pub struct Proxy {
    pub port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// In front of a port of this machine.
    pub fn start(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                mode: Mode::Pass,
                accepted: 0,
                stranded: 0,
            }),
            changed: Condvar::new(),
            connections: Mutex::new(Vec::new()),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let number = {
                    let mut state = accepting.state.lock().unwrap();
                    if state.mode == Mode::Cut {
                        continue;
                    }
                    state.accepted += 1;
                    state.accepted
                };
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else {
                    continue;
                };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let shared = Arc::clone(&accepting);
                    thread::spawn(move || forward(number, from, to, &shared));
                }
                let mut connections = accepting.connections.lock().unwrap();
                connections.extend([client, server]);
            }
        });
        Proxy { port, shared }
    }

    /// The connections that there are stall, and nobody is told. Those made from now on do not.
    pub fn strand(&self) {
        let mut state = self.shared.state.lock().unwrap();
        state.stranded = state.accepted;
    }

    /// Changes what becomes of what is sent from now on.
    pub fn set(&self, mode: Mode) {
        self.shared.state.lock().unwrap().mode = mode;
        self.shared.changed.notify_all();
        if mode == Mode::Cut {
            for connection in self.shared.connections.lock().unwrap().drain(..) {
                let _ = connection.shutdown(Shutdown::Both);
            }
        }
    }
}

fn forward(number: usize, mut from: TcpStream, mut to: TcpStream, shared: &Shared) {
    let mut buffer = [0; 65536];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let mut state = shared.state.lock().unwrap();
        while state.stalls(number) {
            state = shared.changed.wait(state).unwrap();
        }
        let pause = match state.mode {
            Mode::Cut => break,
            Mode::Slow(pause) => pause,
            Mode::Pass | Mode::Stall => Duration::ZERO,
        };
        drop(state);
        thread::sleep(pause);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
