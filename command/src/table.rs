//! The report as a table: for each lock, who holds it, and the line of those who wait.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use crate::report::{Held, Place, Report, Section, Wait};

/// A lock, by what is known of it: its id, or else its name.
#[derive(Default)]
struct Lock<'r> {
    name: &'r str,
    /// Of a lock that lives outside of the process.
    instance: Option<&'r str>,
    held: Vec<&'r Held>,
    waits: Vec<&'r Wait>,
}

/// LOCK, WHO, MODE, PLACE, SINCE, and what is to be noted.
type Row = [String; 6];

const HEADER: [&str; 6] = ["LOCK", "WHO", "MODE", "PLACE", "SINCE", ""];

pub(crate) fn table(pid: u32, report: &Report) -> String {
    let mut text = format!(
        "process {pid}: {} waiting, {} held",
        report.waits.len(),
        report.held.len()
    );
    let cycles = cycles(report);
    if !cycles.is_empty() {
        let _ = write!(
            text,
            ", {} deadlocked",
            cycles.values().map(Vec::len).sum::<usize>()
        );
    }
    text.push('\n');
    if report.waits.is_empty() && report.held.is_empty() {
        return text;
    }

    let locks = locks(report);
    let labels = labels(&locks);
    let rows: Vec<Row> = locks
        .iter()
        .flat_map(|(key, lock)| rows(lock, &labels[key]))
        .collect();
    text.push('\n');
    write_columns(&mut text, &rows);

    for (number, waits) in cycles {
        let _ = writeln!(
            text,
            "\ndeadlock {number}: each of these waits for a lock that the next one holds"
        );
        for wait in waits {
            let lock = &labels[wait.id.as_str()];
            let waits = who(wait.section.as_ref(), &wait.place);
            let _ = writeln!(text, "  {waits} waits for {lock}");
            for held in wait.holding.iter().rev() {
                let lock = held.id.as_deref().and_then(|id| labels.get(id));
                let lock = lock.unwrap_or(&held.lock);
                let _ = writeln!(
                    text,
                    "    while it holds {lock}, acquired {}",
                    acquired(held)
                );
            }
            if let Some(behind) = &wait.behind {
                let first = who(behind.section.as_ref(), &behind.place);
                let mode = mode(&behind.mode);
                let _ = writeln!(text, "    queued behind {first}, which waits {mode}");
            }
        }
    }
    printable(&text)
}

/// The waits of each deadlock, by its number.
fn cycles(report: &Report) -> BTreeMap<usize, Vec<&Wait>> {
    let mut cycles: BTreeMap<usize, Vec<&Wait>> = BTreeMap::new();
    for wait in &report.waits {
        if let Some(number) = wait.circle {
            cycles.entry(number).or_default().push(wait);
        }
    }
    cycles
        .into_iter()
        .map(|(number, waits)| (number, in_order(waits)))
        .collect()
}

/// Each wait before one that holds the lock it waits for, as far as that is found.
fn in_order(mut left: Vec<&Wait>) -> Vec<&Wait> {
    let mut ordered = Vec::new();
    let mut next = 0;
    while !left.is_empty() {
        let wait = left.remove(next);
        ordered.push(wait);
        let holds = |held: &Held| held.id.as_ref() == Some(&wait.id);
        next = left
            .iter()
            .position(|other| other.holding.iter().any(holds))
            .unwrap_or(0);
    }
    ordered
}

fn locks(report: &Report) -> BTreeMap<&str, Lock<'_>> {
    let mut locks: BTreeMap<&str, Lock<'_>> = BTreeMap::new();
    for wait in &report.waits {
        let lock = locks.entry(&wait.id).or_default();
        lock.name = &wait.name;
        lock.instance = wait.instance.as_deref();
        lock.waits.push(wait);
    }
    for held in &report.held {
        let lock = locks
            .entry(held.id.as_deref().unwrap_or(&held.lock))
            .or_default();
        lock.name = &held.lock;
        lock.instance = held.instance.as_deref();
        lock.held.push(held);
    }
    locks
}

/// What each lock is called here: those with one name are told apart by what is known of them,
/// or else by a number.
fn labels<'r>(locks: &BTreeMap<&'r str, Lock<'r>>) -> BTreeMap<&'r str, String> {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for lock in locks.values().filter(|lock| lock.instance.is_none()) {
        *count.entry(lock.name).or_default() += 1;
    }
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let label = |(id, lock): (&&'r str, &Lock<'r>)| {
        if let Some(instance) = lock.instance {
            return (*id, format!("{} {instance}", lock.name));
        }
        let number = seen.entry(lock.name).or_default();
        *number += 1;
        match count[lock.name] {
            1 => (*id, lock.name.to_owned()),
            _ => (*id, format!("{} #{number}", lock.name)),
        }
    };
    locks.iter().map(label).collect()
}

