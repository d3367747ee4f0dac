//! Locks that methods acquire in opposite orders.
//!
//! An edge leads from a lock that is held to one that is waited for. A cycle of edges
//! is a possible deadlock, unless all of its tasks hold some other lock meanwhile, or one
//! of them waits with a timeout.

use proc_macro2::Ident;
use syn::Error;

use super::reach::Outline;
use super::walk::{Event, EventKind};
use super::{Condition, Finding, list, rarity};
use crate::gather::Gather;
use crate::names::plain;
use crate::section::{Mode, OwnLock};

/// `method` waits for a lock while it holds `from`.
struct Edge {
    from: String,
    method: String,
    /// Other locks that are held exclusively meanwhile.
    under: Vec<String>,
    /// All other locks that are held meanwhile, also to read.
    perhaps_under: Vec<Ident>,
    waited: Waited,
}

/// A lock that is waited for.
#[derive(Clone)]
struct Waited {
    to: String,
    /// The methods between the call and the acquisition.
    through: Vec<String>,
    token: Ident,
    condition: Option<Condition>,
}

pub(super) fn findings(outline: &Outline<'_>) -> Vec<Finding> {
    let edges = edges(outline);
    let locks = in_order(&mut edges.iter());
    let mut cycles: Vec<Vec<&Edge>> = Vec::new();
    // Short cycles first: a longer one that contains a short one adds nothing.
    for length in 2..=locks.len() {
        for start in &locks {
            let mut search = Search {
                edges: &edges,
                start,
                length,
                path: Vec::new(),
                cycles: &mut cycles,
            };
            search.from(start);
        }
    }
    cycles.iter().flat_map(|cycle| report(cycle)).gather()
}

fn edges(outline: &Outline<'_>) -> Vec<Edge> {
    let mut edges = Vec::new();
    for known in &outline.methods {
        for event in known.events.iter().filter(|event| !event.held.is_empty()) {
            for waited in waited_for(outline, event) {
                let is_held = |lock: &OwnLock| plain(&lock.field) == waited.to;
                if event.held.iter().any(is_held) {
                    continue;
                }
                for held in &event.held {
                    let from = plain(&held.field);
                    edges.push(Edge {
                        under: exclusive_but(&event.held, &from),
                        perhaps_under: all_but(&event.held, &from),
                        from,
                        method: known.name.clone(),
                        waited: waited.clone(),
                    });
                }
            }
        }
    }
    // Certain edges first.
    edges.sort_by_key(|edge| rarity(edge.waited.condition.as_ref()));
    edges
}

/// The locks that are held, each once, by their names.
fn in_order(edges: &mut dyn Iterator<Item = &Edge>) -> Vec<String> {
    let mut locks = Vec::new();
    for edge in edges {
        if let Err(place) = locks.binary_search(&edge.from) {
            locks.insert(place, edge.from.clone());
        }
    }
    locks
}

fn waited_for(outline: &Outline<'_>, event: &Event) -> Vec<Waited> {
    match &event.kind {
        EventKind::Acquire(locks) => {
            let for_ever = locks.iter().filter(|lock| !lock.gives_up);
            let waited = for_ever.map(|lock| Waited {
                to: plain(&lock.field),
                through: Vec::new(),
                token: event.token_of(lock).clone(),
                condition: lock.condition.clone(),
            });
            waited.gather()
        }
        EventKind::Call(callee) => {
            let reached = outline.reached(callee).into_iter();
            let for_ever = reached.filter(|lock| !lock.gives_up);
            let waited = for_ever.map(|lock| Waited {
                to: plain(&lock.field),
                through: [vec![callee.clone()], lock.through].concat(),
                token: event.token.clone(),
                condition: lock.condition,
            });
            waited.gather()
        }
        EventKind::OnView(..) => Vec::new(),
    }
}

/// The locks that are held exclusively, without one.
fn exclusive_but(held: &[OwnLock], without: &str) -> Vec<String> {
    held.iter()
        .filter(|lock| lock.mode == Mode::Exclusive)
        .map(|lock| plain(&lock.field))
        .filter(|name| name != without)
        .gather()
}

