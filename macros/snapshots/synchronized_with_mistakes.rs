impl Account {
    fn deposit(&mut self, amount: i64) -> i64 {
        ::async_monitor::__private::mutable_receiver::<
            _,
            122075695621518212564394156771862851892u128,
        >(&*self)
            .__check_lock(&self.ledger);
        let (__type0, __lock0) = {
            let (__base, __branch) = ::async_monitor::__private::base();
            if __branch.__is_executed() {
                __branch.__reach();
                __base.__infer(&*self);
            }
            let __found = ::async_monitor::__private::probe::<
                _,
                122075695621518212564394156771862851892u128,
            >(__base, __branch)
                .__select(&self.ledger)
                .__resolve();
            let (__object, __branch) = ::async_monitor::__private::needed();
            if __branch.__is_executed() {
                __branch.__reach();
                __object.__set(&*self);
            }
            let __entry = ::async_monitor::__private::entry(__found, __object, __branch);
            (::async_monitor::__private::entry_type(&__entry), __entry.__lock())
        };
        __type0.__suspend_mode().__parks();
        static __SITE: ::async_monitor::__private::Site = ::async_monitor::__private::Site::new(
            "deposit",
            ::core::file!(),
            ::core::line!(),
            ::core::column!(),
            "",
            &[
                ::async_monitor::__private::SiteLock::new(
                    ::core::stringify!(ledger),
                    false,
                ),
            ],
        );
        let __section = unsafe { ::async_monitor::__private::Section::new() };
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
                                122075695621518212564394156771862851892u128,
                            >::watched_id,
                        ),
                    ],
                )
        };
        let __waited0 = ::async_monitor::__private::infallible('__at_once: {
            if !(&__section).__enters_listed(__type0.__suspend_mode().__acquires_last())
            {
                if let ::core::option::Option::Some(__waited) = ::async_monitor::__private::Enter::<
                    122075695621518212564394156771862851892u128,
                >::at_once(__lock0, &__SITE) {
                    (&__section).__entered(0usize);
                    break '__at_once ::core::result::Result::Ok(__waited);
                }
            }
            {
                let __asking = unsafe {
                    (&__section)
                        .__wait(0usize, __type0.__suspend_mode().__acquires_last())
                };
                let __acquired = ::async_monitor::__private::Enter::<
                    122075695621518212564394156771862851892u128,
                >::wait_blocking(__lock0);
                __asking.__acquired();
                __acquired
            }
        });
        let __asking = unsafe {
            (&__section)
                .__finish_inside(0usize, __type0.__suspend_mode().__acquires_last())
        };
        let mut __guard0 = __type0
            .__finish::<122075695621518212564394156771862851892u128>(__waited0);
        __asking.__acquired();
        let __inside = unsafe {
            (&__section).__inside(__type0.__suspend_mode().__acquires_last())
        };
        let mut __view0 = __type0.__view(&mut __guard0);
        let ledger = __view0.__bind();
        let _ = &ledger;
        {
            {
                *ledger.balance += amount;
                *ledger.balance
            }
        }
    }
}
