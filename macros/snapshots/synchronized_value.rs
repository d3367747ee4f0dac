impl Account {
    /// Docs.
    pub async fn deposit(&self, amount: i64) -> Result<i64, Failed> {
        let __base0 = &GLOBAL;
        let (__kind0, __entered0) = {
            let __entry = ::async_monitor::__private::value(__base0).__settle();
            (::async_monitor::__private::kind(&__entry), __entry.__entered())
        };
        let mut __guard0 = ::async_monitor::__private::granted(
            ::async_monitor::__private::Enter::<0u128>::acquire(__entered0).await,
        );
        let mut __view0 = __kind0.__view(&mut __guard0);
        let _ = &mut __view0;
        let g = __view0.__bind();
        let _ = &g;
        body(amount)
    }
}
