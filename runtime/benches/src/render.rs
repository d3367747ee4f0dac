//! The report, in Markdown.

use std::process::Command;

use crate::measure::{Measured, Settings};
use crate::workloads::{self, COLUMNS, LIMIT, OURS, Workload};

pub(crate) fn report(workloads: &[Workload], results: &[Measured], settings: Settings) {
    println!("# Results\n");
    machine(settings, results);
    times(workloads, results);
    allocations(workloads, results);
    sizes();
}

fn machine(settings: Settings, results: &[Measured]) {
    let compiler = Command::new("rustc").arg("--version").output();
    let compiler = compiler.map_or_else(
        |_| String::from("unknown compiler"),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    );
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1))
        .unwrap_or(std::env::consts::ARCH);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let disturbed: usize = results.iter().map(|result| result.disturbed).sum();
    println!("{model}, {cores} cores; {compiler}; {}.", versions());
    println!(
        "{} rounds of {} microseconds, medians; {disturbed} disturbed rounds thrown away.\n",
        settings.rounds,
        settings.slice_ns / 1000,
    );
}

/// The versions of those that we are measured against, from the lock file of the
/// workspace.
fn versions() -> String {
    let lock = include_str!("../../../Cargo.lock");
    let names = [
        "async-lock",
        "asyncband",
        "event-listener",
        "futures",
        "futures-intrusive",
        "maitake-sync",
        "parking_lot",
        "tokio",
    ];
    let found: Vec<String> = lock
        .split("[[package]]")
        .filter_map(|package| {
            let field = |key: &str| {
                let line = package.lines().find_map(|line| line.strip_prefix(key))?;
                Some(line.trim_matches(['=', ' ', '"']))
            };
            let name = field("name ").filter(|name| names.contains(name))?;
            Some(format!("{name} {}", field("version ")?))
        })
        .collect();
    found.join(", ")
}

fn heading(first: &str, columns: &[&str]) {
    println!("| {first} | {} |", columns.join(" | "));
    println!("|---|{}", "---|".repeat(columns.len()));
}

fn times(workloads: &[Workload], results: &[Measured]) {
    println!("## Nanoseconds per operation\n");
    println!("In parentheses: how often the luckiest task had the lock for each time that the");
    println!("unluckiest had it.\n");
    let columns = [COLUMNS, &["the limit is", "ours / limit", "target"]].concat();
    heading("workload", &columns);
    for (workload, result) in workloads.iter().zip(results) {
        let mut cells = Vec::new();
        for column in COLUMNS {
            cells.push(cell(workload, result, column, |figures| {
                let ns = format!("{:.1}", figures.ns_per_operation);
                match figures.spread {
                    Some(spread) => format!("{ns} ({spread:.2})"),
                    None => ns,
                }
            }));
        }
        let ns = |name| {
            let index = workload.rows.iter().position(|row| row.name == name)?;
            Some(result.figures[index].ns_per_operation)
        };
        let ratio = ns(OURS).zip(ns(LIMIT)).map(|(ours, limit)| ours / limit);
        cells.push(workload.limit.to_owned());
        cells.push(ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}")));
        cells.push(workload.target.map_or("-".to_owned(), |target| {
            let missed = ratio.is_some_and(|ratio| ratio > target);
            format!("{target:.2}{}", if missed { " missed" } else { "" })
        }));
        println!("| {} | {} |", workload.name, cells.join(" | "));
    }
}

fn allocations(workloads: &[Workload], results: &[Measured]) {
    println!("\n## Heap allocations per operation\n");
    heading("workload", COLUMNS);
    for (workload, result) in workloads.iter().zip(results) {
        let cells: Vec<_> = COLUMNS
            .iter()
            .map(|column| {
                cell(workload, result, column, |figures| {
                    match figures.allocations_per_operation {
                        // What the harness itself needs, once for a run.
                        few if few < 0.01 => "0".to_owned(),
                        many => format!("{many:.2}"),
                    }
                })
            })
            .collect();
        println!("| {} | {} |", workload.name, cells.join(" | "));
    }
}

fn sizes() {
    println!("\n## Sizes in bytes: lock / future / guard\n");
    let sizes = workloads::sizes();
    heading("of", COLUMNS);
    for (name, of) in sizes {
        let cells: Vec<_> = COLUMNS
            .iter()
            .map(|column| {
                let found = of.iter().find(|(of, _)| of == column);
                found.map_or("-".to_owned(), |(_, [lock, future, guard])| {
                    format!("{lock} / {future} / {guard}")
                })
            })
            .collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
}

fn cell(
    workload: &Workload,
    result: &Measured,
    column: &str,
    show: impl FnOnce(&crate::measure::Figures) -> String,
) -> String {
    let index = workload.rows.iter().position(|row| row.name == column);
    index.map_or("-".to_owned(), |index| show(&result.figures[index]))
}
