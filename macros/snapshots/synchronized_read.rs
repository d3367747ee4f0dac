impl Account {
    /// Docs.
    pub async fn deposit(&self, amount: i64) -> Result<i64, Failed> {
        let __base0 = &*self;
        let (__kind0, __entered0) = {
            let __entry = ::async_monitor::__private::probe::<
                _,
                263483944795383689231947791126006350729u128,
            >(__base0)
                .__select(&__base0.cfg)
                .__settle_shared();
            (::async_monitor::__private::kind(&__entry), __entry.__entered())
        };
        let mut __guard0 = ::async_monitor::__private::granted(
            ::async_monitor::__private::EnterShared::<
                263483944795383689231947791126006350729u128,
            >::acquire(__entered0)
                .await,
        );
        let mut __view0 = __kind0.__view(&mut __guard0);
        let _ = &mut __view0;
        let cfg = __view0.__bind_shared();
        let _ = &cfg;
        body(amount)
    }
}
