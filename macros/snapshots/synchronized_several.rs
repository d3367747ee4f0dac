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
                __base.__infer(&self.inner);
            }
            let __found = ::async_monitor::__private::probe::<
                _,
                122075695621518212564394156771862851892u128,
            >(__base, __branch)
                .__select(&self.inner.ledger)
                .__resolve();
            let (__object, __branch) = ::async_monitor::__private::needed();
            if __branch.__is_executed() {
                __branch.__reach();
                __object.__set(&self.inner);
            }
            let __entry = ::async_monitor::__private::entry(__found, __object, __branch);
            (::async_monitor::__private::entry_type(&__entry), __entry.__lock())
        };
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
                    ::core::stringify!(self.inner.ledger),
                    false,
                ),
            ],
        );
        let __section = unsafe { ::async_monitor::__private::Section::new() };
        if (&__section).__is_described_early() {
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
                                    122075695621518212564394156771862851892u128,
                                >::watched_id,
                            ),
                        ],
                    )
            };
        }
        let (mut __slot0, mut __slot1) = (
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
                    122075695621518212564394156771862851892u128,
                >::id(__lock1),
                ::core::stringify!(self.inner.ledger),
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
                            if !(&__section).__is_described() {
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
                                                        122075695621518212564394156771862851892u128,
                                                    >::watched_id,
                                                ),
                                            ],
                                        )
                                };
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
                _ => {
                    __slot1 = ::core::option::Option::Some(
                        ::async_monitor::__private::infallible('__at_once: {
                            if !(&__section)
                                .__enters_listed(__type1.__suspend_mode().__acquires_last())
                            {
                                if let ::core::option::Option::Some(__waited) = ::async_monitor::__private::Enter::<
                                    122075695621518212564394156771862851892u128,
                                >::at_once(__lock1, &__SITE) {
                                    (&__section).__entered(1usize);
                                    break '__at_once ::core::result::Result::Ok(__waited);
                                }
                            }
                            if !(&__section).__is_described() {
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
                                                        122075695621518212564394156771862851892u128,
                                                    >::watched_id,
                                                ),
                                            ],
                                        )
                                };
                            }
                            (&__section)
                                .__entering(
                                    1usize,
                                    __type1.__suspend_mode().__acquires_last(),
                                    ::async_monitor::__private::Enter::<
                                        122075695621518212564394156771862851892u128,
                                    >::wait(__lock1),
                                )
                                .await
                        }),
                    );
                }
            }
        }
        let (mut __guard0, mut __guard1) = if __type0
            .__suspend_mode()
            .__with(&__type1)
            .__acquires_last()
        {
            let mut __waited0 = ::core::option::Option::Some(
                ::async_monitor::__private::taken(__slot0),
            );
            let mut __waited1 = ::core::option::Option::Some(
                ::async_monitor::__private::taken(__slot1),
            );
            let (mut __slot0, mut __slot1) = (
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
                        122075695621518212564394156771862851892u128,
                    >::id(__lock1),
                    ::core::stringify!(self.inner.ledger),
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
                    _ => {
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
                                    122075695621518212564394156771862851892u128,
                                >(::async_monitor::__private::taken(__waited1.take()));
                            __asking.__acquired();
                            __acquired
                        });
                    }
                }
            }
            (
                ::async_monitor::__private::taken(__slot0),
                ::async_monitor::__private::taken(__slot1),
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
                        >(::async_monitor::__private::taken(__slot0));
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
                            122075695621518212564394156771862851892u128,
                        >(::async_monitor::__private::taken(__slot1));
                    __asking.__acquired();
                    __acquired
                },
            )
        };
        let __inside = unsafe {
            (&__section)
                .__inside_body(
                    __type0.__suspend_mode().__with(&__type1).__acquires_last(),
                    false,
                )
        };
        let mut __view0 = __type0.__view(&mut __guard0);
        let ledger = __view0.__bind();
        let _ = &ledger;
        let mut __view1 = __type1.__view(&mut __guard1);
        let other = __view1.__bind();
        let _ = &other;
        {
            {
                body(amount)
            }
        }
    }
}
