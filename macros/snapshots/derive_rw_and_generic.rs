///Holds the lock `table` of `Cache` until it is dropped or released.
#[must_use = "the lock is released as soon as the guard is dropped"]
#[doc(hidden)]
pub(crate) struct CacheTableWriteGuard<'__guard, 'd, K: Hash, const N: usize>(
    ::async_monitor::__private::Core<
        '__guard,
        Cache<'d, K, N>,
        ::async_monitor::__private::GuardOf<'__guard, Cache<'d, K, N>, __CacheTable>,
        265004102073834929858246969471813199159u128,
    >,
    ::core::marker::PhantomData<(&'__guard mut HashMap<K, &'d [u8; N]>,)>,
)
where
    K: Eq;
#[automatically_derived]
impl<'__guard, 'd, K: Hash, const N: usize> ::core::fmt::Debug
for CacheTableWriteGuard<'__guard, 'd, K, N>
where
    K: Eq,
{
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::DebugStruct::finish_non_exhaustive(
            &mut ::core::fmt::Formatter::debug_struct(
                __formatter,
                "CacheTableWriteGuard",
            ),
        )
    }
}
#[automatically_derived]
impl<'__guard, 'd, K: Hash, const N: usize> CacheTableWriteGuard<'__guard, 'd, K, N>
where
    K: Eq,
{
    ///The data that `table` guards, while the guard is borrowed.
    #[inline]
    fn fields(&mut self) -> CacheTableWriteHeld<'_, 'd, K, N> {
        let __owner = ::async_monitor::__private::Core::owner(&self.0);
        unsafe {
            CacheTableWriteHeld {
                entries: &mut *::async_monitor::__private::pointer::<
                    HashMap<K, &'d [u8; N]>,
                    _,
                >(&__owner.entries),
                __owner: ::async_monitor::__private::Owner::new(__owner),
            }
        }
    }
    /// Releases the lock. Equivalent to `drop(guard)`.
    #[inline]
    fn release(_: Self) {}
}
#[doc(hidden)]
pub(crate) struct CacheTableWriteCallFields<'d, K: Hash, const N: usize>
where
    K: Eq,
{
    entries: ::async_monitor::__private::CallFields<HashMap<K, &'d [u8; N]>>,
    __owner: ::core::marker::PhantomData<fn() -> *const Cache<'d, K, N>>,
}
#[doc(hidden)]
#[automatically_derived]
impl<'d, K: Hash, const N: usize> ::core::fmt::Debug
for CacheTableWriteCallFields<'d, K, N>
where
    K: Eq,
{
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::Formatter::write_str(
            __formatter,
            ::core::stringify!(CacheTableWriteCallFields),
        )
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<'__guard, 'd, K: Hash, const N: usize> ::core::ops::Deref
for CacheTableWriteGuard<'__guard, 'd, K, N>
where
    K: Eq,
{
    type Target = CacheTableWriteCallFields<'d, K, N>;
    #[inline]
    fn deref(&self) -> &Self::Target {
        const {
            &CacheTableWriteCallFields {
                entries: ::async_monitor::__private::CallFields::HINT,
                __owner: ::core::marker::PhantomData,
            }
        }
    }
}
#[automatically_derived]
unsafe impl<'__guard, 'd, K: Hash, const N: usize> ::async_monitor::HoldsLock
for CacheTableWriteGuard<'__guard, 'd, K, N>
where
    K: Eq,
{
    #[inline]
    fn lock_id(&self) -> ::async_monitor::LockId {
        ::async_monitor::AsyncLock::id(
            ::async_monitor::__private::object_lock::<
                _,
                __CacheTable,
            >(::async_monitor::__private::Core::owner(&self.0)),
        )
    }
}
///The data that the lock `table` of `Cache` guards, while it is held.
#[doc(hidden)]
pub(crate) struct CacheTableWriteHeld<'__guard, 'd, K: Hash, const N: usize>
where
    K: Eq,
{
    ///The field `entries`, guarded by `table`.
    entries: &'__guard mut HashMap<K, &'d [u8; N]>,
    __owner: ::async_monitor::__private::Owner<
        '__guard,
        Cache<'d, K, N>,
        265004102073834929858246969471813199159u128,
    >,
}
#[automatically_derived]
impl<'__guard, 'd, K: Hash, const N: usize> ::core::fmt::Debug
for CacheTableWriteHeld<'__guard, 'd, K, N>
where
    K: Eq,
{
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::DebugStruct::finish_non_exhaustive(
            &mut ::core::fmt::Formatter::debug_struct(__formatter, "CacheTableWriteHeld"),
        )
    }
}
#[automatically_derived]
unsafe impl<'__guard, 'd, K: Hash, const N: usize> ::async_monitor::HoldsLock
for CacheTableWriteHeld<'__guard, 'd, K, N>
where
    K: Eq,
{
    #[inline]
    fn lock_id(&self) -> ::async_monitor::LockId {
        ::async_monitor::AsyncLock::id(
            ::async_monitor::__private::object_lock::<
                _,
                __CacheTable,
            >(::async_monitor::__private::Owner::get(&self.__owner)),
        )
    }
}
#[automatically_derived]
impl<'d, K: Hash, const N: usize> Cache<'d, K, N>
where
    K: Eq,
{
    /**Waits for the lock `table`, and acquires it exclusively.

Dropping the future gives up its place in the queue.*/
    #[track_caller]
    fn write_table(
        &self,
    ) -> impl ::core::future::Future<Output = CacheTableWriteGuard<'_, 'd, K, N>> {
        let mut __acquire = ::async_monitor::AsyncLock::acquire(
            ::async_monitor::__private::field(&self.table).__resolve().__lock(),
        );
        async move {
            let __guard = unsafe { ::core::pin::Pin::new_unchecked(&mut __acquire) }
                .await;
            let __guard = ::async_monitor::__private::field(&self.table)
                .__resolve()
                .__of::<
                    Self,
                    __CacheTable,
                >(::async_monitor::__private::infallible(__guard));
            CacheTableWriteGuard(
                unsafe { ::async_monitor::__private::Core::new(self, __guard) },
                ::core::marker::PhantomData,
            )
        }
    }
    ///Acquires the lock `table` exclusively if that is possible without waiting.
    #[must_use = "the lock is released as soon as the guard is dropped"]
    #[track_caller]
    fn try_write_table(
        &self,
    ) -> ::core::option::Option<CacheTableWriteGuard<'_, 'd, K, N>> {
        match ::async_monitor::AsyncLock::try_acquire(
            ::async_monitor::__private::object_lock::<_, __CacheTable>(self),
        ) {
            ::core::option::Option::Some(__guard) => {
                ::core::option::Option::Some(
                    CacheTableWriteGuard(
                        unsafe { ::async_monitor::__private::Core::new(self, __guard) },
                        ::core::marker::PhantomData,
                    ),
                )
            }
            ::core::option::Option::None => ::core::option::Option::None,
        }
    }
    ///Acquires the lock `table` exclusively, parking the thread while it waits.
    #[track_caller]
    fn write_table_blocking(&self) -> CacheTableWriteGuard<'_, 'd, K, N> {
        ::async_monitor::__private::block_on(self.write_table())
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<
    'd,
    K: Hash,
    const N: usize,
> ::async_monitor::__private::HasLock<265004102073834929858246969471813199159u128>
for Cache<'d, K, N>
where
    K: Eq,
{
    const __NAME: &'static str = "Cache.table";
    type Mode = ::async_monitor::__private::Suspending;
    type Guard<'__guard> = CacheTableWriteGuard<'__guard, 'd, K, N> where Self: '__guard;
    type Held<'__guard> = CacheTableWriteHeld<'__guard, 'd, K, N> where Self: '__guard;
    #[inline]
    fn lock_address(&self) -> *const () {
        ::async_monitor::__private::address(&self.table)
    }
    #[inline]
    fn view<'__guard>(__guard: &'__guard mut Self::Guard<'_>) -> Self::Held<'__guard>
    where
        Self: '__guard,
    {
        CacheTableWriteGuard::fields(__guard)
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<
    'd,
    K: Hash,
    const N: usize,
> ::async_monitor::__private::Watched<265004102073834929858246969471813199159u128>
for Cache<'d, K, N>
where
    K: Eq,
{
    #[inline]
    fn watched_id(&self) -> ::core::option::Option<::async_monitor::LockId> {
        ::async_monitor::AsyncLock::__watched_id(
            ::async_monitor::__private::object_lock::<_, __CacheTable>(self),
        )
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<
    'd,
    K: Hash,
    const N: usize,
> ::async_monitor::__private::Enter<265004102073834929858246969471813199159u128>
for Cache<'d, K, N>
where
    K: Eq,
{
    type Guard<'__guard> = CacheTableWriteGuard<'__guard, 'd, K, N> where Self: '__guard;
    type Error = ::core::convert::Infallible;
    #[inline]
    fn id(&self) -> ::async_monitor::LockId {
        ::async_monitor::AsyncLock::id(
            ::async_monitor::__private::object_lock::<_, __CacheTable>(self),
        )
    }
    type Waited<'__guard> = CacheTableWriteGuard<'__guard, 'd, K, N>
    where
        Self: '__guard;
    #[inline]
    fn at_once(
        &self,
        __site: &'static ::async_monitor::__private::Site,
    ) -> ::core::option::Option<Self::Waited<'_>> {
        match ::async_monitor::AsyncLock::__acquire_at_once(
            ::async_monitor::__private::object_lock::<_, __CacheTable>(self),
            __site,
        ) {
            ::core::option::Option::Some(__guard) => {
                ::core::option::Option::Some(
                    CacheTableWriteGuard(
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
            ::async_monitor::__private::field(&self.table).__resolve().__lock(),
        );
        async move {
            let __guard = unsafe { ::core::pin::Pin::new_unchecked(&mut __acquire) }
                .await;
            let __guard = ::async_monitor::__private::field(&self.table)
                .__resolve()
                .__of::<
                    Self,
                    __CacheTable,
                >(::async_monitor::__private::infallible(__guard));
            ::core::result::Result::Ok(
                CacheTableWriteGuard(
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
unsafe impl<
    'd,
    K: Hash,
    const N: usize,
> ::async_monitor::__private::EnterWhen<265004102073834929858246969471813199159u128>
for Cache<'d, K, N>
where
    K: Eq,
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Cache<'d, K, N>,
        __CacheTable,
    >: ::async_monitor::__private::Conditional<
        '__a,
        ::async_monitor::__private::ObjectLock<Cache<'d, K, N>, __CacheTable>,
    >,
{
    #[inline]
    fn waiter(&self) -> ::async_monitor::__private::ConditionalWaiter<'_> {
        ::async_monitor::__private::Conditional::waiter(
            ::async_monitor::__private::object_lock::<_, __CacheTable>(self),
        )
    }
    #[inline]
    unsafe fn granted_guard(&self) -> Self::Guard<'_> {
        let __guard = unsafe {
            ::async_monitor::__private::Conditional::granted_guard(
                ::async_monitor::__private::object_lock::<_, __CacheTable>(self),
            )
        };
        CacheTableWriteGuard(
            unsafe { ::async_monitor::__private::Core::new(self, __guard) },
            ::core::marker::PhantomData,
        )
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<'__guard, 'd, K: Hash, const N: usize> ::async_monitor::__private::ViewOf<'__guard>
for CacheTableWriteHeld<'__guard, 'd, K, N>
where
    K: Eq,
{
    type Object = Cache<'d, K, N>;
    #[inline]
    fn object(&self) -> &'__guard Cache<'d, K, N> {
        ::async_monitor::__private::Owner::get(&self.__owner)
    }
}
#[doc(hidden)]
#[automatically_derived]
unsafe impl<
    '__guard,
    'd,
    K: Hash,
    const N: usize,
> ::async_monitor::__private::ShortenedView<'__guard, Cache<'d, K, N>>
for CacheTableWriteHeld<'__guard, 'd, K, N>
where
    K: Eq,
{
    type In<'__view> = CacheTableWriteHeld<'__view, 'd, K, N>
    where
        Cache<'d, K, N>: '__view;
}
#[doc(hidden)]
pub(crate) type CacheTableHeld<'__guard, 'd, K, const N: usize> = CacheTableWriteHeld<
    '__guard,
    'd,
    K,
    N,
>;
#[doc(hidden)]
#[automatically_derived]
impl<'__guard, 'd, K: Hash, const N: usize> ::async_monitor::__private::AsRead
for CacheTableWriteHeld<'__guard, 'd, K, N>
where
    K: Eq,
{
    type Read<'__view> = CacheTableReadHeld<'__view, 'd, K, N> where Self: '__view;
    #[inline]
    fn as_read(&self) -> Self::Read<'_> {
        CacheTableReadHeld {
            entries: &*self.entries,
            __owner: unsafe {
                ::async_monitor::__private::Owner::new(
                    ::async_monitor::__private::Owner::get(&self.__owner),
                )
            },
        }
    }
}
///Holds the lock `table` of `Cache`, and keeps the object alive, until it is dropped or released.
#[must_use = "the lock is released as soon as the guard is dropped"]
#[doc(hidden)]
pub(crate) struct CacheTableWriteOwnedGuard<'d, K: Hash, const N: usize>(
    ::async_monitor::__private::OwnedCore<
        Cache<'d, K, N>,
        CacheTableWriteGuard<'static, 'd, K, N>,
    >,
)
where
    K: Eq,
    Cache<'d, K, N>: 'static;
#[automatically_derived]
impl<'d, K: Hash, const N: usize> ::core::fmt::Debug
for CacheTableWriteOwnedGuard<'d, K, N>
where
    K: Eq,
    Cache<'d, K, N>: 'static,
{
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::DebugStruct::finish_non_exhaustive(
            &mut ::core::fmt::Formatter::debug_struct(
                __formatter,
                ::core::stringify!(CacheTableWriteOwnedGuard),
            ),
        )
    }
}
#[automatically_derived]
impl<'d, K: Hash, const N: usize> CacheTableWriteOwnedGuard<'d, K, N>
where
    K: Eq,
    Cache<'d, K, N>: 'static,
{
    ///The data that `table` guards, while the guard is borrowed.
    #[inline]
    fn fields(&mut self) -> CacheTableWriteHeld<'_, 'd, K, N> {
        CacheTableWriteGuard::fields(unsafe {
            ::async_monitor::__private::OwnedCore::guard_mut(&mut self.0)
        })
    }
    /// Releases the lock. Equivalent to `drop(guard)`.
    #[inline]
    fn release(_: Self) {}
}
#[automatically_derived]
impl<'d, K: Hash, const N: usize> Cache<'d, K, N>
where
    K: Eq,
{
    ///Like `write_table`, but the guard keeps the `Cache` alive and borrows nothing.
    #[track_caller]
    fn write_table_owned(
        self: &::async_monitor::__private::Arc<Self>,
    ) -> impl ::core::future::Future<Output = CacheTableWriteOwnedGuard<'d, K, N>>
    where
        Self: 'static,
    {
        let __owner = ::core::clone::Clone::clone(self);
        let __object: &'static Self = unsafe {
            ::async_monitor::__private::kept(&__owner)
        };
        let __acquire = Self::write_table(__object);
        let mut __acquire = unsafe {
            ::async_monitor::__private::OwnedAcquire::new(__owner, __acquire)
        };
        async move {
            CacheTableWriteOwnedGuard(
                unsafe { ::core::pin::Pin::new_unchecked(&mut __acquire) }.await,
            )
        }
    }
}
enum __CacheTable {}
#[doc(hidden)]
#[automatically_derived]
unsafe impl<
    'd,
    K: Hash,
    const N: usize,
> ::async_monitor::__private::RwLockOf<__CacheTable> for Cache<'d, K, N>
where
    K: Eq,
{
    type Lock = RwLock<()>;
    #[inline]
    fn __lock(&self) -> ::async_monitor::__private::NoCoercion<'_, Self::Lock> {
        let Self { table: __field, entries: _, .. } = self;
        let __lock = ::async_monitor::__private::no_coercion(__field);
        __lock
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<'__view, '__guard, 'd, K: Hash, const N: usize> ::async_monitor::View<'__view>
for CacheTableWriteGuard<'__guard, 'd, K, N>
where
    K: Eq,
{
    type View = CacheTableWriteHeld<'__view, 'd, K, N>;
}
#[doc(hidden)]
#[automatically_derived]
unsafe impl<'__guard, 'd, K: Hash, const N: usize> ::async_monitor::Relock
for CacheTableWriteGuard<'__guard, 'd, K, N>
where
    K: Eq,
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Cache<'d, K, N>,
        __CacheTable,
    >: ::async_monitor::__private::Reacquirable<
        '__a,
        ::async_monitor::__private::ObjectLock<Cache<'d, K, N>, __CacheTable>,
    >,
{
    type Released = &'__guard Cache<'d, K, N>;
    type Reacquire = CacheTableWriteReacquire<'__guard, 'd, K, N>;
    #[inline]
    fn give_up(__guard: Self) -> Self::Released {
        ::async_monitor::__private::Core::release(__guard.0)
    }
    #[inline]
    fn reacquire(__released: Self::Released) -> Self::Reacquire {
        CacheTableWriteReacquire(unsafe {
            ::async_monitor::__private::Reacquire::new(
                __released,
                ::async_monitor::__private::ReacquireLock::new(
                    ::async_monitor::__private::object_lock::<
                        _,
                        __CacheTable,
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
        __look(&CacheTableWriteGuard::fields(self))
    }
}
#[doc(hidden)]
#[must_use = "a future does nothing unless it is awaited"]
pub(crate) struct CacheTableWriteReacquire<'__guard, 'd, K: Hash, const N: usize>(
    ::async_monitor::__private::Reacquire<
        '__guard,
        Cache<'d, K, N>,
        ::async_monitor::__private::ReacquireLock<
            '__guard,
            ::async_monitor::__private::ObjectLock<Cache<'d, K, N>, __CacheTable>,
        >,
        265004102073834929858246969471813199159u128,
    >,
)
where
    K: Eq,
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Cache<'d, K, N>,
        __CacheTable,
    >: ::async_monitor::__private::Reacquirable<
        '__a,
        ::async_monitor::__private::ObjectLock<Cache<'d, K, N>, __CacheTable>,
    >;
#[automatically_derived]
impl<'__guard, 'd, K: Hash, const N: usize> ::core::marker::Unpin
for CacheTableWriteReacquire<'__guard, 'd, K, N>
where
    K: Eq,
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Cache<'d, K, N>,
        __CacheTable,
    >: ::async_monitor::__private::Reacquirable<
        '__a,
        ::async_monitor::__private::ObjectLock<Cache<'d, K, N>, __CacheTable>,
    >,
    ::async_monitor::__private::NeverUnpin<'__guard>: ::core::marker::Unpin,
{}
#[doc(hidden)]
#[automatically_derived]
impl<'__guard, 'd, K: Hash, const N: usize> ::async_monitor::__private::MustNotImplDrop
for CacheTableWriteReacquire<'__guard, 'd, K, N>
where
    K: Eq,
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Cache<'d, K, N>,
        __CacheTable,
    >: ::async_monitor::__private::Reacquirable<
        '__a,
        ::async_monitor::__private::ObjectLock<Cache<'d, K, N>, __CacheTable>,
    >,
{}
#[automatically_derived]
impl<'__guard, 'd, K: Hash, const N: usize> ::core::future::Future
for CacheTableWriteReacquire<'__guard, 'd, K, N>
where
    K: Eq,
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Cache<'d, K, N>,
        __CacheTable,
    >: ::async_monitor::__private::Reacquirable<
        '__a,
        ::async_monitor::__private::ObjectLock<Cache<'d, K, N>, __CacheTable>,
    >,
{
    type Output = CacheTableWriteGuard<'__guard, 'd, K, N>;
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
            |__core| CacheTableWriteGuard(__core, ::core::marker::PhantomData),
        )
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<'__guard, 'd, K: Hash, const N: usize> ::async_monitor::__private::ReborrowView
for CacheTableWriteHeld<'__guard, 'd, K, N>
where
    K: Eq,
{
    type View<'__view> = CacheTableWriteHeld<'__view, 'd, K, N> where Self: '__view;
    #[inline]
    fn reborrow(&mut self) -> Self::View<'_> {
        CacheTableWriteHeld {
            entries: &mut *self.entries,
            __owner: unsafe {
                ::async_monitor::__private::Owner::new(
                    ::async_monitor::__private::Owner::get(&self.__owner),
                )
            },
        }
    }
}
#[doc(hidden)]
pub(crate) struct CacheTableWriteSaved<'d, K: Hash, const N: usize>(
    (::async_monitor::__private::Kept<'static, HashMap<K, &'d [u8; N]>>,),
    ::core::marker::PhantomData<fn() -> Cache<'d, K, N>>,
)
where
    K: Eq,
    for<'__a> ::async_monitor::__private::Kept<
        '__a,
        HashMap<K, &'d [u8; N]>,
    >: ::core::marker::Sized;
#[doc(hidden)]
#[automatically_derived]
impl<'__guard, 'd, K: Hash, const N: usize> ::async_monitor::__private::RestoreView
for CacheTableWriteHeld<'__guard, 'd, K, N>
where
    K: Eq,
    for<'__a> ::async_monitor::__private::Kept<
        '__a,
        HashMap<K, &'d [u8; N]>,
    >: ::core::marker::Sized,
    for<'__a> &'__a HashMap<
        K,
        &'d [u8; N],
    >: ::async_monitor::__private::Restorable<HashMap<K, &'d [u8; N]>>,
{
    type Saved = CacheTableWriteSaved<'d, K, N>;
    fn save(&mut self) -> Self::Saved {
        CacheTableWriteSaved(
            (::async_monitor::__private::Restorable::copied(&*self.entries),),
            ::core::marker::PhantomData,
        )
    }
    fn exchange(&mut self, __saved: &mut Self::Saved) {
        <&_ as ::async_monitor::__private::Restorable<
            HashMap<K, &'d [u8; N]>,
        >>::exchange(&mut *self.entries, &mut __saved.0.0);
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<
    'd,
    K: Hash,
    const N: usize,
> ::async_monitor::__private::Restore<265004102073834929858246969471813199159u128>
for Cache<'d, K, N>
where
    K: Eq,
    for<'__a> ::async_monitor::__private::Kept<
        '__a,
        HashMap<K, &'d [u8; N]>,
    >: ::core::marker::Sized,
    for<'__a> &'__a HashMap<
        K,
        &'d [u8; N],
    >: ::async_monitor::__private::Restorable<HashMap<K, &'d [u8; N]>>,
{
    type Saved = CacheTableWriteSaved<'d, K, N>;
    fn save(__guard: &mut Self::Guard<'_>) -> Self::Saved {
        ::async_monitor::__private::RestoreView::save(
            &mut CacheTableWriteGuard::fields(__guard),
        )
    }
    fn exchange(__guard: &mut Self::Guard<'_>, __saved: &mut Self::Saved) {
        ::async_monitor::__private::RestoreView::exchange(
            &mut CacheTableWriteGuard::fields(__guard),
            __saved,
        );
    }
}
///Holds the lock `table` of `Cache`, shared with other readers, until it is dropped or released.
#[must_use = "the lock is released as soon as the guard is dropped"]
#[doc(hidden)]
pub(crate) struct CacheTableReadGuard<'__guard, 'd, K: Hash, const N: usize>(
    ::async_monitor::__private::ReadCore<
        '__guard,
        Cache<'d, K, N>,
        ::async_monitor::__private::ReadGuardOf<'__guard, Cache<'d, K, N>, __CacheTable>,
        110863045315296031743496178834054379343u128,
    >,
    ::core::marker::PhantomData<(&'__guard HashMap<K, &'d [u8; N]>,)>,
)
where
    K: Eq;
#[automatically_derived]
impl<'__guard, 'd, K: Hash, const N: usize> ::core::fmt::Debug
for CacheTableReadGuard<'__guard, 'd, K, N>
where
    K: Eq,
{
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::DebugStruct::finish_non_exhaustive(
            &mut ::core::fmt::Formatter::debug_struct(__formatter, "CacheTableReadGuard"),
        )
    }
}
#[automatically_derived]
impl<'__guard, 'd, K: Hash, const N: usize> CacheTableReadGuard<'__guard, 'd, K, N>
where
    K: Eq,
{
    ///The data that `table` guards, while the guard is borrowed.
    #[inline]
    fn fields(&self) -> CacheTableReadHeld<'_, 'd, K, N> {
        let __owner = ::async_monitor::__private::ReadCore::owner(&self.0);
        unsafe {
            CacheTableReadHeld {
                entries: &*::async_monitor::__private::pointer::<
                    HashMap<K, &'d [u8; N]>,
                    _,
                >(&__owner.entries),
                __owner: ::async_monitor::__private::Owner::new(__owner),
            }
        }
    }
    /// Releases the lock. Equivalent to `drop(guard)`.
    #[inline]
    fn release(_: Self) {}
}
#[doc(hidden)]
pub(crate) struct CacheTableReadCallFields<'d, K: Hash, const N: usize>
where
    K: Eq,
{
    entries: ::async_monitor::__private::CallFields<HashMap<K, &'d [u8; N]>>,
    __owner: ::core::marker::PhantomData<fn() -> *const Cache<'d, K, N>>,
}
#[doc(hidden)]
#[automatically_derived]
impl<'d, K: Hash, const N: usize> ::core::fmt::Debug
for CacheTableReadCallFields<'d, K, N>
where
    K: Eq,
{
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::Formatter::write_str(
            __formatter,
            ::core::stringify!(CacheTableReadCallFields),
        )
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<'__guard, 'd, K: Hash, const N: usize> ::core::ops::Deref
for CacheTableReadGuard<'__guard, 'd, K, N>
where
    K: Eq,
{
    type Target = CacheTableReadCallFields<'d, K, N>;
    #[inline]
    fn deref(&self) -> &Self::Target {
        const {
            &CacheTableReadCallFields {
                entries: ::async_monitor::__private::CallFields::HINT,
                __owner: ::core::marker::PhantomData,
            }
        }
    }
}
#[automatically_derived]
unsafe impl<'__guard, 'd, K: Hash, const N: usize> ::async_monitor::HoldsLock
for CacheTableReadGuard<'__guard, 'd, K, N>
where
    K: Eq,
{
    #[inline]
    fn lock_id(&self) -> ::async_monitor::LockId {
        ::async_monitor::AsyncLock::id(
            ::async_monitor::__private::object_lock::<
                _,
                __CacheTable,
            >(::async_monitor::__private::ReadCore::owner(&self.0)),
        )
    }
}
///The data that the lock `table` of `Cache` guards, while it is held for reading.
#[doc(hidden)]
pub(crate) struct CacheTableReadHeld<'__guard, 'd, K: Hash, const N: usize>
where
    K: Eq,
{
    ///The field `entries`, guarded by `table`.
    entries: &'__guard HashMap<K, &'d [u8; N]>,
    __owner: ::async_monitor::__private::Owner<
        '__guard,
        Cache<'d, K, N>,
        110863045315296031743496178834054379343u128,
    >,
}
#[automatically_derived]
impl<'__guard, 'd, K: Hash, const N: usize> ::core::fmt::Debug
for CacheTableReadHeld<'__guard, 'd, K, N>
where
    K: Eq,
{
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::DebugStruct::finish_non_exhaustive(
            &mut ::core::fmt::Formatter::debug_struct(__formatter, "CacheTableReadHeld"),
        )
    }
}
#[automatically_derived]
unsafe impl<'__guard, 'd, K: Hash, const N: usize> ::async_monitor::HoldsLock
for CacheTableReadHeld<'__guard, 'd, K, N>
where
    K: Eq,
{
    #[inline]
    fn lock_id(&self) -> ::async_monitor::LockId {
        ::async_monitor::AsyncLock::id(
            ::async_monitor::__private::object_lock::<
                _,
                __CacheTable,
            >(::async_monitor::__private::Owner::get(&self.__owner)),
        )
    }
}
#[automatically_derived]
impl<'d, K: Hash, const N: usize> Cache<'d, K, N>
where
    K: Eq,
{
    /**Waits for the lock `table`, and acquires it for reading.

Dropping the future gives up its place in the queue.*/
    #[track_caller]
    fn read_table(
        &self,
    ) -> impl ::core::future::Future<Output = CacheTableReadGuard<'_, 'd, K, N>>
    where
        for<'__a> &'__a HashMap<K, &'d [u8; N]>: ::async_monitor::__private::Shareable,
    {
        let mut __acquire = ::async_monitor::AsyncRwLock::read(
            ::async_monitor::__private::field(&self.table).__resolve_shared().__lock(),
        );
        async move {
            let __guard = unsafe { ::core::pin::Pin::new_unchecked(&mut __acquire) }
                .await;
            let __guard = ::async_monitor::__private::field(&self.table)
                .__resolve_shared()
                .__of_shared::<
                    Self,
                    __CacheTable,
                >(::async_monitor::__private::infallible(__guard));
            CacheTableReadGuard(
                unsafe { ::async_monitor::__private::ReadCore::new(self, __guard) },
                ::core::marker::PhantomData,
            )
        }
    }
    ///Acquires the lock `table` for reading if that is possible without waiting.
    #[must_use = "the lock is released as soon as the guard is dropped"]
    #[track_caller]
    fn try_read_table(&self) -> ::core::option::Option<CacheTableReadGuard<'_, 'd, K, N>>
    where
        for<'__a> &'__a HashMap<K, &'d [u8; N]>: ::async_monitor::__private::Shareable,
    {
        match ::async_monitor::AsyncRwLock::try_read(
            ::async_monitor::__private::object_lock::<_, __CacheTable>(self),
        ) {
            ::core::option::Option::Some(__guard) => {
                ::core::option::Option::Some(
                    CacheTableReadGuard(
                        unsafe {
                            ::async_monitor::__private::ReadCore::new(self, __guard)
                        },
                        ::core::marker::PhantomData,
                    ),
                )
            }
            ::core::option::Option::None => ::core::option::Option::None,
        }
    }
    ///Acquires the lock `table` for reading, parking the thread while it waits.
    #[track_caller]
    fn read_table_blocking(&self) -> CacheTableReadGuard<'_, 'd, K, N>
    where
        for<'__a> &'__a HashMap<K, &'d [u8; N]>: ::async_monitor::__private::Shareable,
    {
        ::async_monitor::__private::block_on(self.read_table())
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<
    'd,
    K: Hash,
    const N: usize,
> ::async_monitor::__private::HasLock<110863045315296031743496178834054379343u128>
for Cache<'d, K, N>
where
    K: Eq,
{
    const __NAME: &'static str = "Cache.table";
    type Mode = ::async_monitor::__private::Suspending;
    type Guard<'__guard> = CacheTableReadGuard<'__guard, 'd, K, N> where Self: '__guard;
    type Held<'__guard> = CacheTableReadHeld<'__guard, 'd, K, N> where Self: '__guard;
    #[inline]
    fn lock_address(&self) -> *const () {
        ::async_monitor::__private::address(&self.table)
    }
    #[inline]
    fn view<'__guard>(__guard: &'__guard mut Self::Guard<'_>) -> Self::Held<'__guard>
    where
        Self: '__guard,
    {
        CacheTableReadGuard::fields(__guard)
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<
    'd,
    K: Hash,
    const N: usize,
> ::async_monitor::__private::Watched<110863045315296031743496178834054379343u128>
for Cache<'d, K, N>
where
    K: Eq,
{
    #[inline]
    fn watched_id(&self) -> ::core::option::Option<::async_monitor::LockId> {
        ::async_monitor::AsyncLock::__watched_id(
            ::async_monitor::__private::object_lock::<_, __CacheTable>(self),
        )
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<
    'd,
    K: Hash,
    const N: usize,
> ::async_monitor::__private::EnterShared<110863045315296031743496178834054379343u128>
for Cache<'d, K, N>
where
    K: Eq,
    for<'__a> &'__a HashMap<K, &'d [u8; N]>: ::async_monitor::__private::Shareable,
{
    type Guard<'__guard> = CacheTableReadGuard<'__guard, 'd, K, N> where Self: '__guard;
    type Error = ::core::convert::Infallible;
    #[inline]
    fn id(&self) -> ::async_monitor::LockId {
        ::async_monitor::AsyncLock::id(
            ::async_monitor::__private::object_lock::<_, __CacheTable>(self),
        )
    }
    type Waited<'__guard> = CacheTableReadGuard<'__guard, 'd, K, N> where Self: '__guard;
    #[inline]
    fn at_once(
        &self,
        __site: &'static ::async_monitor::__private::Site,
    ) -> ::core::option::Option<Self::Waited<'_>> {
        match ::async_monitor::AsyncRwLock::__read_at_once(
            ::async_monitor::__private::object_lock::<_, __CacheTable>(self),
            __site,
        ) {
            ::core::option::Option::Some(__guard) => {
                ::core::option::Option::Some(
                    CacheTableReadGuard(
                        unsafe {
                            ::async_monitor::__private::ReadCore::new(self, __guard)
                        },
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
        let mut __acquire = ::async_monitor::AsyncRwLock::read(
            ::async_monitor::__private::field(&self.table).__resolve_shared().__lock(),
        );
        async move {
            let __guard = unsafe { ::core::pin::Pin::new_unchecked(&mut __acquire) }
                .await;
            let __guard = ::async_monitor::__private::field(&self.table)
                .__resolve_shared()
                .__of_shared::<
                    Self,
                    __CacheTable,
                >(::async_monitor::__private::infallible(__guard));
            ::core::result::Result::Ok(
                CacheTableReadGuard(
                    unsafe { ::async_monitor::__private::ReadCore::new(self, __guard) },
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
}
#[doc(hidden)]
#[automatically_derived]
unsafe impl<
    'd,
    K: Hash,
    const N: usize,
> ::async_monitor::__private::EnterSharedWhen<
    110863045315296031743496178834054379343u128,
> for Cache<'d, K, N>
where
    K: Eq,
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Cache<'d, K, N>,
        __CacheTable,
    >: ::async_monitor::__private::ConditionalShared<
        '__a,
        ::async_monitor::__private::ObjectLock<Cache<'d, K, N>, __CacheTable>,
    >,
    for<'__a> &'__a HashMap<K, &'d [u8; N]>: ::async_monitor::__private::Shareable,
{
    #[inline]
    fn waiter(&self) -> ::async_monitor::__private::ConditionalWaiter<'_> {
        ::async_monitor::__private::ConditionalShared::waiter(
            ::async_monitor::__private::object_lock::<_, __CacheTable>(self),
        )
    }
    #[inline]
    unsafe fn granted_guard(&self) -> Self::Guard<'_> {
        let __guard = unsafe {
            ::async_monitor::__private::ConditionalShared::granted_guard(
                ::async_monitor::__private::object_lock::<_, __CacheTable>(self),
            )
        };
        CacheTableReadGuard(
            unsafe { ::async_monitor::__private::ReadCore::new(self, __guard) },
            ::core::marker::PhantomData,
        )
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<'__guard, 'd, K: Hash, const N: usize> ::async_monitor::__private::ViewOf<'__guard>
for CacheTableReadHeld<'__guard, 'd, K, N>
where
    K: Eq,
{
    type Object = Cache<'d, K, N>;
    #[inline]
    fn object(&self) -> &'__guard Cache<'d, K, N> {
        ::async_monitor::__private::Owner::get(&self.__owner)
    }
}
#[doc(hidden)]
#[automatically_derived]
unsafe impl<
    '__guard,
    'd,
    K: Hash,
    const N: usize,
> ::async_monitor::__private::ShortenedView<'__guard, Cache<'d, K, N>>
for CacheTableReadHeld<'__guard, 'd, K, N>
where
    K: Eq,
{
    type In<'__view> = CacheTableReadHeld<'__view, 'd, K, N>
    where
        Cache<'d, K, N>: '__view;
}
///Holds the lock `table` of `Cache`, and keeps the object alive, until it is dropped or released.
#[must_use = "the lock is released as soon as the guard is dropped"]
#[doc(hidden)]
pub(crate) struct CacheTableReadOwnedGuard<'d, K: Hash, const N: usize>(
    ::async_monitor::__private::OwnedCore<
        Cache<'d, K, N>,
        CacheTableReadGuard<'static, 'd, K, N>,
    >,
)
where
    K: Eq,
    Cache<'d, K, N>: 'static;
#[automatically_derived]
impl<'d, K: Hash, const N: usize> ::core::fmt::Debug
for CacheTableReadOwnedGuard<'d, K, N>
where
    K: Eq,
    Cache<'d, K, N>: 'static,
{
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::DebugStruct::finish_non_exhaustive(
            &mut ::core::fmt::Formatter::debug_struct(
                __formatter,
                ::core::stringify!(CacheTableReadOwnedGuard),
            ),
        )
    }
}
#[automatically_derived]
impl<'d, K: Hash, const N: usize> CacheTableReadOwnedGuard<'d, K, N>
where
    K: Eq,
    Cache<'d, K, N>: 'static,
{
    ///The data that `table` guards, while the guard is borrowed.
    #[inline]
    fn fields(&self) -> CacheTableReadHeld<'_, 'd, K, N> {
        CacheTableReadGuard::fields(unsafe {
            ::async_monitor::__private::OwnedCore::guard(&self.0)
        })
    }
    /// Releases the lock. Equivalent to `drop(guard)`.
    #[inline]
    fn release(_: Self) {}
}
#[automatically_derived]
impl<'d, K: Hash, const N: usize> Cache<'d, K, N>
where
    K: Eq,
{
    ///Like `read_table`, but the guard keeps the `Cache` alive and borrows nothing.
    #[track_caller]
    fn read_table_owned(
        self: &::async_monitor::__private::Arc<Self>,
    ) -> impl ::core::future::Future<Output = CacheTableReadOwnedGuard<'d, K, N>>
    where
        Self: 'static,
        for<'__a> &'__a HashMap<K, &'d [u8; N]>: ::async_monitor::__private::Shareable,
    {
        let __owner = ::core::clone::Clone::clone(self);
        let __object: &'static Self = unsafe {
            ::async_monitor::__private::kept(&__owner)
        };
        let __acquire = Self::read_table(__object);
        let mut __acquire = unsafe {
            ::async_monitor::__private::OwnedAcquire::new(__owner, __acquire)
        };
        async move {
            CacheTableReadOwnedGuard(
                unsafe { ::core::pin::Pin::new_unchecked(&mut __acquire) }.await,
            )
        }
    }
}
///The data that the lock `table` of `Cache` guards, reached through `&mut Cache` without locking.
#[doc(hidden)]
pub(crate) struct CacheTableMut<'__guard, 'd, K: Hash, const N: usize>
where
    K: Eq,
{
    ///The field `entries`, guarded by `table`.
    entries: &'__guard mut HashMap<K, &'d [u8; N]>,
    __owner: ::core::marker::PhantomData<&'__guard mut Cache<'d, K, N>>,
}
#[automatically_derived]
impl<'__guard, 'd, K: Hash, const N: usize> ::core::fmt::Debug
for CacheTableMut<'__guard, 'd, K, N>
where
    K: Eq,
{
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::DebugStruct::finish_non_exhaustive(
            &mut ::core::fmt::Formatter::debug_struct(__formatter, "CacheTableMut"),
        )
    }
}
#[automatically_derived]
impl<'d, K: Hash, const N: usize> Cache<'d, K, N>
where
    K: Eq,
{
    ///The data that `table` guards, without locking: `&mut self` proves that no guard exists.
    #[inline]
    fn table_mut(&mut self) -> CacheTableMut<'_, 'd, K, N> {
        CacheTableMut {
            entries: ::async_monitor::__private::value_mut(&mut self.entries),
            __owner: ::core::marker::PhantomData,
        }
    }
}
macro_rules! __Cache_locks {
    (write table { $($__derived:tt)* } { $($__plain:tt)* }) => {
        $($__derived)*
    };
    (read table { $($__derived:tt)* } { $($__plain:tt)* }) => {
        $($__derived)*
    };
    (rw table { $($__derived:tt)* } { $($__plain:tt)* }) => {
        $($__derived)*
    };
    ($__mode:ident $__lock:ident { $($__derived:tt)* } { $($__plain:tt)* }) => {
        $($__plain)*
    };
}
#[doc(hidden)]
mod __Cache_locks {
    pub(crate) use __Cache_locks as Cache;
}
pub(crate) use __Cache_locks::*;
#[doc(hidden)]
#[automatically_derived]
impl<'d, K: Hash, const N: usize> Cache<'d, K, N>
where
    K: Eq,
{
    const __DERIVED: () = ();
}
#[doc(hidden)]
#[automatically_derived]
impl<'d, K: Hash, const N: usize> ::async_monitor::__private::IsDerived
for Cache<'d, K, N>
where
    K: Eq,
{}
#[doc(hidden)]
#[automatically_derived]
impl<'d, K: Hash, const N: usize> ::async_monitor::__private::HasSize for Cache<'d, K, N>
where
    K: Eq,
{}