fn rows(lock: &Lock<'_>, label: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for held in &lock.held {
        rows.push([
            String::new(),
            match &held.section {
                Some(section) => section.name.clone(),
                None => "-".into(),
            },
            match held.mode {
                // One of those who hold it.
                Value::Null => "holds, or did".into(),
                _ => format!("holds {}", mode(&held.mode)),
            },
            place(&held.place),
            match held.since_ms {
                0 => String::new(),
                since => time(since),
            },
            String::new(),
        ]);
    }
    // Where nobody is known to hold it: of a semaphore, or of a lock that lives elsewhere.
    let known = |wait: &&&Wait| wait.last_section.is_some() || wait.last_acquired.is_some();
    if let (true, Some(wait)) = (lock.held.is_empty(), lock.waits.iter().find(known)) {
        let (who, at) = match (&wait.last_section, &wait.last_acquired) {
            (Some(section), _) => (section.name.clone(), place(&section.place)),
            (None, Some(at)) => ("-".into(), place(at)),
            (None, None) => Default::default(),
        };
        let empty = String::new;
        rows.push([empty(), who, "acquired last".into(), at, empty(), empty()]);
    }
    let in_another = lock.waits.iter().find_map(|wait| wait.last_holder.clone());
    if let (true, Some(holder)) = (lock.held.is_empty(), in_another) {
        let empty = String::new;
        let last = "known to hold last".into();
        rows.push([empty(), holder, last, empty(), empty(), empty()]);
    }
    for (index, wait) in lock.waits.iter().enumerate() {
        let condition = wait
            .section
            .as_ref()
            .and_then(|section| section.condition.as_ref());
        let mut notes = Vec::new();
        if let (Some(condition), "when") = (condition, wait.resource.as_str()) {
            let was_false = match wait.has_condition_false {
                true => ", which was false",
                false => "",
            };
            notes.push(format!("when {condition}{was_false}"));
        }
        if wait.granted {
            notes.push("granted, not polled since".into());
        }
        if let Some(number) = wait.circle {
            notes.push(format!("<-- deadlock {number}"));
        }
        rows.push([
            String::new(),
            match &wait.section {
                Some(section) => section.name.clone(),
                None => "-".into(),
            },
            format!("{}. waits {}", index + 1, mode(&wait.mode)),
            place(&wait.place),
            time(wait.since_ms),
            notes.join(", "),
        ]);
    }
    if let Some(first) = rows.first_mut() {
        label.clone_into(&mut first[0]);
    }
    rows
}

fn write_columns(text: &mut String, rows: &[Row]) {
    let header: Row = HEADER.map(str::to_owned);
    let all = || std::iter::once(&header).chain(rows);
    let widths: [usize; 6] = std::array::from_fn(|column| {
        all()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    });
    for row in all() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

fn who(section: Option<&Section>, at: &Place) -> String {
    match section {
        Some(section) => format!("`{}` ({})", section.name, place(&section.place)),
        None => place(at),
    }
}

fn acquired(held: &Held) -> String {
    let word = if held.section.is_some() { "by" } else { "at" };
    format!("{word} {}", who(held.section.as_ref(), &held.place))
}

fn place(place: &Place) -> String {
    format!("{}:{}:{}", place.file, place.line, place.column)
}

fn mode(mode: &Value) -> String {
    match mode.as_str() {
        Some("exclusive") => "alone".into(),
        Some("shared") => "to read".into(),
        Some("upgradable") => "to read and upgrade".into(),
        Some("upgrade") => "to upgrade".into(),
        Some(other) => other.into(),
        None => match mode.get("permits").and_then(Value::as_u64) {
            Some(1) => "1 permit".into(),
            Some(permits) => format!("{permits} permits"),
            None => mode.to_string(),
        },
    }
}

fn time(millis: u64) -> String {
    match millis {
        0..1000 => format!("{millis} ms"),
        1000..60_000 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1000),
    }
}

