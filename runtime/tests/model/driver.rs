//! Steps, seeds, and the minimizer.

use std::any::Any;
use std::cell::Cell;
use std::env;
use std::fmt::{Debug, Write};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::random::Random;

/// How many steps a schedule has for each slot. Few enough that the effects of an
/// early step do not dominate the rest.
const STEPS_PER_SLOT: usize = 20;

/// Sizes of primitives are below this.
const SIZES: usize = 16;

/// How many futures there may be at a time: a few, or more than one batch of
/// wakers.
pub(crate) fn slots(size: usize) -> usize {
    if size < SIZES - 1 { 7 } else { 50 }
}

/// A primitive and its model.
pub(crate) trait Subject {
    /// One step. It contains all of its random choices, and does nothing
    /// if it makes no sense; so any part of a schedule is a schedule.
    type Step: Copy + Debug + 'static;

    /// How many steps a test takes by default.
    const STEPS: u64 = 500_000;

    /// A step.
    fn step(random: &mut Random) -> Self::Step;

    /// Takes the steps, with a new primitive of some size and as many
    /// [`slots`], and panics where it is not as the model says.
    fn run(size: usize, steps: &[Self::Step]);

    /// The same step with less in it, if there is less.
    fn simpler(_step: Self::Step) -> Option<Self::Step> {
        None
    }
}

/// Takes the steps under the feature `check`: in a checked task, the only one of its
/// run.
#[cfg(feature = "check")]
fn run<S: Subject>(size: usize, steps: &[S::Step]) {
    let check = async_monitor::check::Check::new()
        .cancels(0)
        .timeouts(0)
        .max_steps(usize::MAX)
        .stack_size(1 << 20);
    let outcome = check.run(|run| {
        let steps = steps.to_vec();
        run.thread("model", move || S::run(size, &steps));
    });
    match outcome {
        Ok(outcome) => assert_eq!(outcome.schedules(), 1, "nobody is beside it"),
        Err(failure) => panic!("{}", failure.what()),
    }
}

#[cfg(not(feature = "check"))]
fn run<S: Subject>(size: usize, steps: &[S::Step]) {
    S::run(size, steps);
}

/// Each schedule is run several times by a check.
const LESS: u64 = if cfg!(feature = "check") { 100 } else { 1 };

/// Takes random schedules, as many as the environment asks for.
pub(crate) fn check<S: Subject>() {
    silence_while_searching();
    let steps = variable("ASYNC_MONITOR_STEPS").unwrap_or(S::STEPS / LESS);
    let first = variable("ASYNC_MONITOR_SEED").unwrap_or(1);
    let mut schedule = Vec::new();
    let mut taken = 0;
    for seed in first.. {
        if taken >= steps {
            break;
        }
        let mut random = Random::new(seed);
        let size = random.below(SIZES);
        let length = slots(size) * STEPS_PER_SLOT;
        taken += length as u64;
        schedule.clear();
        schedule.extend((0..length).map(|_| S::step(&mut random)));
        if failure::<S>(size, &schedule).is_some() {
            report::<S>(seed, size, schedule);
        }
    }
}

fn variable(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    let value = value.replace('_', "");
    Some(value.parse().expect("a number"))
}

/// The failure of a schedule, if it fails.
fn failure<S: Subject>(size: usize, steps: &[S::Step]) -> Option<String> {
    SEARCHING.set(true);
    let result = catch_unwind(AssertUnwindSafe(|| run::<S>(size, steps)));
    SEARCHING.set(false);
    result.err().map(|payload| message(&*payload))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|&text| text.to_owned()))
        .unwrap_or_else(|| "a panic that is no text".to_owned())
}

/// Panics with the shortest schedule that fails.
fn report<S: Subject>(seed: u64, size: usize, schedule: Vec<S::Step>) -> ! {
    let steps = shorten(
        schedule,
        |steps| failure::<S>(size, steps).is_some(),
        S::simpler,
    );
    let message = failure::<S>(size, &steps).expect("it failed before");
    let mut text = String::new();
    for step in &steps {
        writeln!(text, "    {step:?}").expect("a string takes everything");
    }
    panic!("ASYNC_MONITOR_SEED={seed}, size {size}, after\n{text}{message}");
}

/// Leaves steps out, in ever smaller parts, and makes steps simpler, as long as
/// the rest `fails`.
fn shorten<T: Copy>(
    mut steps: Vec<T>,
    fails: impl Fn(&[T]) -> bool,
    simpler: impl Fn(T) -> Option<T>,
) -> Vec<T> {
    loop {
        let before = steps.len();
        let mut part = before.div_ceil(2);
        while part > 0 {
            let mut at = 0;
            while at < steps.len() {
                let end = (at + part).min(steps.len());
                let rest = [&steps[..at], &steps[end..]].concat();
                if fails(&rest) {
                    steps = rest;
                } else {
                    at = end;
                }
            }
            part /= 2;
        }
        for at in 0..steps.len() {
            while let Some(step) = simpler(steps[at]) {
                let kept = std::mem::replace(&mut steps[at], step);
                if !fails(&steps) {
                    steps[at] = kept;
                    break;
                }
            }
        }
        if steps.len() == before {
            return steps;
        }
    }
}

thread_local! {
    static SEARCHING: Cell<bool> = const { Cell::new(false) };
}

/// Panics of the schedules that the minimizer tries print nothing.
fn silence_while_searching() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !SEARCHING.get() {
                hook(info);
            }
        }));
    });
}

#[test]
fn a_schedule_is_made_as_short_as_it_can_be() {
    let fails = |steps: &[u32]| steps.contains(&3) && steps.contains(&77);
    let steps = shorten((0..100).collect(), fails, |_| None);
    assert_eq!(steps, [3, 77]);
    let large = |steps: &[u32]| steps.iter().any(|&step| step >= 10);
    let steps = shorten((0..100).collect(), large, |step| step.checked_sub(1));
    assert_eq!(steps, [10]);
}

#[test]
#[should_panic(expected = "after\n    3\n    7\n")]
fn a_failure_names_its_seed_and_its_steps() {
    struct ThreeAndSeven;

    impl Subject for ThreeAndSeven {
        type Step = usize;

        fn step(random: &mut Random) -> usize {
            random.below(10)
        }

        fn run(_size: usize, steps: &[usize]) {
            let three = steps.iter().position(|&step| step == 3);
            assert!(three.is_none_or(|at| !steps[at..].contains(&7)), "seven");
        }
    }

    check::<ThreeAndSeven>();
}
