/// Docs.
#[should_panic]
#[::core::prelude::v1::test]
fn nothing_is_lost() {
    ::async_monitor::check::Check::new()
        .cancels(0)
        .max_runs(LONG)
        .__every_schedule_of("nothing_is_lost", || async move { body().await });
}
