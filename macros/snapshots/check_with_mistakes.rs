fn nothing_is_lost(sum: u64) -> u64 {
    body(sum)
}
::core::compile_error! {
    "`cancel` is not an option of a check: write `cancels = ..`, `timeouts = ..`, `max_runs = ..`, `max_steps = ..`, `tasks = ..`, `cancels_may_starve = ..`, `sample = ..`, `stack_size = ..`, or `crate = ::path`"
}
::core::compile_error! {
    "`#[check]` runs an async fn, whose `check::spawn` makes the tasks: write `async fn`, or call `check::every_schedule` in a `#[test]`"
}
::core::compile_error! {
    "a test has no parameters: remove them"
}
::core::compile_error! {
    "a check returns nothing: use `unwrap` or an `assert!`"
}
