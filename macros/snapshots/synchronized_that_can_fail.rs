impl Account {
    /// Docs.
    pub async fn deposit(&self, amount: i64) -> Result<i64, Failed> {
        let __base0 = &*self;
        let (__kind0, __entered0) = {
            let __entry = ::async_monitor::__private::probe::<
                _,
                243516796964516940985367504845056174803u128,
            >(__base0)
                .__select(&__base0.remote)
                .__settle();
            (::async_monitor::__private::kind(&__entry), __entry.__entered())
        };
        let mut __guard0 = {
            let __acquired = ::async_monitor::__private::Enter::<
                243516796964516940985367504845056174803u128,
            >::acquire(__entered0)
                .await;
            match ::async_monitor::__private::failure(&__acquired).__settle(__acquired) {
                ::core::result::Result::Ok(__guard) => __guard,
                ::core::result::Result::Err(__returned) => return __returned,
            }
        };
        let mut __view0 = __kind0.__view(&mut __guard0);
        let _ = &mut __view0;
        let remote = __view0.__bind();
        let _ = &remote;
        body(amount)
    }
}
