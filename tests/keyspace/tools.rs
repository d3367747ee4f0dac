//! `redis-cli` and `redis-benchmark`, if they are installed.

use std::env;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::FORMS;
use crate::server::Server;

/// Whether a tool is here. Where CI runs, it has to be.
fn is_here(tool: &str) -> bool {
    let is_here = Command::new(tool)
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !is_here {
        let is_ci = env::var("CI").is_ok_and(|value| value == "true");
        assert!(!is_ci, "{tool} is missing (Debian: redis-tools)");
        // Past the capture of output, so that nobody takes it for tested.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: {tool} is not installed (Debian: redis-tools)"
        );
    }
    is_here
}

fn tool(server: &Server, tool: &str, args: &[&str]) -> Command {
    let mut command = Command::new(tool);
    command.args(["-h", "127.0.0.1", "-p", &server.port.to_string()]);
    command.args(args);
    command
}

fn stdout(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn redis_cli() {
    if !is_here("redis-cli") {
        return;
    }
    for form in FORMS {
        let server = Server::start(form, &[]);
        let cli = |args: &[&str]| stdout(&tool(&server, "redis-cli", args).output().unwrap());
        for (args, answer) in [
            (&["ping"][..], "PONG\n"),
            (&["set", "k", "a b"], "OK\n"),
            (&["--no-raw", "get", "k"], "\"a b\"\n"),
            (&["set", "k", "v", "nx"], "\n"),
            (&["--no-raw", "mset", "a", "1", "b", "2"], "OK\n"),
            (
                &["--no-raw", "mget", "a", "none", "b"],
                "1) \"1\"\n2) (nil)\n3) \"2\"\n",
            ),
            (&["--no-raw", "incr", "a"], "(integer) 2\n"),
            (&["-r", "3", "incr", "a"], "3\n4\n5\n"),
            (
                &["get"],
                "ERR wrong number of arguments for 'get' command\n\n",
            ),
            (&["expire", "a", "100"], "1\n"),
            (&["ttl", "a"], "100\n"),
            (&["publish", "c", "m"], "0\n"),
            (&["config", "get", "save"], "save\n\n"),
            (&["dbsize"], "3\n"),
            (&["flushall"], "OK\n"),
        ] {
            assert_eq!(cli(args), answer, "{args:?}");
        }

        // Many requests at a time, read from stdin.
        let mut pipe = tool(&server, "redis-cli", &["--pipe"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = pipe.stdin.take().unwrap();
        stdin.write_all(&b"INCR n\r\n".repeat(10_000)).unwrap();
        drop(stdin);
        let report = stdout(&pipe.wait_with_output().unwrap());
        assert!(report.contains("errors: 0, replies: 10000"), "{report}");
        assert_eq!(cli(&["get", "n"]), "10000\n");
    }
}

#[test]
fn redis_benchmark() {
    if !is_here("redis-benchmark") {
        return;
    }
    for form in FORMS {
        let server = Server::start(form, &[]);
        for pipeline in ["1", "16"] {
            let args = [
                "-t",
                "ping,set,get,incr,mset",
                "-n",
                "5000",
                "-r",
                "100",
                "--csv",
            ];
            let mut benchmark = tool(&server, "redis-benchmark", &args);
            let report = stdout(&benchmark.args(["-P", pipeline]).output().unwrap());
            for test in [
                "PING_INLINE",
                "PING_MBULK",
                "SET",
                "GET",
                "INCR",
                "MSET (10 keys)",
            ] {
                assert!(report.contains(&format!("\"{test}\",\"")), "{report}");
            }
        }
    }
}
