///Holds the lock `ledger` of `Account` until it is dropped or released.
#[must_use = "the lock is released as soon as the guard is dropped"]
#[doc(hidden)]
pub struct AccountLedgerGuard<'__guard>(
    ::async_monitor::__private::Core<
        '__guard,
        Account,
        ::async_monitor::__private::GuardOf<'__guard, Account, __AccountLedger>,
        122075695621518212564394156771862851892u128,
    >,
    ::core::marker::PhantomData<(&'__guard mut i64,)>,
);
#[automatically_derived]
impl<'__guard> ::core::fmt::Debug for AccountLedgerGuard<'__guard> {
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::DebugStruct::finish_non_exhaustive(
            &mut ::core::fmt::Formatter::debug_struct(__formatter, "AccountLedgerGuard"),
        )
    }
}
#[automatically_derived]
impl<'__guard> AccountLedgerGuard<'__guard> {
    ///The data that `ledger` guards, while the guard is borrowed.
    #[inline]
    fn fields(&mut self) -> AccountLedgerHeld<'_> {
        let __owner = ::async_monitor::__private::Core::owner(&self.0);
        unsafe {
            AccountLedgerHeld {
                balance: &mut *::async_monitor::__private::pointer::<
                    i64,
                    _,
                >(&__owner.balance),
                __owner: ::async_monitor::__private::Owner::new(__owner),
            }
        }
    }
    /// Releases the lock. Equivalent to `drop(guard)`.
    #[inline]
    fn release(_: Self) {}
}
#[doc(hidden)]
pub struct AccountLedgerCallFields {
    balance: ::async_monitor::__private::CallFields<i64>,
    __owner: ::core::marker::PhantomData<fn() -> *const Account>,
}
#[doc(hidden)]
#[automatically_derived]
impl ::core::fmt::Debug for AccountLedgerCallFields {
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::Formatter::write_str(
            __formatter,
            ::core::stringify!(AccountLedgerCallFields),
        )
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<'__guard> ::core::ops::Deref for AccountLedgerGuard<'__guard> {
    type Target = AccountLedgerCallFields;
    #[inline]
    fn deref(&self) -> &Self::Target {
        const {
            &AccountLedgerCallFields {
                balance: ::async_monitor::__private::CallFields::HINT,
                __owner: ::core::marker::PhantomData,
            }
        }
    }
}
#[automatically_derived]
unsafe impl<'__guard> ::async_monitor::HoldsLock for AccountLedgerGuard<'__guard> {
    #[inline]
    fn lock_id(&self) -> ::async_monitor::LockId {
        ::async_monitor::AsyncLock::id(
            ::async_monitor::__private::object_lock::<
                _,
                __AccountLedger,
            >(::async_monitor::__private::Core::owner(&self.0)),
        )
    }
}
///The data that the lock `ledger` of `Account` guards, while it is held.
#[doc(hidden)]
pub struct AccountLedgerHeld<'__guard> {
    /// What there is.
    balance: &'__guard mut i64,
    __owner: ::async_monitor::__private::Owner<
        '__guard,
        Account,
        122075695621518212564394156771862851892u128,
    >,
}
#[automatically_derived]
impl<'__guard> ::core::fmt::Debug for AccountLedgerHeld<'__guard> {
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::DebugStruct::finish_non_exhaustive(
            &mut ::core::fmt::Formatter::debug_struct(__formatter, "AccountLedgerHeld"),
        )
    }
}
#[automatically_derived]
unsafe impl<'__guard> ::async_monitor::HoldsLock for AccountLedgerHeld<'__guard> {
    #[inline]
    fn lock_id(&self) -> ::async_monitor::LockId {
        ::async_monitor::AsyncLock::id(
            ::async_monitor::__private::object_lock::<
                _,
                __AccountLedger,
            >(::async_monitor::__private::Owner::get(&self.__owner)),
        )
    }
}
#[automatically_derived]
impl Account {
    /**Waits for the lock `ledger`, and acquires it exclusively.

Dropping the future gives up its place in the queue.*/
    #[track_caller]
    fn acquire_ledger(
        &self,
    ) -> impl ::core::future::Future<Output = AccountLedgerGuard<'_>> {
        let mut __acquire = ::async_monitor::AsyncLock::acquire(
            ::async_monitor::__private::field(&self.ledger).__resolve().__lock(),
        );
        async move {
            let __guard = unsafe { ::core::pin::Pin::new_unchecked(&mut __acquire) }
                .await;
            let __guard = ::async_monitor::__private::field(&self.ledger)
                .__resolve()
                .__of::<
                    Self,
                    __AccountLedger,
                >(::async_monitor::__private::infallible(__guard));
            AccountLedgerGuard(
                unsafe { ::async_monitor::__private::Core::new(self, __guard) },
                ::core::marker::PhantomData,
            )
        }
    }
    ///Acquires the lock `ledger` exclusively if that is possible without waiting.
    #[must_use = "the lock is released as soon as the guard is dropped"]
    #[track_caller]
    fn try_acquire_ledger(&self) -> ::core::option::Option<AccountLedgerGuard<'_>> {
        match ::async_monitor::AsyncLock::try_acquire(
            ::async_monitor::__private::object_lock::<_, __AccountLedger>(self),
        ) {
            ::core::option::Option::Some(__guard) => {
                ::core::option::Option::Some(
                    AccountLedgerGuard(
                        unsafe { ::async_monitor::__private::Core::new(self, __guard) },
                        ::core::marker::PhantomData,
                    ),
                )
            }
            ::core::option::Option::None => ::core::option::Option::None,
        }
    }
    ///Acquires the lock `ledger` exclusively, parking the thread while it waits.
    #[track_caller]
    fn acquire_ledger_blocking(&self) -> AccountLedgerGuard<'_> {
        ::async_monitor::__private::block_on(self.acquire_ledger())
    }
}
#[doc(hidden)]
#[automatically_derived]
impl ::async_monitor::__private::HasLock<122075695621518212564394156771862851892u128>
for Account {
    const __NAME: &'static str = "Account.ledger";
    type Mode = ::async_monitor::__private::Suspending;
    type Guard<'__guard> = AccountLedgerGuard<'__guard> where Self: '__guard;
    type Held<'__guard> = AccountLedgerHeld<'__guard> where Self: '__guard;
    #[inline]
    fn lock_address(&self) -> *const () {
        ::async_monitor::__private::address(&self.ledger)
    }
    #[inline]
    fn view<'__guard>(__guard: &'__guard mut Self::Guard<'_>) -> Self::Held<'__guard>
    where
        Self: '__guard,
    {
        AccountLedgerGuard::fields(__guard)
    }
}
#[doc(hidden)]
#[automatically_derived]
impl ::async_monitor::__private::Watched<122075695621518212564394156771862851892u128>
for Account {
    #[inline]
    fn watched_id(&self) -> ::core::option::Option<::async_monitor::LockId> {
        ::async_monitor::AsyncLock::__watched_id(
            ::async_monitor::__private::object_lock::<_, __AccountLedger>(self),
        )
    }
}
#[doc(hidden)]
#[automatically_derived]
impl ::async_monitor::__private::Enter<122075695621518212564394156771862851892u128>
for Account {
    type Guard<'__guard> = AccountLedgerGuard<'__guard> where Self: '__guard;
    type Error = ::core::convert::Infallible;
    #[inline]
    fn id(&self) -> ::async_monitor::LockId {
        ::async_monitor::AsyncLock::id(
            ::async_monitor::__private::object_lock::<_, __AccountLedger>(self),
        )
    }
    type Waited<'__guard> = AccountLedgerGuard<'__guard> where Self: '__guard;
    #[inline]
    fn at_once(
        &self,
        __site: &'static ::async_monitor::__private::Site,
    ) -> ::core::option::Option<Self::Waited<'_>> {
        match ::async_monitor::AsyncLock::__acquire_at_once(
            ::async_monitor::__private::object_lock::<_, __AccountLedger>(self),
            __site,
        ) {
            ::core::option::Option::Some(__guard) => {
                ::core::option::Option::Some(
                    AccountLedgerGuard(
                        unsafe { ::async_monitor::__private::Core::new(self, __guard) },
                        ::core::marker::PhantomData,
                    ),
                )
            }
            ::core::option::Option::None => ::core::option::Option::None,
        }
    }
    fn wait(
        &self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<Self::Waited<'_>, Self::Error>,
    > {
        let mut __acquire = ::async_monitor::AsyncLock::acquire(
            ::async_monitor::__private::field(&self.ledger).__resolve().__lock(),
        );
        async move {
            let __guard = unsafe { ::core::pin::Pin::new_unchecked(&mut __acquire) }
                .await;
            let __guard = ::async_monitor::__private::field(&self.ledger)
                .__resolve()
                .__of::<
                    Self,
                    __AccountLedger,
                >(::async_monitor::__private::infallible(__guard));
            ::core::result::Result::Ok(
                AccountLedgerGuard(
                    unsafe { ::async_monitor::__private::Core::new(self, __guard) },
                    ::core::marker::PhantomData,
                ),
            )
        }
    }
    #[inline]
    fn finish<'__guard>(__waited: Self::Waited<'__guard>) -> Self::Guard<'__guard>
    where
        Self: '__guard,
    {
        __waited
    }
    #[inline]
    fn release_unchanged<'__guard>(__guard: Self::Guard<'__guard>)
    where
        Self: '__guard,
    {
        ::async_monitor::__private::Core::release_unchanged(__guard.0);
    }
}
#[doc(hidden)]
#[automatically_derived]
unsafe impl ::async_monitor::__private::EnterWhen<
    122075695621518212564394156771862851892u128,
