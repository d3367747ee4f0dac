///Holds the lock `state` of `Shared` until it is dropped or released.
#[must_use = "the lock is released as soon as the guard is dropped"]
struct SharedStateGuard<'__guard>(
    ::async_monitor::__private::Core<
        '__guard,
        Shared,
        ::async_monitor::__private::GuardOf<'__guard, Shared, __SharedState>,
        9157926117924125475949231123135259214u128,
    >,
    ::core::marker::PhantomData<(&'__guard mut Vec<u8>,)>,
);
#[automatically_derived]
impl<'__guard> ::core::fmt::Debug for SharedStateGuard<'__guard> {
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::DebugStruct::finish_non_exhaustive(
            &mut ::core::fmt::Formatter::debug_struct(__formatter, "SharedStateGuard"),
        )
    }
}
#[automatically_derived]
impl<'__guard> SharedStateGuard<'__guard> {
    ///The data that `state` guards, while the guard is borrowed.
    #[inline]
    fn fields(&mut self) -> SharedStateHeld<'_> {
        let __owner = ::async_monitor::__private::Core::owner(&self.0);
        let __field = ::async_monitor::__private::field(&__owner.state).__resolve();
        unsafe {
            SharedStateHeld {
                value: __field.__value(&mut self.0),
                __owner: ::async_monitor::__private::Owner::new(__owner),
            }
        }
    }
    /// Releases the lock. Equivalent to `drop(guard)`.
    #[inline]
    fn release(_: Self) {}
}
#[doc(hidden)]
struct SharedStateCallFields {
    value: ::async_monitor::__private::CallFields<Vec<u8>>,
    __owner: ::core::marker::PhantomData<fn() -> *const Shared>,
}
#[doc(hidden)]
#[automatically_derived]
impl ::core::fmt::Debug for SharedStateCallFields {
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::Formatter::write_str(
            __formatter,
            ::core::stringify!(SharedStateCallFields),
        )
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<'__guard> ::core::ops::Deref for SharedStateGuard<'__guard> {
    type Target = SharedStateCallFields;
    #[inline]
    fn deref(&self) -> &Self::Target {
        const {
            &SharedStateCallFields {
                value: ::async_monitor::__private::CallFields::HINT,
                __owner: ::core::marker::PhantomData,
            }
        }
    }
}
#[automatically_derived]
unsafe impl<'__guard> ::async_monitor::HoldsLock for SharedStateGuard<'__guard> {
    #[inline]
    fn lock_id(&self) -> ::async_monitor::LockId {
        ::async_monitor::AsyncLock::id(
            ::async_monitor::__private::object_lock::<
                _,
                __SharedState,
            >(::async_monitor::__private::Core::owner(&self.0)),
        )
    }
}
///The data that the lock `state` of `Shared` guards, while it is held.
struct SharedStateHeld<'__guard> {
    ///The value in the lock `state`.
    value: &'__guard mut Vec<u8>,
    __owner: ::async_monitor::__private::Owner<
        '__guard,
        Shared,
        9157926117924125475949231123135259214u128,
    >,
}
#[automatically_derived]
impl<'__guard> ::core::fmt::Debug for SharedStateHeld<'__guard> {
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::DebugStruct::finish_non_exhaustive(
            &mut ::core::fmt::Formatter::debug_struct(__formatter, "SharedStateHeld"),
        )
    }
}
#[automatically_derived]
unsafe impl<'__guard> ::async_monitor::HoldsLock for SharedStateHeld<'__guard> {
    #[inline]
    fn lock_id(&self) -> ::async_monitor::LockId {
        ::async_monitor::AsyncLock::id(
            ::async_monitor::__private::object_lock::<
                _,
                __SharedState,
            >(::async_monitor::__private::Owner::get(&self.__owner)),
        )
    }
}
#[automatically_derived]
impl Shared {
    /**Waits for the lock `state`, and acquires it exclusively.

Dropping the future gives up its place in the queue.*/
    #[track_caller]
    fn acquire_state(
        &self,
    ) -> impl ::core::future::Future<Output = SharedStateGuard<'_>> {
        let mut __acquire = ::async_monitor::AsyncLock::acquire(
            ::async_monitor::__private::field(&self.state).__resolve().__lock(),
        );
        async move {
            let __guard = unsafe { ::core::pin::Pin::new_unchecked(&mut __acquire) }
                .await;
            let __guard = ::async_monitor::__private::field(&self.state)
                .__resolve()
                .__of::<
                    Self,
                    __SharedState,
                >(::async_monitor::__private::infallible(__guard));
            SharedStateGuard(
                unsafe { ::async_monitor::__private::Core::new(self, __guard) },
                ::core::marker::PhantomData,
            )
        }
    }
    ///Acquires the lock `state` exclusively if that is possible without waiting.
    #[must_use = "the lock is released as soon as the guard is dropped"]
    #[track_caller]
    fn try_acquire_state(&self) -> ::core::option::Option<SharedStateGuard<'_>> {
        match ::async_monitor::AsyncLock::try_acquire(
            ::async_monitor::__private::object_lock::<_, __SharedState>(self),
        ) {
            ::core::option::Option::Some(__guard) => {
                ::core::option::Option::Some(
                    SharedStateGuard(
                        unsafe { ::async_monitor::__private::Core::new(self, __guard) },
                        ::core::marker::PhantomData,
                    ),
                )
            }
            ::core::option::Option::None => ::core::option::Option::None,
        }
    }
    ///Acquires the lock `state` exclusively, parking the thread while it waits.
    #[track_caller]
    fn acquire_state_blocking(&self) -> SharedStateGuard<'_> {
        ::async_monitor::__private::block_on(self.acquire_state())
    }
}
#[doc(hidden)]
#[automatically_derived]
impl ::async_monitor::__private::HasLock<9157926117924125475949231123135259214u128>
for Shared {
    const __NAME: &'static str = "Shared.state";
    type Mode = ::async_monitor::__private::Suspending;
    type Guard<'__guard> = SharedStateGuard<'__guard> where Self: '__guard;
    type Held<'__guard> = SharedStateHeld<'__guard> where Self: '__guard;
    #[inline]
    fn lock_address(&self) -> *const () {
        ::async_monitor::__private::address(&self.state)
    }
    #[inline]
    fn view<'__guard>(__guard: &'__guard mut Self::Guard<'_>) -> Self::Held<'__guard>
    where
        Self: '__guard,
    {
        SharedStateGuard::fields(__guard)
    }
}
#[doc(hidden)]
#[automatically_derived]
impl ::async_monitor::__private::Watched<9157926117924125475949231123135259214u128>
for Shared {
    #[inline]
    fn watched_id(&self) -> ::core::option::Option<::async_monitor::LockId> {
        ::async_monitor::AsyncLock::__watched_id(
            ::async_monitor::__private::object_lock::<_, __SharedState>(self),
        )
    }
}
#[doc(hidden)]
#[automatically_derived]
impl ::async_monitor::__private::Enter<9157926117924125475949231123135259214u128>
for Shared {
    type Guard<'__guard> = SharedStateGuard<'__guard> where Self: '__guard;
    type Error = ::core::convert::Infallible;
    #[inline]
    fn id(&self) -> ::async_monitor::LockId {
        ::async_monitor::AsyncLock::id(
            ::async_monitor::__private::object_lock::<_, __SharedState>(self),
        )
    }
    type Waited<'__guard> = SharedStateGuard<'__guard> where Self: '__guard;
    #[inline]
    fn at_once(
        &self,
        __site: &'static ::async_monitor::__private::Site,
    ) -> ::core::option::Option<Self::Waited<'_>> {
        match ::async_monitor::AsyncLock::__acquire_at_once(
            ::async_monitor::__private::object_lock::<_, __SharedState>(self),
            __site,
        ) {
            ::core::option::Option::Some(__guard) => {
                ::core::option::Option::Some(
                    SharedStateGuard(
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
            ::async_monitor::__private::field(&self.state).__resolve().__lock(),
        );
        async move {
            let __guard = unsafe { ::core::pin::Pin::new_unchecked(&mut __acquire) }
                .await;
            let __guard = ::async_monitor::__private::field(&self.state)
                .__resolve()
                .__of::<
                    Self,
                    __SharedState,
                >(::async_monitor::__private::infallible(__guard));
            ::core::result::Result::Ok(
                SharedStateGuard(
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
    9157926117924125475949231123135259214u128,
> for Shared
where
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Shared,
        __SharedState,
    >: ::async_monitor::__private::Conditional<
        '__a,
        ::async_monitor::__private::ObjectLock<Shared, __SharedState>,
    >,
{
    #[inline]
    fn object(&self) -> ::core::option::Option<::async_monitor::__private::Object> {
        ::async_monitor::__private::object(
            ::async_monitor::__private::object_lock::<_, __SharedState>(self),
        )
    }
    #[inline]
    fn waiter(&self) -> ::async_monitor::__private::ConditionalWaiter<'_> {
        ::async_monitor::__private::Conditional::waiter(
            ::async_monitor::__private::object_lock::<_, __SharedState>(self),
        )
    }
    #[inline]
    unsafe fn granted_guard(&self) -> Self::Guard<'_> {
        let __guard = unsafe {
            ::async_monitor::__private::Conditional::granted_guard(
                ::async_monitor::__private::object_lock::<_, __SharedState>(self),
            )
        };
        SharedStateGuard(
            unsafe { ::async_monitor::__private::Core::new(self, __guard) },
            ::core::marker::PhantomData,
        )
    }
}
#[doc(hidden)]
#[automatically_derived]
impl ::async_monitor::__private::Watched<194055158108472160120100158952878987158u128>
for Shared {
    #[inline]
    fn watched_id(&self) -> ::core::option::Option<::async_monitor::LockId> {
        ::async_monitor::__private::Watched::<
            9157926117924125475949231123135259214u128,
        >::watched_id(self)
    }
}
#[doc(hidden)]
#[automatically_derived]
impl ::async_monitor::__private::EnterShared<194055158108472160120100158952878987158u128>
for Shared {
    type Guard<'__guard> = ::async_monitor::__private::Reading<
        '__guard,
        Self,
        SharedStateGuard<'__guard>,
        9157926117924125475949231123135259214u128,
    >
    where
        Self: '__guard;
    type Waited<'__guard> = SharedStateGuard<'__guard> where Self: '__guard;
    type Error = ::core::convert::Infallible;
    #[inline]
    fn id(&self) -> ::async_monitor::LockId {
        ::async_monitor::__private::Enter::<
            9157926117924125475949231123135259214u128,
        >::id(self)
    }
    #[inline]
    fn at_once(
        &self,
        __site: &'static ::async_monitor::__private::Site,
    ) -> ::core::option::Option<Self::Waited<'_>> {
        ::async_monitor::__private::Enter::<
            9157926117924125475949231123135259214u128,
        >::at_once(self, __site)
    }
    #[inline]
    fn wait(
        &self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<Self::Waited<'_>, Self::Error>,
    > {
        ::async_monitor::__private::Enter::<
            9157926117924125475949231123135259214u128,
        >::wait(self)
    }
    #[inline]
    fn wait_blocking(&self) -> ::core::result::Result<Self::Waited<'_>, Self::Error> {
        ::async_monitor::__private::Enter::<
            9157926117924125475949231123135259214u128,
        >::wait_blocking(self)
    }
    #[inline]
    fn finish<'__guard>(__waited: Self::Waited<'__guard>) -> Self::Guard<'__guard>
    where
        Self: '__guard,
    {
        ::async_monitor::__private::Reading::new(
            <Self as ::async_monitor::__private::Enter<
                9157926117924125475949231123135259214u128,
            >>::finish(__waited),
        )
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<'__guard> ::async_monitor::__private::ViewOf<'__guard>
for SharedStateHeld<'__guard> {
    type Object = Shared;
    #[inline]
    fn object(&self) -> &'__guard Shared {
        ::async_monitor::__private::Owner::get(&self.__owner)
    }
}
#[doc(hidden)]
#[automatically_derived]
unsafe impl<'__guard> ::async_monitor::__private::ShortenedView<'__guard, Shared>
for SharedStateHeld<'__guard> {
    type In<'__view> = SharedStateHeld<'__view> where Shared: '__view;
}
///Holds the lock `state` of `Shared`, and keeps the object alive, until it is dropped or released.
#[must_use = "the lock is released as soon as the guard is dropped"]
struct SharedStateOwnedGuard(
    ::async_monitor::__private::OwnedCore<Shared, SharedStateGuard<'static>>,
)
where
    Shared: 'static;
#[automatically_derived]
impl ::core::fmt::Debug for SharedStateOwnedGuard
where
    Shared: 'static,
{
    #[doc(hidden)]
    fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::DebugStruct::finish_non_exhaustive(
            &mut ::core::fmt::Formatter::debug_struct(
                __formatter,
                ::core::stringify!(SharedStateOwnedGuard),
            ),
        )
    }
}
#[automatically_derived]
impl SharedStateOwnedGuard
where
    Shared: 'static,
{
    ///The data that `state` guards, while the guard is borrowed.
    #[inline]
    fn fields(&mut self) -> SharedStateHeld<'_> {
        SharedStateGuard::fields(unsafe {
            ::async_monitor::__private::OwnedCore::guard_mut(&mut self.0)
        })
    }
    /// Releases the lock. Equivalent to `drop(guard)`.
    #[inline]
    fn release(_: Self) {}
}
#[automatically_derived]
impl Shared {
    ///Like `acquire_state`, but the guard keeps the `Shared` alive and borrows nothing.
    #[track_caller]
    fn acquire_state_owned(
        self: &::async_monitor::__private::Arc<Self>,
    ) -> impl ::core::future::Future<Output = SharedStateOwnedGuard>
    where
        Self: 'static,
    {
        let __owner = ::core::clone::Clone::clone(self);
        let __object: &'static Self = unsafe {
            ::async_monitor::__private::kept(&__owner)
        };
        let __acquire = Self::acquire_state(__object);
        let mut __acquire = unsafe {
            ::async_monitor::__private::OwnedAcquire::new(__owner, __acquire)
        };
        async move {
            SharedStateOwnedGuard(
                unsafe { ::core::pin::Pin::new_unchecked(&mut __acquire) }.await,
            )
        }
    }
}
enum __SharedState {}
#[doc(hidden)]
#[automatically_derived]
unsafe impl ::async_monitor::__private::LockOf<__SharedState> for Shared {
    type Lock = Arc<Mutex<Vec<u8>>>;
    #[inline]
    fn __lock(&self) -> ::async_monitor::__private::NoCoercion<'_, Self::Lock> {
        let Self { state: __field, .. } = self;
        let __lock = ::async_monitor::__private::no_coercion(__field);
        __lock
    }
    #[inline]
    fn __kind() -> ::core::option::Option<::async_monitor::__private::Kind> {
        ::async_monitor::__private::Kind::of::<Self, __SharedState>()
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<'__view, '__guard> ::async_monitor::View<'__view> for SharedStateGuard<'__guard> {
    type View = SharedStateHeld<'__view>;
}
#[doc(hidden)]
#[automatically_derived]
unsafe impl<'__guard> ::async_monitor::Relock for SharedStateGuard<'__guard>
where
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Shared,
        __SharedState,
    >: ::async_monitor::__private::Reacquirable<
        '__a,
        ::async_monitor::__private::ObjectLock<Shared, __SharedState>,
    >,
{
    type Released = &'__guard Shared;
    type Reacquire = SharedStateReacquire<'__guard>;
    #[inline]
    fn give_up(__guard: Self) -> Self::Released {
        ::async_monitor::__private::Core::release(__guard.0)
    }
    #[inline]
    fn reacquire(__released: Self::Released) -> Self::Reacquire {
        SharedStateReacquire(unsafe {
            ::async_monitor::__private::Reacquire::new(
                __released,
                ::async_monitor::__private::ReacquireLock::new(
                    ::async_monitor::__private::object_lock::<
                        _,
                        __SharedState,
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
        __look(&SharedStateGuard::fields(self))
    }
}
#[doc(hidden)]
#[must_use = "a future does nothing unless it is awaited"]
struct SharedStateReacquire<'__guard>(
    ::async_monitor::__private::Reacquire<
        '__guard,
        Shared,
        ::async_monitor::__private::ReacquireLock<
            '__guard,
            ::async_monitor::__private::ObjectLock<Shared, __SharedState>,
        >,
        9157926117924125475949231123135259214u128,
    >,
)
where
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Shared,
        __SharedState,
    >: ::async_monitor::__private::Reacquirable<
        '__a,
        ::async_monitor::__private::ObjectLock<Shared, __SharedState>,
    >;
#[automatically_derived]
impl<'__guard> ::core::marker::Unpin for SharedStateReacquire<'__guard>
where
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Shared,
        __SharedState,
    >: ::async_monitor::__private::Reacquirable<
        '__a,
        ::async_monitor::__private::ObjectLock<Shared, __SharedState>,
    >,
    ::async_monitor::__private::NeverUnpin<'__guard>: ::core::marker::Unpin,
{}
#[doc(hidden)]
#[automatically_derived]
impl<'__guard> ::async_monitor::__private::MustNotImplDrop
for SharedStateReacquire<'__guard>
where
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Shared,
        __SharedState,
    >: ::async_monitor::__private::Reacquirable<
        '__a,
        ::async_monitor::__private::ObjectLock<Shared, __SharedState>,
    >,
{}
#[automatically_derived]
impl<'__guard> ::core::future::Future for SharedStateReacquire<'__guard>
where
    for<'__a> &'__a ::async_monitor::__private::ObjectLock<
        Shared,
        __SharedState,
    >: ::async_monitor::__private::Reacquirable<
        '__a,
        ::async_monitor::__private::ObjectLock<Shared, __SharedState>,
    >,
{
    type Output = SharedStateGuard<'__guard>;
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
            |__core| SharedStateGuard(__core, ::core::marker::PhantomData),
        )
    }
}
#[doc(hidden)]
#[automatically_derived]
impl<'__guard> ::async_monitor::__private::ReborrowView for SharedStateHeld<'__guard> {
    type View<'__view> = SharedStateHeld<'__view> where Self: '__view;
    #[inline]
    fn reborrow(&mut self) -> Self::View<'_> {
        SharedStateHeld {
            value: &mut *self.value,
            __owner: unsafe {
                ::async_monitor::__private::Owner::new(
                    ::async_monitor::__private::Owner::get(&self.__owner),
                )
            },
        }
    }
}
#[doc(hidden)]
struct SharedStateSaved(
    (::async_monitor::__private::Kept<'static, Vec<u8>>,),
    ::core::marker::PhantomData<fn() -> Shared>,
)
where
    for<'__a> ::async_monitor::__private::Kept<'__a, Vec<u8>>: ::core::marker::Sized;
#[doc(hidden)]
#[automatically_derived]
impl<'__guard> ::async_monitor::__private::RestoreView for SharedStateHeld<'__guard>
where
    for<'__a> ::async_monitor::__private::Kept<'__a, Vec<u8>>: ::core::marker::Sized,
    for<'__a> &'__a Vec<u8>: ::async_monitor::__private::Restorable<Vec<u8>>,
{
    type Saved = SharedStateSaved;
    fn save(&mut self) -> Self::Saved {
        SharedStateSaved(
            (::async_monitor::__private::Restorable::copied(&*self.value),),
            ::core::marker::PhantomData,
        )
    }
    fn exchange(&mut self, __saved: &mut Self::Saved) {
        <&_ as ::async_monitor::__private::Restorable<
            Vec<u8>,
        >>::exchange(&mut *self.value, &mut __saved.0.0);
    }
}
#[doc(hidden)]
#[automatically_derived]
impl ::async_monitor::__private::Restore<9157926117924125475949231123135259214u128>
for Shared
where
    for<'__a> ::async_monitor::__private::Kept<'__a, Vec<u8>>: ::core::marker::Sized,
    for<'__a> &'__a Vec<u8>: ::async_monitor::__private::Restorable<Vec<u8>>,
{
    type Saved = SharedStateSaved;
    fn save(__guard: &mut Self::Guard<'_>) -> Self::Saved {
        ::async_monitor::__private::RestoreView::save(
            &mut SharedStateGuard::fields(__guard),
        )
    }
    fn exchange(__guard: &mut Self::Guard<'_>, __saved: &mut Self::Saved) {
        ::async_monitor::__private::RestoreView::exchange(
            &mut SharedStateGuard::fields(__guard),
            __saved,
        );
    }
}
macro_rules! __Shared_locks {
    (write state { $($__derived:tt)* } { $($__plain:tt)* }) => {
        $($__derived)*
    };
    (read state { $($__derived:tt)* } { $($__plain:tt)* }) => {
        $($__derived)*
    };
    (acquire state { $($__derived:tt)* } { $($__plain:tt)* }) => {
        $($__derived)*
    };
    ($__mode:ident $__lock:ident { $($__derived:tt)* } { $($__plain:tt)* }) => {
        $($__plain)*
    };
}
#[doc(hidden)]
mod __Shared_locks {
    pub(crate) use __Shared_locks as Shared;
}
pub(crate) use __Shared_locks::*;
#[doc(hidden)]
#[automatically_derived]
impl Shared {
    const __DERIVED: () = ();
}
#[doc(hidden)]
#[automatically_derived]
impl ::async_monitor::__private::IsDerived for Shared {}
#[doc(hidden)]
#[automatically_derived]
impl ::async_monitor::__private::HasSize for Shared {}
