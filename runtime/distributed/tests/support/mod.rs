//! Real servers, on free ports, in temporary folders; and a proxy that misbehaves on demand.

#![allow(dead_code, unreachable_pub, missing_docs)]

#[cfg(feature = "etcd")]
pub mod etcd;
pub mod proxy;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// A folder that is removed when it is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        static NUMBER: Mutex<u32> = Mutex::new(0);
        let mut number = NUMBER.lock().unwrap();
        *number += 1;
        let name = format!("async-monitor-{name}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        run(Command::new("chmod").arg("777").arg(&path));
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Waits until it is so.
pub async fn eventually(limit: Duration, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let start = tokio::time::Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < limit, "{what}, not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs a command to its end.
fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

/// A port that nobody listens to.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A program as a user that is not root, which servers refuse to be, and which is told to end
/// when we do.
pub fn as_user(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "INT"]);
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg("--").arg(program);
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

/// Starts it on a thread that lives as long as the process, at the end of which the child is
/// told to end: the system looks at the thread.
pub fn spawn(mut command: Command) -> Child {
    type Order = (Command, mpsc::Sender<std::io::Result<Child>>);
    static SPAWNER: OnceLock<Mutex<mpsc::Sender<Order>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, ordered) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, answer) in ordered {
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(orders)
    });
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let (answer, answered) = mpsc::channel();
    spawner.lock().unwrap().send((command, answer)).unwrap();
    answered.recv().unwrap().expect("the program starts")
}

/// Debian keeps the programs of each version of Postgres in a folder of its own.
pub fn postgres_program(name: &str) -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let found = versions.filter_map(|version| {
        let program = version.ok()?.path().join("bin").join(name);
        program.exists().then_some(program)
    });
    found.max()
}

/// A Postgres server.
#[derive(Debug)]
pub struct Postgres {
    folder: Folder,
    pub port: u16,
    server: Mutex<Child>,
}

impl Postgres {
    /// `None` if it is not installed, which is said.
    pub fn start() -> Option<Self> {
        let Some(initdb) = postgres_program("initdb") else {
            eprintln!("SKIPPED: Postgres is not installed (Debian: postgresql)");
            return None;
        };
        let folder = Folder::new("postgres");
        let data = folder.path().join("data");
        run(as_user(&initdb)
            .args(["--no-sync", "--auth=trust", "--username=test", "-D"])
            .arg(&data)
            .current_dir(folder.path()));
        let port = free_port();
        let server = Mutex::new(Self::spawn(&folder, port));
        let server = Postgres {
            folder,
            port,
            server,
        };
        server.wait();
        Some(server)
    }

    fn spawn(folder: &Folder, port: u16) -> Child {
        let postgres = postgres_program("postgres").expect("initdb is there");
        let mut command = as_user(&postgres);
        let mut log = fs::OpenOptions::new();
        let log = log.create(true).append(true);
        let log = log.open(folder.path().join("log")).unwrap();
        command.stderr(log).current_dir(folder.path());
        command.arg("-D").arg(folder.path().join("data"));
        let port = format!("port={port}");
        let sockets = format!("unix_socket_directories={}", folder.path().display());
        for option in [
            &port,
            &sockets,
            "listen_addresses=127.0.0.1",
            "fsync=off",
            "max_connections=200",
        ] {
            command.arg("-c").arg(option);
        }
        spawn(command)
    }

    /// Waits until it answers.
    fn wait(&self) {
        let ready = postgres_program("pg_isready").expect("initdb is there");
        let start = Instant::now();
        loop {
            let mut command = Command::new(&ready);
            command.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
            if command.status().unwrap().success() {
                return;
            }
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "Postgres does not start: {}",
                self.log()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends it, at once: as in a crash.
    pub fn kill(&self) {
        let mut server = self.server.lock().unwrap();
        // To the postmaster alone: its children end when they notice.
        signal(server.id(), "QUIT");
        server.wait().unwrap();
    }

    /// Starts it again.
    pub fn restart(&self) {
        *self.server.lock().unwrap() = Self::spawn(&self.folder, self.port);
        self.wait();
    }

    /// How to connect, to a database of its own.
    pub fn database(&self, name: &str) -> String {
        let psql = postgres_program("psql").expect("initdb is there");
        let mut command = Command::new(psql);
        command.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command.args(["-U", "test", "-d", "postgres", "-c"]);
        run(command.arg(format!("create database {name}")));
        url(self.port, name)
    }
}

/// How to connect.
pub fn url(port: u16, database: &str) -> String {
    format!("host=127.0.0.1 port={port} user=test dbname={database}")
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a future on a thread of its own.
pub fn block_on<T: Send>(future: impl Future<Output = T> + Send) -> T {
    let run = || tokio::runtime::Runtime::new().unwrap().block_on(future);
    thread::scope(|scope| scope.spawn(run).join().unwrap())
}

/// Sends a signal to a process.
pub fn signal(pid: u32, name: &str) {
    let mut command = Command::new("kill");
    command.args(["-s", name, &pid.to_string()]);
    let _ = command.stderr(Stdio::null()).status();
}

/// A PgBouncer in front of a database.
#[derive(Debug)]
pub struct PgBouncer {
    _folder: Folder,
    pub port: u16,
    server: Child,
}

impl PgBouncer {
    /// `None` if it is not installed, which is said.
    pub fn start(postgres: &Postgres, mode: &str) -> Option<Self> {
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"];
        let program = program.iter().map(Path::new).find(|path| path.exists());
        let Some(program) = program else {
            eprintln!("SKIPPED: PgBouncer is not installed (Debian: pgbouncer)");
            return None;
        };
        let folder = Folder::new("pgbouncer");
        let port = free_port();
        let users = folder.path().join("users");
        fs::write(&users, "\"test\" \"\"\n").unwrap();
        let config = folder.path().join("config");
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=test\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {}\npool_mode = {mode}\n",
            postgres.port,
            users.display(),
        );
        fs::write(&config, text).unwrap();
        let mut command = as_user(program);
        command.arg(&config).stderr(Stdio::null());
        let server = spawn(command);
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let waited = start.elapsed();
            assert!(waited < Duration::from_secs(20), "PgBouncer does not start");
            thread::sleep(Duration::from_millis(20));
        }
        Some(PgBouncer {
            _folder: folder,
            port,
            server,
        })
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