> for Account
where
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Account,
        __AccountLedger,
    >: ::async_monitor::__private::Conditional<
        '__a,
        ::async_monitor::__private::ObjectLock<Account, __AccountLedger>,
    >,
{
    #[inline]
    fn object(&self) -> ::core::option::Option<::async_monitor::__private::Object> {
        ::async_monitor::__private::object(
            ::async_monitor::__private::object_lock::<_, __AccountLedger>(self),
        )
    }
    #[inline]
    fn waiter(&self) -> ::async_monitor::__private::ConditionalWaiter<'_> {
        ::async_monitor::__private::Conditional::waiter(
            ::async_monitor::__private::object_lock::<_, __AccountLedger>(self),
        )
    }
    #[inline]
    unsafe fn granted_guard(&self) -> Self::Guard<'_> {
        let __guard = unsafe {
            ::async_monitor::__private::Conditional::granted_guard(
                ::async_monitor::__private::object_lock::<_, __AccountLedger>(self),
            )
        };
        AccountLedgerGuard(
            unsafe { ::async_monitor::__private::Core::new(self, __guard) },
            ::core::marker::PhantomData,
        )
    }
}
#[doc(hidden)]
#[automatically_derived]
impl ::async_monitor::__private::Watched<299532888524982228285828733588004637212u128>
for Account {
    #[inline]
    fn watched_id(&self) -> ::core::option::Option<::async_monitor::LockId> {
        ::async_monitor::__private::Watched::<
            122075695621518212564394156771862851892u128,
        >::watched_id(self)
    }
}
#[doc(hidden)]
#[automatically_derived]
impl ::async_monitor::__private::EnterShared<299532888524982228285828733588004637212u128>
for Account {
    type Guard<'__guard> = ::async_monitor::__private::Reading<
        '__guard,
        Self,
        AccountLedgerGuard<'__guard>,
        122075695621518212564394156771862851892u128,
    >
    where
        Self: '__guard;
    type Waited<'__guard> = AccountLedgerGuard<'__guard> where Self: '__guard;
    type Error = ::core::convert::Infallible;
    #[inline]
    fn id(&self) -> ::async_monitor::LockId {
        ::async_monitor::__private::Enter::<
            122075695621518212564394156771862851892u128,
        >::id(self)
    }
    #[inline]
    fn at_once(
        &self,
        __site: &'static ::async_monitor::__private::Site,
    ) -> ::core::option::Option<Self::Waited<'_>> {
        ::async_monitor::__private::Enter::<
            122075695621518212564394156771862851892u128,
        >::at_once(self, __site)
    }
    #[inline]
    fn wait(
        &self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<Self::Waited<'_>, Self::Error>,
    > {
        ::async_monitor::__private::Enter::<
            122075695621518212564394156771862851892u128,
        >::wait(self)
    }
    #[inline]
    fn wait_blocking(&self) -> ::core::result::Result<Self::Waited<'_>, Self::Error> {
        ::async_monitor::__private::Enter::<
            122075695621518212564394156771862851892u128,
        >::wait_blocking(self)
    }
    #[inline]
    fn finish<'__guard>(__waited: Self::Waited<'__guard>) -> Self::Guard<'__guard>
    where
        Self: '__guard,
    {
        ::async_monitor::__private::Reading::new(
            <Self as ::async_monitor::__private::Enter<
                122075695621518212564394156771862851892u128,
            >>::finish(__waited),
        )
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<'__guard> ::async_monitor::__private::ViewOf<'__guard>
for AccountLedgerHeld<'__guard> {
    type Object = Account;
    #[inline]
    fn object(&self) -> &'__guard Account {
        ::async_monitor::__private::Owner::get(&self.__owner)
    }
}
#[doc(hidden)]
#[automatically_derived]
unsafe impl<'__guard> ::async_monitor::__private::ShortenedView<'__guard, Account>
for AccountLedgerHeld<'__guard> {
    type In<'__view> = AccountLedgerHeld<'__view> where Account: '__view;
}
///Holds the lock `ledger` of `Account`, and keeps the object alive, until it is dropped or released.
#[must_use = "the lock is released as soon as the guard is dropped"]
#[doc(hidden)]
pub struct AccountLedgerOwnedGuard(
    ::async_monitor::__private::OwnedCore<Account, AccountLedgerGuard<'static>>,
)
where
    Account: 'static;
