impl Account {
    fn deposit(&mut self, amount: i64) -> i64 {
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
        let mut __guard0 = ::async_monitor::__private::granted(
            ::async_monitor::__private::block_on(
                ::async_monitor::__private::Enter::<
                    122075695621518212564394156771862851892u128,
                >::acquire(__entered0),
            ),
        );
        let mut __view0 = __kind0.__view(&mut __guard0);
        let _ = &mut __view0;
        let ledger = __view0.__bind();
        let _ = &ledger;
        *ledger.balance += amount;
        *ledger.balance
    }
}
