//! The options of a section: the one table of them.
//!
//! To add one, add a variant here and to `ALL`, and its parsed form to [`OptionArgument`].
//! The compiler then lists the `match`es; CONTRIBUTING has the rest.

use proc_macro2::Ident;
use syn::{Expr, Path};

use crate::gather::Gather;

/// An option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SectionOption {
    When,
    Timeout,
    Atomic,
    NoAwait,
    Blocking,
    Crate,
}

impl SectionOption {
    pub(super) const ALL: [SectionOption; 6] = [
        SectionOption::When,
        SectionOption::Timeout,
        SectionOption::Atomic,
        SectionOption::NoAwait,
        SectionOption::Blocking,
        SectionOption::Crate,
    ];

    /// The name as it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            SectionOption::When => "when",
            SectionOption::Timeout => "timeout",
            SectionOption::Atomic => "atomic",
            SectionOption::NoAwait => "no_await",
            SectionOption::Blocking => "blocking",
            SectionOption::Crate => "crate",
        }
    }

    /// The placeholder for its value in messages, if it takes one.
    pub(super) fn value(self) -> Option<&'static str> {
        match self {
            SectionOption::When => Some("condition"),
            SectionOption::Timeout => Some("duration"),
            SectionOption::Atomic | SectionOption::NoAwait | SectionOption::Blocking => None,
            SectionOption::Crate => Some("::path"),
        }
    }

    pub(super) fn takes_value(self) -> bool {
        self.value().is_some()
    }

    /// The option as it is written, with a value if it takes one.
    pub(super) fn example(self) -> String {
        match self.value() {
            Some(value) => format!("{} = {value}", self.name()),
            None => self.name().to_owned(),
        }
    }

    /// The option of that name.
    pub(super) fn named(name: &Ident) -> Option<Self> {
        Self::ALL.into_iter().find(|option| name == option.name())
    }

    /// All of them, for messages.
    pub(super) fn list() -> String {
        let names = Self::ALL.map(|option| format!("`{}`", option.name()));
        match names.split_last() {
            Some((last, others)) => {
                let others = others.iter().map(String::as_str).gather::<Vec<_>>();
                format!("{} and {last}", others.join(", "))
            }
            None => String::new(),
        }
    }
}

/// An option with its value, and its name as written.
pub(super) enum OptionArgument {
    When(Ident, Expr),
    Timeout(Ident, Expr),
    Atomic(Ident),
    NoAwait(Ident),
    Blocking(Ident),
    Crate(Ident, Path),
}

impl OptionArgument {
    /// The name, as the user has written it.
    pub(super) fn name(&self) -> &Ident {
        match self {
            OptionArgument::When(name, _)
            | OptionArgument::Timeout(name, _)
            | OptionArgument::Atomic(name)
            | OptionArgument::NoAwait(name)
            | OptionArgument::Blocking(name)
            | OptionArgument::Crate(name, _) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::format_ident;

    #[test]
    fn every_option_is_found_by_its_name() {
        for option in SectionOption::ALL {
            let name = format_ident!("{}", option.name());
            assert_eq!(SectionOption::named(&name), Some(option));
        }
        assert_eq!(SectionOption::named(&format_ident!("then")), None);
    }

    #[test]
    fn messages_list_all_options() {
        assert_eq!(
            SectionOption::list(),
            "`when`, `timeout`, `atomic`, `no_await`, `blocking` and `crate`"
        );
    }
}