#[automatically_derived]
impl ::core::fmt::Debug for AccountLedgerOwnedGuard
where
    Account: 'static,
{
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::DebugStruct::finish_non_exhaustive(
            &mut ::core::fmt::Formatter::debug_struct(
                __formatter,
                ::core::stringify!(AccountLedgerOwnedGuard),
            ),
        )
    }
}
#[automatically_derived]
impl AccountLedgerOwnedGuard
where
    Account: 'static,
{
    ///The data that `ledger` guards, while the guard is borrowed.
    #[inline]
    fn fields(&mut self) -> AccountLedgerHeld<'_> {
        AccountLedgerGuard::fields(unsafe {
            ::async_monitor::__private::OwnedCore::guard_mut(&mut self.0)
        })
    }
    /// Releases the lock. Equivalent to `drop(guard)`.
    #[inline]
    fn release(_: Self) {}
}
#[automatically_derived]
impl Account {
    ///Like `acquire_ledger`, but the guard keeps the `Account` alive and borrows nothing.
    #[track_caller]
    fn acquire_ledger_owned(
        self: &::async_monitor::__private::Arc<Self>,
    ) -> impl ::core::future::Future<Output = AccountLedgerOwnedGuard>
    where
        Self: 'static,
    {
        let __owner = ::core::clone::Clone::clone(self);
        let __object: &'static Self = unsafe {
            ::async_monitor::__private::kept(&__owner)
        };
        let __acquire = Self::acquire_ledger(__object);
        let mut __acquire = unsafe {
            ::async_monitor::__private::OwnedAcquire::new(__owner, __acquire)
        };
        async move {
            AccountLedgerOwnedGuard(
                unsafe { ::core::pin::Pin::new_unchecked(&mut __acquire) }.await,
            )
        }
    }
}
enum __AccountLedger {}
#[doc(hidden)]
#[automatically_derived]
unsafe impl ::async_monitor::__private::LockOf<__AccountLedger> for Account {
    type Lock = Lock;
    #[inline]
    fn __lock(&self) -> ::async_monitor::__private::NoCoercion<'_, Self::Lock> {
        let Self { ledger: __field, balance: _, .. } = self;
        let __lock = ::async_monitor::__private::no_coercion(__field);
        __lock
    }
    #[inline]
    fn __kind() -> ::core::option::Option<::async_monitor::__private::Kind> {
        ::async_monitor::__private::Kind::of::<Self, __AccountLedger>()
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<'__view, '__guard> ::async_monitor::View<'__view> for AccountLedgerGuard<'__guard> {
    type View = AccountLedgerHeld<'__view>;
}
#[doc(hidden)]
#[automatically_derived]
unsafe impl<'__guard> ::async_monitor::Relock for AccountLedgerGuard<'__guard>
where
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Account,
        __AccountLedger,
    >: ::async_monitor::__private::Reacquirable<
        '__a,
        ::async_monitor::__private::ObjectLock<Account, __AccountLedger>,
    >,
{
    type Released = &'__guard Account;
    type Reacquire = AccountLedgerReacquire<'__guard>;
    #[inline]
    fn give_up(__guard: Self) -> Self::Released {
        ::async_monitor::__private::Core::release(__guard.0)
    }
    #[inline]
    fn reacquire(__released: Self::Released) -> Self::Reacquire {
        AccountLedgerReacquire(unsafe {
            ::async_monitor::__private::Reacquire::new(
                __released,
                ::async_monitor::__private::ReacquireLock::new(
                    ::async_monitor::__private::object_lock::<
                        _,
                        __AccountLedger,
                    >(__released),
                ),
            )
        })
    }
    #[inline]
    fn with_view<__R>(
        &mut self,
        __look: impl ::core::ops::FnOnce(
            &<Self as ::async_monitor::View<'_>>::View,
        ) -> __R,
    ) -> __R {
        __look(&AccountLedgerGuard::fields(self))
    }
}
#[doc(hidden)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct AccountLedgerReacquire<'__guard>(
    ::async_monitor::__private::Reacquire<
        '__guard,
        Account,
        ::async_monitor::__private::ReacquireLock<
            '__guard,
            ::async_monitor::__private::ObjectLock<Account, __AccountLedger>,
        >,
        122075695621518212564394156771862851892u128,
    >,
)
where
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Account,
        __AccountLedger,
    >: ::async_monitor::__private::Reacquirable<
        '__a,
        ::async_monitor::__private::ObjectLock<Account, __AccountLedger>,
    >;
