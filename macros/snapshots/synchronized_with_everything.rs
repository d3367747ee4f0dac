impl Account {
    /// Docs.
    pub async fn deposit(&self, amount: i64) -> Result<i64, Failed> {
        let (__type0, __lock0) = {
            let (__base, __branch) = ::async_monitor::__private::base();
            if __branch.__is_executed() {
                __branch.__reach();
                __base.__infer(&*self);
            }
            let __found = ::async_monitor::__private::probe::<
                _,
                122075695621518212564394156771862851892u128,
            >(__base, __branch)
                .__select(&self.ledger)
                .__resolve();
            let (__object, __branch) = ::async_monitor::__private::needed();
            if __branch.__is_executed() {
                __branch.__reach();
                __object.__set(&*self);
            }
            let __entry = ::async_monitor::__private::entry(__found, __object, __branch);
            (::async_monitor::__private::entry_type(&__entry), __entry.__lock())
        };
        let (__type1, __lock1) = {
            let (__base, __branch) = ::async_monitor::__private::base();
            if __branch.__is_executed() {
                __branch.__reach();
                __base.__infer(&*self);
            }
            let __found = ::async_monitor::__private::probe::<
                _,
                243516796964516940985367504845056174803u128,
            >(__base, __branch)
                .__select(&self.remote)
                .__resolve();
            let (__object, __branch) = ::async_monitor::__private::needed();
            if __branch.__is_executed() {
                __branch.__reach();
                __object.__set(&*self);
            }
            let __entry = ::async_monitor::__private::entry(__found, __object, __branch);
            (::async_monitor::__private::entry_type(&__entry), __entry.__lock())
        };
        let (__type2, __lock2) = {
            let (__base, __branch) = ::async_monitor::__private::base();
            if __branch.__is_executed() {
                __branch.__reach();
                __base.__infer(&*self);
            }
            let __found = ::async_monitor::__private::probe_shared::<
                _,
                263483944795383689231947791126006350729u128,
                221386149142879907063647187146096938689u128,
            >(__base, __branch)
                .__select(&self.cfg)
                .__resolve_shared();
            let (__object, __branch) = ::async_monitor::__private::needed();
            if __branch.__is_executed() {
                __branch.__reach();
                __object.__set(&*self);
            }
            let __entry = ::async_monitor::__private::entry(__found, __object, __branch);
            (::async_monitor::__private::entry_type(&__entry), __entry.__lock())
        };
        __type0.__suspend_mode().__with(&__type1).__with(&__type2).__is_bounded();
        static __SITE: ::async_monitor::__private::Site = ::async_monitor::__private::Site::new(
            "deposit",
            ::core::file!(),
            ::core::line!(),
            ::core::column!(),
            "",
            &[
                ::async_monitor::__private::SiteLock::new(
                    ::core::stringify!(ledger),
                    false,
                ),
                ::async_monitor::__private::SiteLock::new(
                    ::core::stringify!(remote),
                    false,
                ),
                ::async_monitor::__private::SiteLock::new(::core::stringify!(cfg), true),
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
                        ::async_monitor::__private::SectionLock::new(
                            __type1.__lock_type(),
                            __lock1,
                            ::async_monitor::__private::Watched::<
                                243516796964516940985367504845056174803u128,
                            >::watched_id,
                        ),
                        ::async_monitor::__private::SectionLock::new(
                            __type2.__lock_type(),
                            __lock2,
                            ::async_monitor::__private::Watched::<
                                263483944795383689231947791126006350729u128,
                            >::watched_id,
                        ),
                    ],
                )
        };
        let __limit: ::core::time::Duration = LONG;
        let mut __snapshot0 = ::core::option::Option::None;
        let mut __snapshot1 = ::core::option::Option::None;
        let __committed = ::async_monitor::__private::Committed::new();
        let (__waited0, __waited1, __waited2) = match ::async_monitor::__private::timeout(
                __limit,
                async {
                    let (mut __slot0, mut __slot1, mut __slot2) = (
                        ::core::option::Option::None,
                        ::core::option::Option::None,
                        ::core::option::Option::None,
                    );
                    for __next in ::async_monitor::__private::in_order([
                        (
                            ::async_monitor::__private::Enter::<
                                122075695621518212564394156771862851892u128,
                            >::id(__lock0),
                            ::core::stringify!(ledger),
                        ),
                        (
                            ::async_monitor::__private::Enter::<
                                243516796964516940985367504845056174803u128,
                            >::id(__lock1),
                            ::core::stringify!(remote),
                        ),
                        (
                            ::async_monitor::__private::EnterShared::<
                                263483944795383689231947791126006350729u128,
                            >::id(__lock2),
                            ::core::stringify!(cfg),
                        ),
                    ]) {
                        match __next {
                            0usize => {
                                __slot0 = ::core::option::Option::Some(
                                    ::async_monitor::__private::infallible('__at_once: {
                                        if !(&__section)
                                            .__enters_listed(__type0.__suspend_mode().__acquires_last())
                                        {
                                            if let ::core::option::Option::Some(__waited) = ::async_monitor::__private::Enter::<
                                                122075695621518212564394156771862851892u128,
                                            >::at_once(__lock0, &__SITE) {
                                                (&__section).__entered(0usize);
                                                break '__at_once ::core::result::Result::Ok(__waited);
                                            }
                                        }
                                        (&__section)
                                            .__entering(
                                                0usize,
                                                __type0.__suspend_mode().__acquires_last(),
                                                ::async_monitor::__private::Enter::<
                                                    122075695621518212564394156771862851892u128,
                                                >::wait(__lock0),
                                            )
                                            .await
                                    }),
                                );
                            }
                            1usize => {
                                __slot1 = ::core::option::Option::Some({
                                    let __acquired = '__at_once: {
                                        if !(&__section)
                                            .__enters_listed(__type1.__suspend_mode().__acquires_last())
                                        {
                                            if let ::core::option::Option::Some(__waited) = ::async_monitor::__private::Enter::<
                                                243516796964516940985367504845056174803u128,
                                            >::at_once(__lock1, &__SITE) {
                                                (&__section).__entered(1usize);
                                                break '__at_once ::core::result::Result::Ok(__waited);
                                            }
                                        }
                                        (&__section)
                                            .__entering(
                                                1usize,
                                                __type1.__suspend_mode().__acquires_last(),
                                                ::async_monitor::__private::Enter::<
                                                    243516796964516940985367504845056174803u128,
                                                >::wait(__lock1),
                                            )
                                            .await
                                    };
                                    match ::async_monitor::__private::failure(&__acquired)
                                        .__unwrap_acquired(__acquired)
                                    {
                                        ::core::result::Result::Ok(__guard) => __guard,
                                        ::core::result::Result::Err(__returned) => {
                                            return ::core::result::Result::Err(__returned);
                                        }
                                    }
                                });
                            }
                            _ => {
                                __slot2 = ::core::option::Option::Some(
                                    ::async_monitor::__private::infallible('__at_once: {
                                        if !(&__section)
                                            .__enters_listed(__type2.__suspend_mode().__acquires_last())
                                        {
                                            if let ::core::option::Option::Some(__waited) = ::async_monitor::__private::EnterShared::<
                                                263483944795383689231947791126006350729u128,
                                            >::at_once(__lock2, &__SITE) {
                                                (&__section).__entered(2usize);
                                                break '__at_once ::core::result::Result::Ok(__waited);
                                            }
                                        }
                                        (&__section)
                                            .__entering(
                                                2usize,
                                                __type2.__suspend_mode().__acquires_last(),
                                                ::async_monitor::__private::EnterShared::<
                                                    263483944795383689231947791126006350729u128,
                                                >::wait(__lock2),
                                            )
                                            .await
                                    }),
                                );
                            }
                        }
                    }
                    ::core::result::Result::Ok::<
                        _,
                        _,
                    >((
                        ::async_monitor::__private::taken(__slot0),
                        ::async_monitor::__private::taken(__slot1),
                        ::async_monitor::__private::taken(__slot2),
                    ))
                },
            )
            .await
        {
            ::core::result::Result::Ok(__acquired) => {
                match __acquired {
                    ::core::result::Result::Ok(__guards) => __guards,
                    ::core::result::Result::Err(__returned) => return __returned,
                }
            }
            ::core::result::Result::Err(__elapsed) => {
                (&__section).__timed_out();
                return ::async_monitor::__private::FromElapsed::from_elapsed(__elapsed);
            }
        };
        let (mut __guard0, mut __guard1, mut __guard2) = if __type0
            .__suspend_mode()
            .__with(&__type1)
            .__with(&__type2)
            .__acquires_last()
        {
            let mut __waited0 = ::core::option::Option::Some(__waited0);
            let mut __waited1 = ::core::option::Option::Some(__waited1);
            let mut __waited2 = ::core::option::Option::Some(__waited2);
            let (mut __slot0, mut __slot1, mut __slot2) = (
                ::core::option::Option::None,
                ::core::option::Option::None,
                ::core::option::Option::None,
            );
            for __next in ::async_monitor::__private::in_order([
                (
                    ::async_monitor::__private::Enter::<
                        122075695621518212564394156771862851892u128,
                    >::id(__lock0),
                    ::core::stringify!(ledger),
                ),
                (
                    ::async_monitor::__private::Enter::<
                        243516796964516940985367504845056174803u128,
                    >::id(__lock1),
                    ::core::stringify!(remote),
                ),
                (
                    ::async_monitor::__private::EnterShared::<
                        263483944795383689231947791126006350729u128,
                    >::id(__lock2),
                    ::core::stringify!(cfg),
                ),
            ]) {
                match __next {
                    0usize => {
                        __slot0 = ::core::option::Option::Some({
                            let __asking = unsafe {
                                (&__section)
                                    .__finish_inside(
                                        0usize,
                                        __type0.__suspend_mode().__acquires_last(),
                                    )
                            };
                            let __acquired = __type0
                                .__finish::<
                                    122075695621518212564394156771862851892u128,
                                >(::async_monitor::__private::taken(__waited0.take()));
                            __asking.__acquired();
                            __acquired
                        });
                    }
                    1usize => {
                        __slot1 = ::core::option::Option::Some({
                            let __asking = unsafe {
                                (&__section)
                                    .__finish_inside(
                                        1usize,
                                        __type1.__suspend_mode().__acquires_last(),
                                    )
                            };
                            let __acquired = __type1
                                .__finish::<
                                    243516796964516940985367504845056174803u128,
                                >(::async_monitor::__private::taken(__waited1.take()));
                            __asking.__acquired();
                            __acquired
                        });
                    }
                    _ => {
                        __slot2 = ::core::option::Option::Some({
                            let __asking = unsafe {
                                (&__section)
                                    .__finish_inside(
                                        2usize,
                                        __type2.__suspend_mode().__acquires_last(),
                                    )
                            };
                            let __acquired = ::async_monitor::__private::finish_shared::<
                                _,
                                263483944795383689231947791126006350729u128,
                            >(
                                &__type2,
                                ::async_monitor::__private::taken(__waited2.take()),
                            );
                            __asking.__acquired();
                            __acquired
                        });
                    }
                }
            }
            (
                ::async_monitor::__private::taken(__slot0),
                ::async_monitor::__private::taken(__slot1),
                ::async_monitor::__private::taken(__slot2),
            )
        } else {
            (
                {
                    let __asking = unsafe {
                        (&__section)
                            .__finish_inside(
                                0usize,
                                __type0.__suspend_mode().__acquires_last(),
                            )
                    };
                    let __acquired = __type0
                        .__finish::<
                            122075695621518212564394156771862851892u128,
                        >(__waited0);
                    __asking.__acquired();
                    __acquired
                },
                {
                    let __asking = unsafe {
                        (&__section)
                            .__finish_inside(
                                1usize,
                                __type1.__suspend_mode().__acquires_last(),
                            )
                    };
                    let __acquired = __type1
                        .__finish::<
                            243516796964516940985367504845056174803u128,
                        >(__waited1);
                    __asking.__acquired();
                    __acquired
                },
                {
                    let __asking = unsafe {
                        (&__section)
                            .__finish_inside(
                                2usize,
                                __type2.__suspend_mode().__acquires_last(),
                            )
                    };
                    let __acquired = ::async_monitor::__private::finish_shared::<
                        _,
                        263483944795383689231947791126006350729u128,
                    >(&__type2, __waited2);
                    __asking.__acquired();
                    __acquired
                },
            )
        };
        let __inside = unsafe {
            (&__section)
                .__inside_body(
                    __type0
                        .__suspend_mode()
                        .__with(&__type1)
                        .__with(&__type2)
                        .__acquires_last(),
                    false,
                )
        };
        let mut __lease1 = {
            let __lease = __type1
                .__lease::<243516796964516940985367504845056174803u128>(&__guard1);
            ::async_monitor::__private::leases(&__lease).__held(__lease)
        };
        let mut __restorable0 = __type0.__restorable(&mut __guard0);
        let mut __rollback0 = __restorable0.__rollback(&mut __snapshot0, &__committed);
        let mut __restorable1 = __type1.__restorable(&mut __guard1);
        let mut __rollback1 = __restorable1.__rollback(&mut __snapshot1, &__committed);
        let mut __view0 = __type0.__view(__rollback0.__guard());
        let ledger = __view0.__bind();
        let _ = &ledger;
        let mut __view1 = __type1.__view(__rollback1.__guard());
        let r = __view1.__bind();
        let _ = &r;
        let mut __view2 = __type2.__view(&mut __guard2);
        let ref cfg = *__view2.__bind_shared();
        let _ = cfg;
        let __value: Result<i64, Failed> = ::async_monitor::__private::without_await::<
            Result<i64, Failed>,
        >(|| { body(amount) });
        {
            let __acquired = __lease1.__vouched();
            match ::async_monitor::__private::failure(&__acquired)
                .__unwrap_acquired(__acquired)
            {
                ::core::result::Result::Ok(__guard) => __guard,
                ::core::result::Result::Err(__returned) => return __returned,
            }
        };
        ::async_monitor::__private::commit(
            __value,
            &__committed,
            |__value| { ::async_monitor::__private::outcome(__value).__is_success() },
        )
    }
}
