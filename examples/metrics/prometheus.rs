//! The metrics of locks, in the text format of Prometheus.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use async_monitor::watch::{Metrics, Times};

/// Shows the counts of these classes.
pub struct Prometheus(pub Vec<Metrics>);

/// A histogram: its name, what it is of, and where it is found.
type Histogram = (&'static str, &'static str, fn(&Metrics) -> &Times);

impl Display for Prometheus {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        header(
            f,
            "lock_acquisitions_total",
            "counter",
            "Acquisitions by sections.",
        )?;
        for metrics in &self.0 {
            let (labels, acquired) = (Labels(metrics), metrics.acquired);
            writeln!(f, "lock_acquisitions_total{{{labels}}} {acquired}")?;
        }
        const HISTOGRAMS: [Histogram; 2] = [
            (
                "lock_wait_seconds",
                "Waits of those that had to.",
                |metrics| &metrics.wait,
            ),
            (
                "lock_held_seconds",
                "From an acquisition to the end of its section.",
                |metrics| &metrics.held,
            ),
        ];
        for (name, help, times) in HISTOGRAMS {
            header(f, name, "histogram", help)?;
            for metrics in &self.0 {
                histogram(f, name, &Labels(metrics), times(metrics))?;
            }
        }
        Ok(())
    }
}

fn header(f: &mut Formatter<'_>, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(f, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

/// Each count is of what is not longer than the bound, from one microsecond to sixteen seconds.
fn histogram(f: &mut Formatter<'_>, name: &str, labels: &Labels<'_>, times: &Times) -> fmt::Result {
    for power in (10..=34).step_by(4) {
        let bound = Duration::from_nanos(1 << power);
        let within = times.histogram().filter(|(at_most, _)| *at_most <= bound);
        let count: u64 = within.map(|(_, count)| count).sum();
        let bound = bound.as_secs_f64();
        writeln!(f, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}")?;
    }
    let (count, total) = (times.count, times.total.as_secs_f64());
    writeln!(f, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}")?;
    writeln!(
        f,
        "{name}_sum{{{labels}}} {total}\n{name}_count{{{labels}}} {count}"
    )
}

/// Which class.
struct Labels<'m>(&'m Metrics);

impl Display for Labels<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (lock, type_name) = (escaped(self.0.lock), escaped(self.0.type_name));
        write!(f, "lock=\"{lock}\",type=\"{type_name}\"")
    }
}

/// The value of a label: a lock may be called `map["key"]`.
fn escaped(value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
    value.replace('\n', "\\n")
}
