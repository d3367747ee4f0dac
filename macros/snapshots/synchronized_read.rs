impl Account {
    /// Docs.
    pub async fn deposit(&self, amount: i64) -> Result<i64, Failed> {
        let (__type0, __lock0) = {
            let (__base, __branch) = ::async_monitor::__private::base();
            if __branch.__is_executed() {
                __branch.__reach();
                __base.__infer(&*self);
            }
            let __found = ::async_monitor::__private::probe_shared::<
                _,
                263483944795383689231947791126006350729u128,
                221386149142879907063647187146096938689u128,
            >(__base, __branch)
                .__select(&self.cfg)
                .__resolve_shared();
            let (__object, __branch) = ::async_monitor::__private::needed();
            if __branch.__is_executed() {
                __branch.__reach();
                __object.__set(&*self);
            }
            let __entry = ::async_monitor::__private::entry(__found, __object, __branch);
            (::async_monitor::__private::entry_type(&__entry), __entry.__lock())
        };
        static __SITE: ::async_monitor::__private::Site = ::async_monitor::__private::Site::new(
            "deposit",
            ::core::file!(),
            ::core::line!(),
            ::core::column!(),
            "",
            &[::async_monitor::__private::SiteLock::new(::core::stringify!(cfg), true)],
        );
        let __section = unsafe { ::async_monitor::__private::Section::new() };
        if (&__section).__is_described_early() {
            unsafe {
                (&__section)
                    .__describe(
                        &__SITE,
                        ::core::option::Option::None,
                        [
                            ::async_monitor::__private::SectionLock::new(
                                __type0.__lock_type(),
                                __lock0,
                                ::async_monitor::__private::Watched::<
                                    263483944795383689231947791126006350729u128,
                                >::watched_id,
                            ),
                        ],
                    )
            };
        }
        let __waited0 = ::async_monitor::__private::infallible('__at_once: {
            if !(&__section).__enters_listed(__type0.__suspend_mode().__acquires_last())
            {
                if let ::core::option::Option::Some(__waited) = ::async_monitor::__private::EnterShared::<
                    263483944795383689231947791126006350729u128,
                >::at_once(__lock0, &__SITE) {
                    if (&__section).__is_described_early() {
                        (&__section).__entered(0usize);
                    }
                    break '__at_once ::core::result::Result::Ok(__waited);
                }
            }
            if !(&__section).__is_described() {
                unsafe {
                    (&__section)
                        .__describe(
                            &__SITE,
                            ::core::option::Option::None,
                            [
                                ::async_monitor::__private::SectionLock::new(
                                    __type0.__lock_type(),
                                    __lock0,
                                    ::async_monitor::__private::Watched::<
                                        263483944795383689231947791126006350729u128,
                                    >::watched_id,
                                ),
                            ],
                        )
                };
            }
            (&__section)
                .__entering(
                    0usize,
                    __type0.__suspend_mode().__acquires_last(),
                    ::async_monitor::__private::EnterShared::<
                        263483944795383689231947791126006350729u128,
                    >::wait(__lock0),
                )
                .await
        });
        let __asking = unsafe {
            (&__section)
                .__finish_inside(0usize, __type0.__suspend_mode().__acquires_last())
        };
        let mut __guard0 = ::async_monitor::__private::finish_shared::<
            _,
            263483944795383689231947791126006350729u128,
        >(&__type0, __waited0);
        __asking.__acquired();
        let __inside = unsafe {
            (&__section).__inside_body(__type0.__suspend_mode().__acquires_last(), false)
        };
        let mut __view0 = __type0.__view(&mut __guard0);
        let ref cfg = *__view0.__bind_shared();
        let _ = cfg;
        {
            {
                body(amount)
            }
        }
    }
}
