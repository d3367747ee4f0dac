impl Account {
    /// Docs.
    pub async fn deposit(&self, amount: i64) -> Result<i64, Failed> {
        let __base0 = &GLOBAL;
        let (__type0, __lock0) = {
            let __entry = ::async_monitor::__private::value(__base0).__resolve();
            (::async_monitor::__private::entry_type(&__entry), __entry.__lock())
        };
        let __waited0 = ::async_monitor::__private::infallible(
            ::async_monitor::__private::Enter::<0u128>::wait(__lock0).await,
        );
        let mut __guard0 = __type0.__finish::<0u128>(__waited0);
        let mut __view0 = __type0.__view(&mut __guard0);
        let g = __view0.__bind();
        let _ = &g;
        {
            {
                body(amount)
            }
        }
    }
}
