//! etcd, of one member or of three.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::{Folder, signal, spawn};

/// The members of a cluster, each in a folder and on ports of its own.
#[derive(Debug)]
pub struct Etcd {
    folder: Folder,
    /// Of clients.
    pub ports: Vec<u16>,
    peers: Vec<u16>,
    members: Mutex<Vec<Child>>,
}

impl Etcd {
    /// `None` if it is not installed, which is said.
    pub fn start(members: usize) -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            eprintln!("SKIPPED: etcd is not installed (Debian: etcd-server)");
            return None;
        }
        // All at once, so that none is given twice.
        let listeners: Vec<_> = (0..2 * members)
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        let mut ports: Vec<_> = listeners.iter().map(port).collect();
        drop(listeners);
        let peers = ports.split_off(members);
        let etcd = Etcd {
            folder: Folder::new("etcd"),
            ports,
            peers,
            members: Mutex::default(),
        };
        let started = (0..members).map(|member| etcd.spawn(member)).collect();
        *etcd.members.lock().unwrap() = started;
        etcd.wait();
        Some(etcd)
    }

    fn spawn(&self, member: usize) -> Child {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", PROGRAM]);
        let mut log = fs::OpenOptions::new();
        let log = log.create(true).append(true);
        let log = log.open(self.folder.path().join("log")).unwrap();
        command.stderr(log).current_dir(self.folder.path());
        let client = url(self.ports[member]);
        let peer = url(self.peers[member]);
        let peers = self.peers.iter().enumerate();
        let cluster: Vec<_> = peers
            .map(|(number, port)| format!("m{number}={}", url(*port)))
            .collect();
        let data = self.folder.path().join(format!("m{member}"));
        command.arg("--name").arg(format!("m{member}"));
        command.arg("--data-dir").arg(data);
        command.arg("--listen-client-urls").arg(&client);
        command.arg("--advertise-client-urls").arg(&client);
        command.arg("--listen-peer-urls").arg(&peer);
        command.arg("--initial-advertise-peer-urls").arg(&peer);
        command.arg("--initial-cluster").arg(cluster.join(","));
        command.args(["--unsafe-no-fsync", "--log-level", "error"]);
        spawn(command)
    }

    /// Where the members are.
    pub fn endpoints(&self) -> Vec<String> {
        self.ports.iter().map(|port| url(*port)).collect()
    }

    /// Waits until there is a leader.
    pub fn wait(&self) {
        let start = Instant::now();
        while self.leader().is_none() {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "etcd does not start: {}",
                self.log()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Which member is the leader, as those say that answer.
    pub fn leader(&self) -> Option<usize> {
        let answers = super::block_on(async {
            let mut answers = Vec::new();
            for endpoint in self.endpoints() {
                let ask = async {
                    let options = etcd_client::ConnectOptions::new()
                        .with_timeout(Duration::from_millis(500))
                        .with_connect_timeout(Duration::from_millis(500));
                    let client = etcd_client::Client::connect([endpoint], Some(options)).await;
                    let status = client?.status().await?;
                    let member = status.header().unwrap().member_id();
                    Ok::<_, etcd_client::Error>((member, status.leader(), status.raft_term()))
                };
                answers.push(ask.await.ok());
            }
            answers
        });
        // What the one says that has heard of the last election.
        let newest = answers.iter().flatten().max_by_key(|(_, _, term)| *term);
        let (_, leader, _) = *newest?;
        let is_leader = |answer: &Option<(u64, u64, u64)>| {
            answer.is_some_and(|(member, _, _)| member == leader)
        };
        answers.iter().position(is_leader)
    }

    /// What they have said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Sends a signal to a member.
    pub fn signal(&self, member: usize, name: &str) {
        signal(self.members.lock().unwrap()[member].id(), name);
    }

    /// Ends a member, at once: as in a crash.
    pub fn kill(&self, member: usize) {
        let member = &mut self.members.lock().unwrap()[member];
        member.kill().unwrap();
        member.wait().unwrap();
    }

    /// Starts it again.
    pub fn restart(&self, member: usize) {
        let started = self.spawn(member);
        self.members.lock().unwrap()[member] = started;
    }
}

const PROGRAM: &str = "/usr/bin/etcd";

/// Where to find a member, or a proxy in front of it.
pub fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

impl Drop for Etcd {
    fn drop(&mut self) {
        for member in 0..self.ports.len() {
            self.kill(member);
        }
    }
}
