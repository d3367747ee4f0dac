//! Processes that are started, stopped and told to go on.

use std::error::Error;
use std::process::Stdio;
use std::time::{Duration, Instant};

use async_monitor_distributed::postgres::Options;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio_postgres::NoTls;

use crate::invoices::LEASE;

const SCHEMA: &str = "
    drop table if exists invoices;
    create table invoices (id int primary key, amount int not null);
    insert into invoices values (42, 0)";

struct Process {
    name: &'static str,
    child: Child,
    lines: tokio::io::Lines<BufReader<ChildStdout>>,
    start: Instant,
}

impl Process {
    fn start(
        start: Instant,
        name: &'static str,
        what: &str,
        database: &str,
    ) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["process", name, what, database]);
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let stdout = child.stdout.take().ok_or("a pipe was asked for")?;
        Ok(Process {
            name,
            child,
            lines: BufReader::new(stdout).lines(),
            start,
        })
    }

    /// Prints the next thing that it says.
    async fn says(&mut self) -> Result<bool, Box<dyn Error>> {
        let line = self.lines.next_line().await?;
        if let Some(line) = &line {
            say(self.start, line);
        }
        Ok(line.is_some())
    }

    /// Prints all that it says until it ends.
    async fn ends(&mut self) -> Result<(), Box<dyn Error>> {
        while self.says().await? {}
        self.child.wait().await?;
        Ok(())
    }

    async fn signal(&self, signal: &str) -> Result<(), Box<dyn Error>> {
        let pid = self.child.id().ok_or("it has not ended")?;
        let mut kill = Command::new("kill");
        kill.args(["-s", signal, &pid.to_string()]).status().await?;
        say(self.start, &format!("      kill -{signal} {}", self.name));
        Ok(())
    }
}

fn say(start: Instant, what: &str) {
    println!("  {:5.2} s  {what}", start.elapsed().as_secs_f64());
}

pub(crate) async fn play(database: &str) -> Result<(), Box<dyn Error>> {
    // Makes the schema of the locks.
    let store = Options::new(database)?.lease(LEASE).connect().await?;
    let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute(SCHEMA).await?;
    let amount = async || -> Result<i32, tokio_postgres::Error> {
        let read = "select amount from invoices";
        Ok(client.query_one(read, &[]).await?.get(0))
    };

    println!("Two processes add 1 to an invoice, ten times each:");
    let start = Instant::now();
    let mut anna = Process::start(start, "anna", "ten", database)?;
    let mut ben = Process::start(start, "ben", "ten", database)?;
    let (anna_ends, ben_ends) = tokio::join!(anna.ends(), ben.ends());
    anna_ends?;
    ben_ends?;
    println!("The invoice is {}.\n", amount().await?);

    for (what, title) in [
        (
            "await",
            "Anna is stopped while she awaits something in a section:",
        ),
        (
            "compute",
            "Anna is stopped where she awaits nothing, by a guard that nobody looks after:",
        ),
    ] {
        println!("{title}");
        let start = Instant::now();
        let mut anna = Process::start(start, "anna", what, database)?;
        anna.says().await?;
        anna.signal("STOP").await?;
        for entry in store.report().await? {
            say(start, &format!("      {entry}"));
        }
        let mut ben = Process::start(start, "ben", "once", database)?;
        ben.ends().await?;
        // Until she would have written.
        tokio::time::sleep(Duration::from_secs(1)).await;
        anna.signal("CONT").await?;
        anna.ends().await?;
        println!("The invoice is {}.\n", amount().await?);
    }
    Ok(())
}
