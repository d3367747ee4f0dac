//! A tutorial, pages for users of other crates, recipes, and the limits.
//!
//! Begin with the [tutorial], or with the page for the locks you know: [std](from_std),
//! [tokio](from_tokio) or [asyncio](from_asyncio).
//!
//! | page | answers |
//! |---|---|
//! | [`tutorial`] | how does a program with shared state grow, step by step? |
//! | [`from_std`] | how do I move code that uses `std::sync` or parking_lot? |
//! | [`from_tokio`] | which types replace `tokio::sync`'s `Notify`, `Semaphore` and `Mutex`? |
//! | [`from_asyncio`] | which types correspond to asyncio's `Condition`, `Event` and `Semaphore`? |
//! | [`migration`] | in which steps do I move a whole program? |
//! | [`cancel_safety`] | what happens when a future is dropped, and in which order are waiters served? |
//! | [`checking`] | how do I test my own code in every schedule, and what does that prove? |
//! | [`recipes`] | single flight, rate limit, pool, shutdown, work queue, cache, actor: how? |
//! | [`limits`] | what can this crate not do, and what does it cost? |
//! | [`alternatives`] | when is another crate the better choice? |
//!
//! This module contains no code and exists only in the documentation.

#[doc = include_str!("guide/tutorial.md")]
pub mod tutorial {}

#[doc = include_str!("guide/from_std.md")]
pub mod from_std {}

#[doc = include_str!("guide/from_tokio.md")]
pub mod from_tokio {}

#[doc = include_str!("guide/from_asyncio.md")]
pub mod from_asyncio {}

#[doc = include_str!("guide/migration.md")]
pub mod migration {}

#[doc = include_str!("guide/cancel_safety.md")]
pub mod cancel_safety {}

#[doc = include_str!("guide/checking.md")]
pub mod checking {}

#[doc = include_str!("guide/recipes.md")]
pub mod recipes {}

#[doc = include_str!("guide/limits.md")]
pub mod limits {}

#[doc = include_str!("guide/alternatives.md")]
pub mod alternatives {}
