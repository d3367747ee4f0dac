//! Prints who holds and who waits for the locks in a Postgres database.
//!
//! ```text
//! async-monitor-locks 'host=localhost user=app dbname=app'
//! ```

use std::process::ExitCode;

use async_monitor_distributed::LockError;
use async_monitor_distributed::postgres::Options;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(config), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: async-monitor-locks CONNECTION-STRING");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let printed = match runtime {
        Ok(runtime) => runtime.block_on(print(&config)),
        Err(error) => {
            eprintln!("async-monitor-locks: {error}");
            return ExitCode::FAILURE;
        }
    };
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("async-monitor-locks: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn print(config: &str) -> Result<(), LockError> {
    let store = Options::new(config)?
        .creates_schema(false)
        .connect()
        .await?;
    let entries = store.report().await?;
    for entry in &entries {
        println!("{entry}");
    }
    if entries.is_empty() {
        println!("nobody holds or waits for a lock");
    }
    Ok(())
}