#[automatically_derived]
impl<'__guard> ::core::marker::Unpin for AccountLedgerReacquire<'__guard>
where
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Account,
        __AccountLedger,
    >: ::async_monitor::__private::Reacquirable<
        '__a,
        ::async_monitor::__private::ObjectLock<Account, __AccountLedger>,
    >,
    ::async_monitor::__private::NeverUnpin<'__guard>: ::core::marker::Unpin,
{}
#[doc(hidden)]
#[automatically_derived]
impl<'__guard> ::async_monitor::__private::MustNotImplDrop
for AccountLedgerReacquire<'__guard>
where
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Account,
        __AccountLedger,
    >: ::async_monitor::__private::Reacquirable<
        '__a,
        ::async_monitor::__private::ObjectLock<Account, __AccountLedger>,
    >,
{}
#[automatically_derived]
impl<'__guard> ::core::future::Future for AccountLedgerReacquire<'__guard>
where
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Account,
        __AccountLedger,
    >: ::async_monitor::__private::Reacquirable<
        '__a,
        ::async_monitor::__private::ObjectLock<Account, __AccountLedger>,
    >,
{
    type Output = AccountLedgerGuard<'__guard>;
    #[inline]
    fn poll(
        self: ::core::pin::Pin<&mut Self>,
        __cx: &mut ::core::task::Context<'_>,
    ) -> ::core::task::Poll<Self::Output> {
        let __future = unsafe {
            ::core::pin::Pin::map_unchecked_mut(self, |__this| &mut __this.0)
        };
        ::core::task::Poll::map(
            ::async_monitor::__private::Reacquire::poll(__future, __cx),
            |__core| AccountLedgerGuard(__core, ::core::marker::PhantomData),
        )
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<'__guard> ::async_monitor::__private::ReborrowView for AccountLedgerHeld<'__guard> {
    type View<'__view> = AccountLedgerHeld<'__view> where Self: '__view;
    #[inline]
    fn reborrow(&mut self) -> Self::View<'_> {
        AccountLedgerHeld {
            balance: &mut *self.balance,
            __owner: unsafe {
                ::async_monitor::__private::Owner::new(
                    ::async_monitor::__private::Owner::get(&self.__owner),
                )
            },
        }
    }
}
#[doc(hidden)]
pub struct AccountLedgerSaved(
    (::async_monitor::__private::Kept<'static, i64>,),
    ::core::marker::PhantomData<fn() -> Account>,
)
where
    for<'__a> ::async_monitor::__private::Kept<'__a, i64>: ::core::marker::Sized;
#[doc(hidden)]
#[automatically_derived]
impl<'__guard> ::async_monitor::__private::RestoreView for AccountLedgerHeld<'__guard>
where
    for<'__a> ::async_monitor::__private::Kept<'__a, i64>: ::core::marker::Sized,
    for<'__a> &'__a i64: ::async_monitor::__private::Restorable<i64>,
{
    type Saved = AccountLedgerSaved;
    fn save(&mut self) -> Self::Saved {
        AccountLedgerSaved(
            (::async_monitor::__private::Restorable::copied(&*self.balance),),
            ::core::marker::PhantomData,
        )
    }
    fn exchange(&mut self, __saved: &mut Self::Saved) {
        <&_ as ::async_monitor::__private::Restorable<
            i64,
        >>::exchange(&mut *self.balance, &mut __saved.0.0);
    }
}
#[doc(hidden)]
#[automatically_derived]
impl ::async_monitor::__private::Restore<122075695621518212564394156771862851892u128>
for Account
where
    for<'__a> ::async_monitor::__private::Kept<'__a, i64>: ::core::marker::Sized,
    for<'__a> &'__a i64: ::async_monitor::__private::Restorable<i64>,
{
    type Saved = AccountLedgerSaved;
    fn save(__guard: &mut Self::Guard<'_>) -> Self::Saved {
        ::async_monitor::__private::RestoreView::save(
            &mut AccountLedgerGuard::fields(__guard),
        )
    }
    fn exchange(__guard: &mut Self::Guard<'_>, __saved: &mut Self::Saved) {
        ::async_monitor::__private::RestoreView::exchange(
            &mut AccountLedgerGuard::fields(__guard),
            __saved,
        );
    }
}
///The data that the lock `ledger` of `Account` guards, reached through `&mut Account` without locking.
#[doc(hidden)]
pub struct AccountLedgerMut<'__guard> {
    /// What there is.
    balance: &'__guard mut i64,
    __owner: ::core::marker::PhantomData<&'__guard mut Account>,
}
#[automatically_derived]
impl<'__guard> ::core::fmt::Debug for AccountLedgerMut<'__guard> {
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::DebugStruct::finish_non_exhaustive(
            &mut ::core::fmt::Formatter::debug_struct(__formatter, "AccountLedgerMut"),
        )
    }
}
#[automatically_derived]
impl Account {
    ///The data that `ledger` guards, without locking: `&mut self` proves that no guard exists.
    #[inline]
    fn ledger_mut(&mut self) -> AccountLedgerMut<'_> {
        AccountLedgerMut {
            balance: ::async_monitor::__private::value_mut(&mut self.balance),
            __owner: ::core::marker::PhantomData,
        }
    }
}
macro_rules! __Account_locks {
    (write ledger { $($__derived:tt)* } { $($__plain:tt)* }) => {
        $($__derived)*
    };
    (read ledger { $($__derived:tt)* } { $($__plain:tt)* }) => {
        $($__derived)*
    };
    (acquire ledger { $($__derived:tt)* } { $($__plain:tt)* }) => {
        $($__derived)*
    };
    ($__mode:ident $__lock:ident { $($__derived:tt)* } { $($__plain:tt)* }) => {
        $($__plain)*
    };
}
#[doc(hidden)]
mod __Account_locks {
    pub(crate) use __Account_locks as Account;
}
pub(crate) use __Account_locks::*;
#[doc(hidden)]
#[automatically_derived]
impl Account {
    const __DERIVED: () = ();
}
#[doc(hidden)]
#[automatically_derived]
impl ::async_monitor::__private::IsDerived for Account {}
#[doc(hidden)]
#[automatically_derived]
impl ::async_monitor::__private::HasSize for Account {}
