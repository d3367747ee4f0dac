impl Account {
    /// Docs.
    pub async fn deposit(&self, amount: i64) -> Result<i64, Failed> {
        let __base0 = &*self;
        let (__kind0, __entered0) = {
            let __entry = ::async_monitor::__private::probe::<
                _,
                122075695621518212564394156771862851892u128,
            >(__base0)
                .__select(&__base0.ledger)
                .__settle();
            (::async_monitor::__private::kind(&__entry), __entry.__entered())
        };
        let __base1 = &*self;
        let (__kind1, __entered1) = {
            let __entry = ::async_monitor::__private::probe::<
                _,
                243516796964516940985367504845056174803u128,
            >(__base1)
                .__select(&__base1.remote)
                .__settle();
            (::async_monitor::__private::kind(&__entry), __entry.__entered())
        };
        let __base2 = &*self;
        let (__kind2, __entered2) = {
            let __entry = ::async_monitor::__private::probe::<
                _,
                263483944795383689231947791126006350729u128,
            >(__base2)
                .__select(&__base2.cfg)
                .__settle_shared();
            (::async_monitor::__private::kind(&__entry), __entry.__entered())
        };
        let __limit: ::core::time::Duration = LONG;
        let mut __saved0 = ::core::option::Option::None;
        let mut __saved1 = ::core::option::Option::None;
        let __armed = ::async_monitor::__private::Armed::new();
        let (mut __guard0, mut __guard1, mut __guard2) = match ::async_monitor::__private::timeout(
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
                            >::id(__entered0),
                            ::core::stringify!(ledger),
                        ),
                        (
                            ::async_monitor::__private::Enter::<
                                243516796964516940985367504845056174803u128,
                            >::id(__entered1),
                            ::core::stringify!(remote),
                        ),
                        (
                            ::async_monitor::__private::EnterShared::<
                                263483944795383689231947791126006350729u128,
                            >::id(__entered2),
                            ::core::stringify!(cfg),
                        ),
                    ]) {
                        match __next {
                            0usize => {
                                __slot0 = ::core::option::Option::Some(
                                    ::async_monitor::__private::granted(
                                        ::async_monitor::__private::Enter::<
                                            122075695621518212564394156771862851892u128,
                                        >::acquire(__entered0)
                                            .await,
                                    ),
                                );
                            }
                            1usize => {
                                __slot1 = ::core::option::Option::Some({
                                    let __acquired = ::async_monitor::__private::Enter::<
                                        243516796964516940985367504845056174803u128,
                                    >::acquire(__entered1)
                                        .await;
                                    match ::async_monitor::__private::failure(&__acquired)
                                        .__settle(__acquired)
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
                                    ::async_monitor::__private::granted(
                                        ::async_monitor::__private::EnterShared::<
                                            263483944795383689231947791126006350729u128,
                                        >::acquire(__entered2)
                                            .await,
                                    ),
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
                return ::async_monitor::__private::FromElapsed::from_elapsed(__elapsed);
            }
        };
        let mut __restorable0 = __kind0.__restorable(&mut __guard0);
        let mut __undo0 = __restorable0.__undo(&mut __saved0, &__armed);
        let mut __restorable1 = __kind1.__restorable(&mut __guard1);
        let mut __undo1 = __restorable1.__undo(&mut __saved1, &__armed);
        let mut __view0 = __kind0.__view(__undo0.__guard());
        let _ = &mut __view0;
        let ledger = __view0.__bind();
        let _ = &ledger;
        let mut __view1 = __kind1.__view(__undo1.__guard());
        let _ = &mut __view1;
        let r = __view1.__bind();
        let _ = &r;
        let mut __view2 = __kind2.__view(&mut __guard2);
        let _ = &mut __view2;
        let cfg = __view2.__bind_shared();
        let _ = &cfg;
        ::async_monitor::__private::settled(
            ::async_monitor::__private::without_await::<
                Result<i64, Failed>,
            >(|| { body(amount) }),
            &__armed,
            |__outcome| { ::async_monitor::__private::verdict(__outcome).__has_failed() },
        )
    }
}
