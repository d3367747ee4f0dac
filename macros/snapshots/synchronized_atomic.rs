impl Account {
    /// Docs.
    pub async fn deposit(&self, amount: i64) -> Result<i64, Failed> {
        let (__type0, __lock0) = {
            let __entry = ::async_monitor::__private::probe::<
                _,
                122075695621518212564394156771862851892u128,
            >(&*self)
                .__select(&self.ledger)
                .__resolve();
            (::async_monitor::__private::entry_type(&__entry), __entry.__lock())
        };
        let mut __snapshot0 = ::core::option::Option::None;
        let __committed = ::async_monitor::__private::Committed::new();
        let mut __guard0 = ::async_monitor::__private::infallible(
            ::async_monitor::__private::Enter::<
                122075695621518212564394156771862851892u128,
            >::acquire(__lock0)
                .await,
        );
        let mut __restorable0 = __type0.__restorable(&mut __guard0);
        let mut __rollback0 = __restorable0.__rollback(&mut __snapshot0, &__committed);
        let mut __view0 = __type0.__view(__rollback0.__guard());
        let ledger = __view0.__bind();
        let _ = &ledger;
        let __value: Result<i64, Failed> = async {
            {
                let ledger = ledger;
                let _ = &ledger;
                if let ::core::option::Option::Some(__return) = ::core::option::Option::None::<
                    Result<i64, Failed>,
                > {
                    return __return;
                }
                {
                    body(amount)
                }
            }
        }
            .await;
        ::async_monitor::__private::commit(
            __value,
            &__committed,
            |__value| { ::async_monitor::__private::outcome(__value).__is_success() },
        )
    }
}
