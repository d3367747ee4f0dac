fn around() {
    let value = {
        let __base0 = &account;
        let (__kind0, __entered0) = {
            let __entry = ::async_monitor::__private::probe::<
                _,
                122075695621518212564394156771862851892u128,
            >(__base0)
                .__select(&__base0.ledger)
                .__settle();
            (::async_monitor::__private::kind(&__entry), __entry.__entered())
        };
        let __limit: ::core::time::Duration = LONG;
        match ::async_monitor::__private::timeout(
                __limit,
                ::async_monitor::__private::Enter::<
                    122075695621518212564394156771862851892u128,
                >::acquire(__entered0),
            )
            .await
        {
            ::core::result::Result::Ok(__acquired) => {
                let mut __saved0 = ::core::option::Option::None;
                let __armed = ::async_monitor::__private::Armed::new();
                let (mut __guard0,) = (::async_monitor::__private::granted(__acquired),);
                ::core::result::Result::Ok({
                    let mut __restorable0 = __kind0.__restorable(&mut __guard0);
                    let mut __undo0 = __restorable0.__undo(&mut __saved0, &__armed);
                    let mut __view0 = __kind0.__view(__undo0.__guard());
                    let _ = &mut __view0;
                    let ledger = __view0.__bind();
                    let _ = &ledger;
                    ::async_monitor::__private::settled(
                        {
                            *ledger.balance -= amount;
                            check(ledger)?;
                            *ledger.balance
                        },
                        &__armed,
                        |__outcome| {
                            ::async_monitor::__private::verdict(__outcome).__has_failed()
                        },
                    )
                })
            }
            ::core::result::Result::Err(__elapsed) => {
                ::core::result::Result::Err::<_, ::async_monitor::Elapsed>(__elapsed)
            }
        }
    };
}