/// What the process says is not to give orders to the terminal.
fn printable(text: &str) -> String {
    let is_order = |char: char| char.is_control() && char != '\n';
    text.replace(is_order, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn place(line: u32) -> Value {
        json!({ "file": "src/bank.rs", "line": line, "column": 5 })
    }

    fn section(name: &str, line: u32) -> Value {
        json!({ "name": name, "place": place(line), "condition": null })
    }

    fn held(id: &str, name: &str, since: u64) -> Value {
        json!({
            "lock": "Account.ledger", "id": id, "mode": "exclusive",
            "place": place(43), "section": section(name, 43), "since_ms": since,
        })
    }

    fn wait(id: &str, holding: &Value) -> Value {
        json!({
            "resource": "lock", "name": "Account.ledger", "id": id, "mode": "exclusive",
            "place": place(30), "section": section("deposit", 30), "since_ms": 61_250,
            "granted": false, "last_acquired": place(43), "holding": [holding], "circle": 1,
        })
    }

    #[test]
    fn the_whole_table() {
        let report = json!({
            "kind": "snapshot",
            "waits": [wait("0x1", &held("0x2", "pay", 0)), wait("0x2", &held("0x1", "pay", 0))],
            "held": [held("0x1", "pay", 61_300), held("0x2", "pay", 61_300)],
        });
        let table = table(7, &Report::read(report).unwrap());
        assert_eq!(
            table,
            "\
process 7: 2 waiting, 2 held, 2 deadlocked

LOCK               WHO      MODE            PLACE             SINCE
Account.ledger #1  pay      holds alone     src/bank.rs:43:5  1 min 1 s
                   deposit  1. waits alone  src/bank.rs:30:5  1 min 1 s  <-- deadlock 1
Account.ledger #2  pay      holds alone     src/bank.rs:43:5  1 min 1 s
                   deposit  1. waits alone  src/bank.rs:30:5  1 min 1 s  <-- deadlock 1

deadlock 1: each of these waits for a lock that the next one holds
  `deposit` (src/bank.rs:30:5) waits for Account.ledger #1
    while it holds Account.ledger #2, acquired by `pay` (src/bank.rs:43:5)
  `deposit` (src/bank.rs:30:5) waits for Account.ledger #2
    while it holds Account.ledger #1, acquired by `pay` (src/bank.rs:43:5)
"
        );
    }

    #[test]
    fn who_is_before_it_in_line() {
        let mut waits = wait("0x1", &held("0x1", "resolve", 0));
        waits["behind"] = json!({
            "mode": "exclusive", "place": place(50), "section": section("set", 50),
        });
        let text = table(7, &Report::read(json!({ "waits": [waits] })).unwrap());
        assert!(
            text.contains("\n    queued behind `set` (src/bank.rs:50:5), which waits alone\n"),
            "{text}"
        );
    }

    #[test]
    fn a_guard_that_was_acquired_by_hand() {
        let mut by_hand = held("0x1", "", 5_000);
        by_hand["section"] = Value::Null;
        let mut waits = wait("0x1", &held("0x2", "pay", 0));
        waits["circle"] = Value::Null;
        waits["holding"] = json!([]);
        let report = |held: &Value| json!({ "waits": [waits], "held": [held] });
        let text = table(7, &Report::read(report(&by_hand)).unwrap());
        assert!(
            text.contains("Account.ledger  -        holds alone     src/bank.rs:43:5  5.0 s\n"),
            "{text}"
        );
        by_hand["mode"] = Value::Null;
        let text = table(7, &Report::read(report(&by_hand)).unwrap());
        assert!(text.contains("-        holds, or did   src/"), "{text}");
    }

    #[test]
    fn who_acquired_it_last_and_for_what_somebody_waits() {
        let mut waits = wait("0x1", &held("0x2", "pay", 0));
        waits["resource"] = "when".into();
        waits["section"]["condition"] = "*ledger.balance > 5".into();
        waits["has_condition_false"] = true.into();
        waits["last_section"] = section("set", 50);
        waits["circle"] = Value::Null;
        waits["holding"] = json!([]);
        let text = table(7, &Report::read(json!({ "waits": [waits] })).unwrap());
        assert!(
            text.contains("Account.ledger  set      acquired last   src/bank.rs:50:5\n"),
            "{text}"
        );
        assert!(
            text.contains("  when *ledger.balance > 5, which was false\n"),
            "{text}"
        );
    }

    #[test]
    fn a_lock_that_lives_outside_of_the_process() {
        let mut waits = wait("key 7", &json!(null));
        waits["name"] = "self.billing".into();
        waits["instance"] = "\"billing/42\" on postgres".into();
        waits["last_acquired"] = Value::Null;
        waits["last_holder"] = "web-3 pid 4711".into();
        waits["circle"] = Value::Null;
        waits["holding"] = json!([]);
        let text = table(7, &Report::read(json!({ "waits": [waits] })).unwrap());
        assert_eq!(
            text,
            "\
process 7: 1 waiting, 0 held

LOCK                                   WHO             MODE                PLACE             SINCE
self.billing \"billing/42\" on postgres  web-3 pid 4711  known to hold last
                                       deposit         1. waits alone      src/bank.rs:30:5  1 min 1 s
"
        );
    }

    #[test]
    fn nothing_and_what_is_not_known() {
        let report = json!({ "kind": "snapshot", "waits": [], "held": [], "more": 1 });
        let text = table(7, &Report::read(report).unwrap());
        assert_eq!(text, "process 7: 0 waiting, 0 held\n");

        let report = json!({ "waits": [{
            "resource": "semaphore", "name": "Semaphore\u{1b}[2J", "id": "0x1",
            "mode": { "permits": 2 }, "place": place(3), "section": null, "since_ms": 3,
            "granted": true, "last_acquired": place(9), "holding": [], "circle": null,
        }] });
        let text = table(7, &Report::read(report).unwrap());
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(
            text.contains("acquired last       src/bank.rs:9:5"),
            "{text}"
        );
        assert!(
            text.contains("1. waits 2 permits  src/bank.rs:3:5  3 ms   granted, not"),
            "{text}"
        );
    }
}
