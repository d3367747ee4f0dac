fn around() {
    let value = {
        let __base0 = &from;
        let (__kind0, __entered0) = {
            let __entry = ::async_monitor::__private::probe::<
                _,
                122075695621518212564394156771862851892u128,
            >(__base0)
                .__select(&__base0.ledger)
                .__settle();
            (::async_monitor::__private::kind(&__entry), __entry.__entered())
        };
        let __base1 = &to;
        let (__kind1, __entered1) = {
            let __entry = ::async_monitor::__private::probe::<
                _,
                122075695621518212564394156771862851892u128,
            >(__base1)
                .__select(&__base1.ledger)
                .__settle();
            (::async_monitor::__private::kind(&__entry), __entry.__entered())
        };
        let (mut __slot0, mut __slot1) = (
            ::core::option::Option::None,
            ::core::option::Option::None,
        );
        for __next in ::async_monitor::__private::in_order([
            (
                ::async_monitor::__private::Enter::<
                    122075695621518212564394156771862851892u128,
                >::id(__entered0),
                ::core::stringify!(from.ledger),
            ),
            (
                ::async_monitor::__private::Enter::<
                    122075695621518212564394156771862851892u128,
                >::id(__entered1),
                ::core::stringify!(to.ledger),
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
                _ => {
                    __slot1 = ::core::option::Option::Some(
                        ::async_monitor::__private::granted(
                            ::async_monitor::__private::Enter::<
                                122075695621518212564394156771862851892u128,
                            >::acquire(__entered1)
                                .await,
                        ),
                    );
                }
            }
        }
        let mut __guard0 = ::async_monitor::__private::taken(__slot0);
        let mut __guard1 = ::async_monitor::__private::taken(__slot1);
        let mut __view0 = __kind0.__view(&mut __guard0);
        let _ = &mut __view0;
        let a = __view0.__bind();
        let _ = &a;
        let mut __view1 = __kind1.__view(&mut __guard1);
        let _ = &mut __view1;
        let b = __view1.__bind();
        let _ = &b;
        *a.balance -= amount;
        *b.balance += amount;
        *a.balance
    };
}
