fn around() {
    let value = {
        let __base0 = &from;
        let __entry0 = ::async_monitor::__private::probe::<
            _,
            122075695621518212564394156771862851892u128,
        >(__base0)
            .__select(&__base0.ledger)
            .__settle();
        let __base1 = &to;
        let __entry1 = ::async_monitor::__private::probe::<
            _,
            122075695621518212564394156771862851892u128,
        >(__base1)
            .__select(&__base1.ledger)
            .__settle();
        let (mut __slot0, mut __slot1) = (
            ::core::option::Option::None,
            ::core::option::Option::None,
        );
        for __next in ::async_monitor::__private::in_order([
            (
                ::async_monitor::__private::Enter::<
                    122075695621518212564394156771862851892u128,
                >::id(__entry0.__entered()),
                ::core::stringify!(from.ledger),
            ),
            (
                ::async_monitor::__private::Enter::<
                    122075695621518212564394156771862851892u128,
                >::id(__entry1.__entered()),
                ::core::stringify!(to.ledger),
            ),
        ]) {
            match __next {
                0usize => {
                    __slot0 = ::core::option::Option::Some(
                        ::async_monitor::__private::granted(
                            ::async_monitor::__private::Enter::<
                                122075695621518212564394156771862851892u128,
                            >::acquire(__entry0.__entered())
                                .await,
                        ),
                    );
                }
                _ => {
                    __slot1 = ::core::option::Option::Some(
                        ::async_monitor::__private::granted(
                            ::async_monitor::__private::Enter::<
                                122075695621518212564394156771862851892u128,
                            >::acquire(__entry1.__entered())
                                .await,
                        ),
                    );
                }
            }
        }
        let mut __guard0 = ::async_monitor::__private::taken(__slot0);
        let mut __guard1 = ::async_monitor::__private::taken(__slot1);
        #[allow(unused_mut)]
        let mut __view0 = __entry0.__view(&mut __guard0);
        let a = __view0.__bind();
        let _ = &a;
        #[allow(unused_mut)]
        let mut __view1 = __entry1.__view(&mut __guard1);
        let b = __view1.__bind();
        let _ = &b;
        *a.balance -= amount;
        *b.balance += amount;
        *a.balance
    };
}
