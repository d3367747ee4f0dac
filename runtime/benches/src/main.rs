//! Prints one table: our primitives, those of others, and what the hardware
//! allows, measured side by side in one run.
//!
//! ```text
//! cargo bench -p async-monitor-benches -- --help
//! ```
//!
//! The figures of one run compare with each other and with nothing else: a
//! target is therefore a ratio to a limit that was measured in the same run.

mod allocations;
mod limits;
mod measure;
mod render;
mod tasks;
mod workloads;

use std::process::ExitCode;

use clap::Parser;

use crate::measure::{Measured, Settings};
use crate::workloads::{Row, Workload};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

/// Measures our primitives beside those of others, and prints a table.
#[derive(Parser)]
struct Args {
    /// How many undisturbed rounds to measure; figures are their medians.
    #[arg(long, default_value_t = 31)]
    rounds: usize,

    /// How long one contender runs in one round, in microseconds.
    #[arg(long, default_value_t = 1000)]
    slice: u64,

    /// Runs only the workloads whose name contains this.
    #[arg(long, default_value = "")]
    filter: String,

    /// Runs only the workload that is called what `--filter` says.
    #[arg(long)]
    exact: bool,

    /// Runs only the contenders whose name contains this.
    #[arg(long, default_value = "")]
    contender: String,

    /// Lists workloads and contenders, and measures nothing.
    #[arg(long)]
    list: bool,

    /// Performs so many operations and measures nothing: for tools that count
    /// instructions.
    #[arg(long)]
    operations: Option<u64>,

    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let mut workloads = workloads::all();
    workloads.retain(|workload| {
        workload.name == args.filter || (!args.exact && workload.name.contains(&args.filter))
    });
    for workload in &mut workloads {
        let wanted = |row: &Row| row.name.contains(&args.contender);
        workload.rows.retain(wanted);
    }
    workloads.retain(|workload| !workload.rows.is_empty());
    if workloads.is_empty() {
        eprintln!("nothing has such a name; `--list` says what there is");
        return ExitCode::FAILURE;
    }
    if args.list {
        list(&workloads);
    } else if let Some(operations) = args.operations {
        for row in workloads.iter_mut().flat_map(|workload| &mut workload.rows) {
            (row.run)(operations);
        }
    } else {
        let settings = Settings {
            rounds: args.rounds.max(1),
            slice_ns: args.slice.max(1) * 1000,
        };
        let results: Vec<Measured> = workloads
            .iter_mut()
            .map(|workload| {
                eprintln!("{}", workload.name);
                measure::measure(workload, settings)
            })
            .collect();
        render::report(&workloads, &results, settings);
    }
    ExitCode::SUCCESS
}

fn list(workloads: &[Workload]) {
    for workload in workloads {
        let names: Vec<_> = workload.rows.iter().map(|row| row.name).collect();
        println!("{}: {}", workload.name, names.join(", "));
    }
}
