impl Account {
    fn deposit(&mut self, amount: i64) -> i64 {
        ::async_monitor::__private::mutable_receiver::<
            _,
            122075695621518212564394156771862851892u128,
        >(&*self)
            .__check_lock(&self.ledger);
        let (__type0, __lock0) = {
            let __entry = ::async_monitor::__private::probe::<
                _,
                122075695621518212564394156771862851892u128,
            >(&*self)
                .__select(&self.ledger)
                .__resolve();
            (::async_monitor::__private::entry_type(&__entry), __entry.__lock())
        };
        let mut __guard0 = ::async_monitor::__private::infallible(
            ::async_monitor::__private::block_on(
                ::async_monitor::__private::Enter::<
                    122075695621518212564394156771862851892u128,
                >::acquire(__lock0),
            ),
        );
        let mut __view0 = __type0.__view(&mut __guard0);
        let ledger = __view0.__bind();
        let _ = &ledger;
        {
            {
                *ledger.balance += amount;
                *ledger.balance
            }
        }
    }
}
