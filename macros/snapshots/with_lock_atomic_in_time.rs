const _: () = {
    let _ = {
        let (__type0, __lock0) = {
            let (__base, __branch) = ::async_monitor::__private::base();
            if __branch.__is_executed() {
                __branch.__reach();
                __base.__infer(&account);
            }
            let __found = ::async_monitor::__private::probe::<
                _,
                122075695621518212564394156771862851892u128,
            >(__base, __branch)
                .__select(&account.ledger)
                .__resolve();
            let (__object, __branch) = ::async_monitor::__private::needed();
            if __branch.__is_executed() {
                __branch.__reach();
                __object.__set(&account);
            }
            let __entry = ::async_monitor::__private::entry(__found, __object, __branch);
            (::async_monitor::__private::entry_type(&__entry), __entry.__lock())
        };
        __type0.__suspend_mode().__is_bounded();
        static __SITE: ::async_monitor::__private::Site = ::async_monitor::__private::Site::new(
            "with_lock!",
            ::core::file!(),
            ::core::line!(),
            ::core::column!(),
            "",
            &[
                ::async_monitor::__private::SiteLock::new(
                    ::core::stringify!(account.ledger),
                    false,
                ),
            ],
        );
        let __section = unsafe { ::async_monitor::__private::Section::new() };
        unsafe {
            (&__section)
                .__describe(
                    &__SITE,
                    ::core::option::Option::None,
                    [
                        ::async_monitor::__private::SectionLock::new(
                            __type0.__lock_type(),
                            __lock0,
                            ::async_monitor::__private::Watched::<
                                122075695621518212564394156771862851892u128,
                            >::watched_id,
                        ),
                    ],
                )
        };
        let __limit: ::core::time::Duration = LONG;
        match ::async_monitor::__private::timeout(
                __limit,
                (&__section)
                    .__entering(
                        0usize,
                        __type0.__suspend_mode().__acquires_last(),
                        ::async_monitor::__private::Enter::<
                            122075695621518212564394156771862851892u128,
                        >::wait(__lock0),
                    ),
            )
            .await
        {
            ::core::result::Result::Ok(__acquired) => {
                let mut __snapshot0 = ::core::option::Option::None;
                let __committed = ::async_monitor::__private::Committed::new();
                let (__waited0,) = (::async_monitor::__private::infallible(__acquired),);
                let __asking = unsafe {
                    (&__section)
                        .__finish_inside(
                            0usize,
                            __type0.__suspend_mode().__acquires_last(),
                        )
                };
                let mut __guard0 = __type0
                    .__finish::<122075695621518212564394156771862851892u128>(__waited0);
                __asking.__acquired();
                ::core::result::Result::Ok({
                    let __inside = unsafe {
                        (&__section)
                            .__inside_body(
                                __type0.__suspend_mode().__acquires_last(),
                                false,
                            )
                    };
                    let mut __restorable0 = __type0.__restorable(&mut __guard0);
                    let mut __rollback0 = __restorable0
                        .__rollback(&mut __snapshot0, &__committed);
                    let mut __view0 = __type0.__view(__rollback0.__guard());
                    let ledger = __view0.__bind();
                    let _ = &ledger;
                    ::async_monitor::__private::commit(
                        {
                            *ledger.balance -= amount;
                            check(ledger)?;
                            *ledger.balance
                        },
                        &__committed,
                        |__value| {
                            ::async_monitor::__private::outcome(__value).__is_success()
                        },
                    )
                })
            }
            ::core::result::Result::Err(__elapsed) => {
                (&__section).__timed_out();
                ::core::result::Result::Err::<_, ::async_monitor::Elapsed>(__elapsed)
            }
        }
    };
};
