//! Prints the holders and waiters of the locks in a Postgres database, or in etcd.
//!
//! ```text
//! async-monitor-locks 'host=localhost user=app dbname=app'
//! async-monitor-locks http://10.0.0.1:2379,http://10.0.0.2:2379
//! ```

use std::process::ExitCode;

const USAGE: &str = "usage: async-monitor-locks CONNECTION-STRING
       async-monitor-locks http://ETCD-MEMBER,.. [PREFIX]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_etcd = arguments
        .first()
        .is_some_and(|first| first.starts_with("http://") || first.starts_with("https://"));
    match &arguments[..] {
        [endpoints] if is_etcd => end(etcd(endpoints, None)),
        [endpoints, prefix] if is_etcd => end(etcd(endpoints, Some(prefix))),
        [config] => end(postgres(config)),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn end(printed: Result<(), String>) -> ExitCode {
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("async-monitor-locks: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(feature = "postgres")]
fn postgres(config: &str) -> Result<(), String> {
    use async_monitor_distributed::postgres::Options;

    print(async {
        let options = Options::new(config)?.creates_schema(false);
        options.connect().await?.report().await
    })
}

#[cfg(not(feature = "postgres"))]
fn postgres(_config: &str) -> Result<(), String> {
    Err("it was built without the feature `postgres`".to_owned())
}

#[cfg(feature = "etcd")]
fn etcd(endpoints: &str, prefix: Option<&str>) -> Result<(), String> {
    use async_monitor_distributed::etcd::Options;

    print(async {
        let endpoints: Vec<&str> = endpoints.split(',').collect();
        let mut options = Options::new(endpoints);
        if let Some(prefix) = prefix {
            options = options.prefix(prefix);
        }
        options.connect().await?.report().await
    })
}

#[cfg(not(feature = "etcd"))]
fn etcd(_endpoints: &str, _prefix: Option<&str>) -> Result<(), String> {
    Err("it was built without the feature `etcd`".to_owned())
}

#[cfg(any(feature = "postgres", feature = "etcd"))]
fn print<E: std::fmt::Display>(
    report: impl Future<Output = Result<Vec<E>, async_monitor_distributed::LockError>>,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let entries = runtime
        .block_on(report)
        .map_err(|error| error.to_string())?;
    for entry in &entries {
        println!("{entry}");
    }
    if entries.is_empty() {
        println!("nobody holds or waits for a lock");
    }
    Ok(())
}