/// All locks, without one.
fn all_but(held: &[OwnLock], without: &str) -> Vec<Ident> {
    let others = held.iter().filter(|lock| plain(&lock.field) != without);
    others.map(|lock| lock.field.clone()).gather()
}

/// A search for cycles of one length that begin at one lock.
struct Search<'e, 's> {
    edges: &'e [Edge],
    start: &'s str,
    length: usize,
    path: Vec<&'e Edge>,
    cycles: &'s mut Vec<Vec<&'e Edge>>,
}

impl<'e> Search<'e, '_> {
    fn from(&mut self, lock: &str) {
        for edge in self.edges.iter().filter(|edge| edge.from == lock) {
            if self
                .path
                .iter()
                .any(|earlier| earlier.from == edge.waited.to)
                && edge.waited.to != self.start
            {
                continue;
            }
            self.path.push(edge);
            if edge.waited.to == self.start {
                if self.path.len() == self.length && self.is_news() {
                    self.cycles.push(self.path.clone());
                }
            } else if self.path.len() < self.length {
                self.from(&edge.waited.to);
            }
            self.path.pop();
        }
    }

    /// Whether the cycle is possible, and contains no cycle that is known.
    fn is_news(&self) -> bool {
        let Some((first, others)) = self.path.split_first() else {
            return false;
        };
        let excludes = |lock: &&String| others.iter().all(|edge| edge.under.contains(lock));
        let contains = |cycle: &Vec<&Edge>| {
            cycle
                .iter()
                .all(|known| self.path.iter().any(|edge| edge.from == known.from))
        };
        !first.under.iter().any(|lock| excludes(&lock)) && !self.cycles.iter().any(contains)
    }
}

/// An error at each place; the first one describes the whole cycle.
fn report(cycle: &[&Edge]) -> Vec<Finding> {
    let conditions: Vec<_> = cycle
        .iter()
        .filter_map(|edge| edge.waited.condition.clone())
        .gather();
    // If one of those locks is exclusive, even to read, there is no deadlock.
    let apart: Vec<_> = held_by_all(cycle).map(|lock| (lock.clone(), None)).gather();
    let finding = |edge: &Edge, message| Finding {
        error: Error::new(edge.waited.token.span(), message),
        of_plain_lock: None,
        of_exclusive_lock: apart.clone(),
        conditions: conditions.clone(),
    };
    let Some((first, others)) = cycle.split_first() else {
        return Vec::new();
    };
    let stories: Vec<_> = cycle.iter().map(|edge| story(edge)).gather();
    let locks = in_order(&mut cycle.iter().copied());
    let each = if locks.len() == 2 { "both" } else { "all" };
    let whole = format!(
        "{}, so that tasks can wait for each other for ever: acquire {} in the same order \
         everywhere, or {each} at once, `#[synchronized({})]`",
        stories.join(", and "),
        list(&locks),
        locks.join(", "),
    );
    let mut findings = vec![finding(first, whole)];
    for edge in others {
        let message = format!("{}, against the order in `{}`", story(edge), first.method);
        findings.push(finding(edge, message));
    }
    findings
}

/// The locks that all tasks of a cycle hold, in any mode.
fn held_by_all<'e>(cycle: &[&'e Edge]) -> impl Iterator<Item = &'e Ident> {
    let others = cycle.to_vec();
    let locks = cycle.first().map_or(&[][..], |first| &first.perhaps_under);
    locks.iter().filter(move |lock| {
        let holds = |edge: &&Edge| edge.perhaps_under.iter().any(|held| held == *lock);
        others.iter().all(holds)
    })
}

/// `` `audit` acquires `ledger` while it holds `cfg` ``.
fn story(edge: &Edge) -> String {
    let Edge {
        from,
        method,
        waited,
        ..
    } = edge;
    let to = &waited.to;
    if waited.through.is_empty() {
        format!("`{method}` acquires `{to}` while it holds `{from}`")
    } else {
        format!(
            "`{method}` acquires `{to}`, through {}, while it holds `{from}`",
            list(&waited.through)
        )
    }
}
