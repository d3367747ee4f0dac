impl Account {
    #[cfg(not(clippy))]
    fn __deposit_held<'__section>(
        &self,
        __view: &'__section mut AccountLedgerHeld<'__section>,
        amount: i64,
    ) -> &str {
        ::async_monitor::__view_in!(__view => mut ledger);
        let _ = &ledger;
        *ledger.balance += amount;
        &self.name
    }
    /// Docs.
    #[synchronized(ledger)]
    pub async fn deposit(&self, amount: i64) -> &str {
        Self::__deposit_held(self, ledger, amount)
    }
    #[cfg(clippy)]
    /// Docs.
    #[synchronized(ledger)]
    pub async fn deposit(&self, amount: i64) -> &str {
        *ledger.balance += amount;
        &self.name
    }
    #[synchronized(ledger, when = *ledger.balance>= amount)]
    pub async fn withdraw(&self, amount: i64) {
        ledger.deposit(-amount).await;
    }
    #[cfg(not(clippy))]
    async fn __slowly_held(
        &self,
        ledger: &'_ mut AccountLedgerHeld<'_>,
        (a, b): (i64, i64),
    ) -> Result<i64, Failed> {
        let _ = &ledger;
        *ledger.balance += a;
        step().await;
        Ok(b)
    }
    #[synchronized(ledger, atomic)]
    async fn slowly(&self, __arg1: (i64, i64)) -> Result<i64, Failed> {
        Self::__slowly_held(self, ledger, __arg1).await
    }
    #[cfg(clippy)]
    #[synchronized(ledger, atomic)]
    async fn slowly(&self, (a, b): (i64, i64)) -> Result<i64, Failed> {
        *ledger.balance += a;
        step().await;
        Ok(b)
    }
    #[cfg(not(clippy))]
    fn __limit_held(&self, __view: &'_ AccountCfgReadHeld<'_>) -> u8 {
        let ref cfg = *__view;
        let _ = &cfg;
        cfg.limit.clone()
    }
    #[synchronized(read(cfg))]
    async fn limit(&self) -> u8 {
        Self::__limit_held(self, cfg)
    }
    #[cfg(clippy)]
    #[synchronized(read(cfg))]
    async fn limit(&self) -> u8 {
        cfg.limit.clone()
    }
    #[cfg(not(clippy))]
    fn __balance_held(&self, __view: &'_ AccountLedgerHeld<'_>) -> i64 {
        let ref ledger = *__view;
        let _ = &ledger;
        *ledger.balance
    }
    #[synchronized(read(ledger))]
    async fn balance(&self) -> i64 {
        Self::__balance_held(self, ledger)
    }
    #[cfg(clippy)]
    #[synchronized(read(ledger))]
    async fn balance(&self) -> i64 {
        *ledger.balance
    }
    #[cfg(not(clippy))]
    fn __count_held(&self, brief: &'_ mut AccountBriefHeld<'_>) -> u8 {
        let _ = &brief;
        bump!(* brief.count)
    }
    #[synchronized(brief)]
    async fn count(&self) -> u8 {
        Self::__count_held(self, brief)
    }
    #[cfg(clippy)]
    #[synchronized(brief)]
    async fn count(&self) -> u8 {
        bump!(* brief.count)
    }
    fn helper(&self) {}
}
const _: () = {
    fn __check(_: &Account) {
        ::async_monitor::__private::derived::<Account>()
    }
};
#[automatically_derived]
impl<'__guard> AccountLedgerHeld<'__guard> {
    #[cfg(not(clippy))]
    /// Docs.
    ///
    /// Runs under the lock already held: see `Account::deposit`.
    pub async fn deposit(&mut self, amount: i64) -> &'__guard str {
        if false {
            ::core::mem::forget(
                <Account>::deposit(
                    ::async_monitor::__private::ViewOf::object(self),
                    amount,
                ),
            );
            ::core::unreachable!();
        }
        let __object = ::async_monitor::__private::ViewOf::object(self);
        let mut __view = ::async_monitor::__private::ReborrowView::reborrow(self);
        <Account>::__deposit_held(__object, &mut __view, amount)
    }
    #[cfg(clippy)]
    /// Docs.
    ///
    /// Runs under the lock already held: see `Account::deposit`.
    pub async fn deposit(&mut self, amount: i64) -> &'__guard str {
        <Account>::deposit(::async_monitor::__private::ViewOf::object(self), amount)
            .await
    }
    #[cfg(not(clippy))]
    /// Runs under the lock already held: see `Account::slowly`.
    async fn slowly(&mut self, __arg1: (i64, i64)) -> Result<i64, Failed> {
        if false {
            ::core::mem::forget(
                <Account>::slowly(
                    ::async_monitor::__private::ViewOf::object(self),
                    __arg1,
                ),
            );
            ::core::unreachable!();
        }
        let __object = ::async_monitor::__private::ViewOf::object(self);
        let mut __snapshot = ::core::option::Option::None;
        let __committed = ::async_monitor::__private::Committed::new();
        let mut __rollback = ::async_monitor::__private::roll_back_view(
            self,
            &mut __snapshot,
            &__committed,
        );
        let mut __view = ::async_monitor::__private::ReborrowView::reborrow(
            __rollback.__guard(),
        );
        let __value = <Account>::__slowly_held(__object, &mut __view, __arg1).await;
        ::async_monitor::__private::commit(
            __value,
            &__committed,
            |__value| { ::async_monitor::__private::outcome(__value).__is_success() },
        )
    }
    #[cfg(clippy)]
    /// Runs under the lock already held: see `Account::slowly`.
    async fn slowly(&mut self, __arg1: (i64, i64)) -> Result<i64, Failed> {
        <Account>::slowly(::async_monitor::__private::ViewOf::object(self), __arg1).await
    }
}
#[automatically_derived]
impl<'__guard> AccountCfgReadHeld<'__guard> {
    #[cfg(not(clippy))]
    /// Runs under the lock already held: see `Account::limit`.
    async fn limit(&self) -> u8 {
        if false {
            ::core::mem::forget(
                <Account>::limit(::async_monitor::__private::ViewOf::object(self)),
            );
            ::core::unreachable!();
        }
        <Account>::__limit_held(::async_monitor::__private::ViewOf::object(self), self)
    }
    #[cfg(clippy)]
    /// Runs under the lock already held: see `Account::limit`.
    async fn limit(&self) -> u8 {
        <Account>::limit(::async_monitor::__private::ViewOf::object(self)).await
    }
}
#[automatically_derived]
impl<'__guard> AccountCfgHeld<'__guard> {
    #[cfg(not(clippy))]
    /// Runs under the lock already held: see `Account::limit`.
    async fn limit(&self) -> u8 {
        if false {
            ::core::mem::forget(
                <Account>::limit(::async_monitor::__private::ViewOf::object(self)),
            );
            ::core::unreachable!();
        }
        <Account>::__limit_held(
            ::async_monitor::__private::ViewOf::object(self),
            &::async_monitor::__private::AsRead::as_read(self),
        )
    }
    #[cfg(clippy)]
    /// Runs under the lock already held: see `Account::limit`.
    async fn limit(&self) -> u8 {
        <Account>::limit(::async_monitor::__private::ViewOf::object(self)).await
    }
}
#[automatically_derived]
impl<'__guard> AccountLedgerHeld<'__guard> {
    #[cfg(not(clippy))]
    /// Runs under the lock already held: see `Account::balance`.
    async fn balance(&self) -> i64 {
        if false {
            ::core::mem::forget(
                <Account>::balance(::async_monitor::__private::ViewOf::object(self)),
            );
            ::core::unreachable!();
        }
        <Account>::__balance_held(::async_monitor::__private::ViewOf::object(self), self)
    }
    #[cfg(clippy)]
    /// Runs under the lock already held: see `Account::balance`.
    async fn balance(&self) -> i64 {
        <Account>::balance(::async_monitor::__private::ViewOf::object(self)).await
    }
}
#[automatically_derived]
impl<'__guard> AccountBriefHeld<'__guard> {
    #[cfg(not(clippy))]
    /// Runs under the lock already held: see `Account::count`.
    async fn count(&mut self) -> u8 {
        if false {
            ::core::mem::forget(
                <Account>::count(::async_monitor::__private::ViewOf::object(self)),
            );
            ::core::unreachable!();
        }
        <Account>::__count_held(::async_monitor::__private::ViewOf::object(self), self)
    }
    #[cfg(clippy)]
    /// Runs under the lock already held: see `Account::count`.
    async fn count(&mut self) -> u8 {
        <Account>::count(::async_monitor::__private::ViewOf::object(self)).await
    }
}
